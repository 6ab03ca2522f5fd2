/* SPDX-License-Identifier: Apache-2.0 */
/* wait(2). */
#ifndef TENON_DARWIN_SYS_WAIT_H
#define TENON_DARWIN_SYS_WAIT_H

#include <signal.h>
#include <sys/types.h>

#define WNOHANG   0x01
#define WUNTRACED 0x02
#define WEXITED   0x04
#define WNOWAIT   0x20

#define WIFEXITED(s)   (((s)&0177) == 0)
#define WEXITSTATUS(s) (((s) >> 8) & 0xff)
#define WIFSIGNALED(s) (((s)&0177) != 0177 && ((s)&0177) != 0)
#define WTERMSIG(s)    ((s)&0177)

typedef enum { P_ALL, P_PID, P_PGID } idtype_t;

pid_t wait(int *ret_status);
pid_t waitpid(pid_t pid, int *ret_status, int options);
int waitid(idtype_t type, id_t id, siginfo_t *ret_info, int options);

#endif
