/* SPDX-License-Identifier: Apache-2.0 */
/* stdio(3). */
#ifndef TENON_DARWIN_STDIO_H
#define TENON_DARWIN_STDIO_H

#include <stdarg.h>
#include <sys/types.h>

typedef struct __sFILE FILE;
typedef off_t fpos_t;

extern FILE *__stdinp, *__stdoutp, *__stderrp;
#define stdin  __stdinp
#define stdout __stdoutp
#define stderr __stderrp

#define EOF       (-1)
#define BUFSIZ    1024
#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_HOLE 3
#define SEEK_DATA 4
#define _IOFBF    0
#define _IOLBF    1
#define _IONBF    2

#define DARWIN_FORMAT(kind, at, first) __attribute__((format(kind, at, first)))

int printf(const char *format, ...) DARWIN_FORMAT(printf, 1, 2);
int fprintf(FILE *file, const char *format, ...) DARWIN_FORMAT(printf, 2, 3);
int dprintf(int fd, const char *format, ...) DARWIN_FORMAT(printf, 2, 3);
int sprintf(char *to, const char *format, ...) DARWIN_FORMAT(printf, 2, 3);
int snprintf(char *to, size_t room, const char *format, ...) DARWIN_FORMAT(printf, 3, 4);
int asprintf(char **ret_text, const char *format, ...) DARWIN_FORMAT(printf, 2, 3);
int vprintf(const char *format, va_list ap) DARWIN_FORMAT(printf, 1, 0);
int vfprintf(FILE *file, const char *format, va_list ap) DARWIN_FORMAT(printf, 2, 0);
int vdprintf(int fd, const char *format, va_list ap) DARWIN_FORMAT(printf, 2, 0);
int vsnprintf(char *to, size_t room, const char *format, va_list ap) DARWIN_FORMAT(printf, 3, 0);
int vasprintf(char **ret_text, const char *format, va_list ap) DARWIN_FORMAT(printf, 2, 0);
int sscanf(const char *text, const char *format, ...) DARWIN_FORMAT(scanf, 2, 3);
int fscanf(FILE *file, const char *format, ...) DARWIN_FORMAT(scanf, 2, 3);

FILE *fopen(const char *path, const char *mode);
FILE *fdopen(int fd, const char *mode);
FILE *freopen(const char *path, const char *mode, FILE *file);
FILE *tmpfile(void);
FILE *popen(const char *command, const char *mode);
int pclose(FILE *file);
FILE *fmemopen(void *bytes, size_t size, const char *mode);
FILE *open_memstream(char **ret_text, size_t *ret_size);
int fclose(FILE *file);
int fflush(FILE *file);
int fileno(FILE *file);
int ferror(FILE *file);
int feof(FILE *file);
void clearerr(FILE *file);
int setvbuf(FILE *file, char *buffer, int mode, size_t size);
size_t fread(void *to, size_t size, size_t n, FILE *file);
size_t fwrite(const void *from, size_t size, size_t n, FILE *file);
int fseek(FILE *file, long offset, int whence);
int fseeko(FILE *file, off_t offset, int whence);
long ftell(FILE *file);
off_t ftello(FILE *file);
void rewind(FILE *file);
int fgetc(FILE *file);
int getc(FILE *file);
int getchar(void);
int ungetc(int c, FILE *file);
int fputc(int c, FILE *file);
int putc(int c, FILE *file);
int putchar(int c);
char *fgets(char *to, int room, FILE *file);
int fputs(const char *text, FILE *file);
int puts(const char *text);
ssize_t getline(char **line, size_t *room, FILE *file);
ssize_t getdelim(char **line, size_t *room, int end, FILE *file);
void perror(const char *text);
int remove(const char *path);
int rename(const char *from, const char *to);
int renameat(int from_folder, const char *from, int to_folder, const char *to);
void flockfile(FILE *file);
void funlockfile(FILE *file);

#endif
