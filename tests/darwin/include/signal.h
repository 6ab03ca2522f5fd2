/* SPDX-License-Identifier: Apache-2.0 */
/* sigaction(2): no real-time signals, and no way to wait for one for a time. */
#ifndef TENON_DARWIN_SIGNAL_H
#define TENON_DARWIN_SIGNAL_H

#include <sys/types.h>

#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGFPE    8
#define SIGKILL   9
#define SIGBUS    10
#define SIGSEGV   11
#define SIGSYS    12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGURG    16
#define SIGSTOP   17
#define SIGTSTP   18
#define SIGCONT   19
#define SIGCHLD   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGIO     23
#define SIGXCPU   24
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGINFO   29
#define SIGUSR1   30
#define SIGUSR2   31
#define NSIG      32

typedef int sig_atomic_t;
typedef uint32_t sigset_t;

union sigval {
	int sival_int;
	void *sival_ptr;
};

typedef struct siginfo {
	int si_signo, si_errno, si_code;
	pid_t si_pid;
	uid_t si_uid;
	int si_status;
	void *si_addr;
	union sigval si_value;
	long si_band;
} siginfo_t;

struct sigaction {
	union {
		void (*handler)(int number);
		void (*action)(int number, siginfo_t *info, void *context);
	} __sigaction_u;
	sigset_t sa_mask;
	int sa_flags;
};

#define sa_handler   __sigaction_u.handler
#define sa_sigaction __sigaction_u.action

#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
#define SIG_ERR ((void (*)(int)) - 1)

#define SA_ONSTACK   0x0001
#define SA_RESTART   0x0002
#define SA_RESETHAND 0x0004
#define SA_NODEFER   0x0010
#define SA_SIGINFO   0x0040

#define SIG_BLOCK   1
#define SIG_UNBLOCK 2
#define SIG_SETMASK 3

void (*signal(int number, void (*handler)(int)))(int);
int raise(int number);
int kill(pid_t pid, int number);
int sigaction(int number, const struct sigaction *new, struct sigaction *ret_old);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int number);
int sigdelset(sigset_t *set, int number);
int sigismember(const sigset_t *set, int number);
int sigpending(sigset_t *ret_set);
int sigprocmask(int how, const sigset_t *set, sigset_t *ret_old);
int sigwait(const sigset_t *set, int *ret_number);
struct _pthread;
int pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_old);
int pthread_kill(struct _pthread *thread, int number);

#endif
