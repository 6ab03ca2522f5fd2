/* SPDX-License-Identifier: Apache-2.0 */
/* string(3); no memrchr, no mempcpy, no strchrnul. */
#ifndef TENON_DARWIN_STRING_H
#define TENON_DARWIN_STRING_H

#include <strings.h>
#include <sys/types.h>

void *memchr(const void *s, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmem(const void *big, size_t big_size, const void *small, size_t small_size);
char *strcat(char *to, const char *from);
char *strchr(const char *s, int c);
int strcmp(const char *a, const char *b);
char *strcpy(char *to, const char *from);
char *stpcpy(char *to, const char *from);
char *stpncpy(char *to, const char *from, size_t n);
size_t strcspn(const char *s, const char *set);
char *strdup(const char *s);
char *strndup(const char *s, size_t n);
char *strerror(int number);
int strerror_r(int number, char *to, size_t room);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
char *strncat(char *to, const char *from, size_t n);
int strncmp(const char *a, const char *b, size_t n);
char *strncpy(char *to, const char *from, size_t n);
char *strpbrk(const char *s, const char *set);
char *strrchr(const char *s, int c);
char *strsep(char **at, const char *set);
char *strsignal(int number);
size_t strspn(const char *s, const char *set);
char *strstr(const char *s, const char *what);
char *strcasestr(const char *s, const char *what);
char *strtok(char *s, const char *set);
char *strtok_r(char *s, const char *set, char **at);
size_t strlcpy(char *to, const char *from, size_t room);
size_t strlcat(char *to, const char *from, size_t room);

#endif
