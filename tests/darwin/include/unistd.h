/* SPDX-License-Identifier: Apache-2.0 */
/* unistd.h of POSIX; no pipe2, no gettid, no fdatasync, no close_range. */
#ifndef TENON_DARWIN_UNISTD_H
#define TENON_DARWIN_UNISTD_H

#include <sys/types.h>

#define STDIN_FILENO  0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2

#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

#ifndef SEEK_SET
#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_HOLE 3
#define SEEK_DATA 4
#endif

#define _SC_OPEN_MAX         5
#define _SC_PAGESIZE         29
#define _SC_NPROCESSORS_CONF 57
#define _SC_NPROCESSORS_ONLN 58
#define _SC_PHYS_PAGES       200

extern char *optarg;
extern int optind, opterr, optopt;

int access(const char *path, int mode);
int faccessat(int folder, const char *path, int mode, int flags);
unsigned int alarm(unsigned int seconds);
int chdir(const char *path);
int chown(const char *path, uid_t uid, gid_t gid);
int close(int fd);
int dup(int fd);
int dup2(int fd, int to);
int execl(const char *path, const char *arg, ...);
int execlp(const char *path, const char *arg, ...);
int execv(const char *path, char *const argv[]);
int execve(const char *path, char *const argv[], char *const env[]);
int execvp(const char *path, char *const argv[]);
void _exit(int code) __attribute__((noreturn));
pid_t fork(void);
int fsync(int fd);
int ftruncate(int fd, off_t size);
int truncate(const char *path, off_t size);
char *getcwd(char *to, size_t room);
int getdtablesize(void);
uid_t getuid(void);
uid_t geteuid(void);
gid_t getgid(void);
gid_t getegid(void);
int getopt(int argc, char *const argv[], const char *shorts);
int getpeereid(int fd, uid_t *ret_uid, gid_t *ret_gid);
pid_t getpid(void);
pid_t getppid(void);
int isatty(int fd);
int issetugid(void);
int link(const char *from, const char *to);
off_t lseek(int fd, off_t offset, int whence);
int pause(void);
int pipe(int ret_ends[2]);
ssize_t pread(int fd, void *to, size_t size, off_t offset);
ssize_t pwrite(int fd, const void *from, size_t size, off_t offset);
ssize_t read(int fd, void *to, size_t size);
ssize_t readlink(const char *path, char *to, size_t room);
int rmdir(const char *path);
int setpgid(pid_t pid, pid_t group);
pid_t setsid(void);
unsigned int sleep(unsigned int seconds);
int symlink(const char *target, const char *path);
long sysconf(int what);
pid_t tcgetpgrp(int fd);
int tcsetpgrp(int fd, pid_t group);
int ttyname_r(int fd, char *name, size_t room);
char *ttyname(int fd);
int unlink(const char *path);
int unlinkat(int folder, const char *path, int flags);
int usleep(useconds_t us);
ssize_t write(int fd, const void *from, size_t size);

#endif
