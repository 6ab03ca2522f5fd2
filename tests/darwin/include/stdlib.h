/* SPDX-License-Identifier: Apache-2.0 */
/* C17 7.22 and what POSIX adds; no reallocarray, no secure_getenv. */
#ifndef TENON_DARWIN_STDLIB_H
#define TENON_DARWIN_STDLIB_H

#include <sys/types.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX     0x7fffffff

typedef struct {
	int quot, rem;
} div_t;

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *old, size_t size);
void *aligned_alloc(size_t align, size_t size);
int posix_memalign(void **ret_memory, size_t align, size_t size);
void free(void *memory);

void abort(void) __attribute__((noreturn));
void exit(int code) __attribute__((noreturn));
void _Exit(int code) __attribute__((noreturn));
int atexit(void (*run)(void));
int system(const char *command);
char *getenv(const char *name);
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
int putenv(char *text);

int abs(int x);
long labs(long x);
long long llabs(long long x);
int atoi(const char *text);
long atol(const char *text);
long strtol(const char *text, char **ret_end, int base);
long long strtoll(const char *text, char **ret_end, int base);
unsigned long strtoul(const char *text, char **ret_end, int base);
unsigned long long strtoull(const char *text, char **ret_end, int base);
double strtod(const char *text, char **ret_end);
float strtof(const char *text, char **ret_end);

int rand(void);
void srand(unsigned int seed);
long random(void);
void srandom(unsigned int seed);
long lrand48(void);
uint32_t arc4random(void);
void arc4random_buf(void *to, size_t size);

void qsort(void *base, size_t n, size_t size, int (*compare)(const void *a, const void *b));
void *bsearch(const void *key, const void *base, size_t n, size_t size,
	int (*compare)(const void *a, const void *b));
char *realpath(const char *path, char *resolved);
char *mkdtemp(char *name);
int mkstemp(char *name);
int mkostemp(char *name, int flags);
int mkostemps(char *name, int suffix, int flags);
int posix_openpt(int flags);
int grantpt(int fd);
int unlockpt(int fd);
char *ptsname(int fd);
int ptsname_r(int fd, char *name, size_t room);

#endif
