/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of back end "user": settings, sockets, and the frames' way. */
#ifndef TENON_NET_USER_H
#define TENON_NET_USER_H

#include <arpa/inet.h>
#include <slirp/libslirp.h>

#include "net.h"

/* ---- net_user_conf.c ---- */

struct user_conf {
	struct in_addr network, mask, host, dns, dhcp;
};

struct user_forward {
	bool udp;
	struct in_addr host, guest; /* guest 0.0.0.0: the first address that DHCP gives */
	uint16_t host_port, guest_port;
};

/* From the settings; says what is wrong. */
int user_conf_read(const struct net *n, struct user_conf *ret_conf);
int user_forward_read(const struct net *n, const char *text, struct user_forward *ret_forward);

/* ---- net_user_poll.c: libslirp's sockets in the device's loop ---- */

struct user_socket {
	struct tenon_watch *watch; /* NULL = not in the loop */
	uint32_t watched;          /* TENON_FD_* asked for */
	uint32_t wanted;           /* as of this round */
	uint32_t happened;         /* since the last turn */
	bool live;                 /* in the list */
};

struct user_poll {
	struct net *net;
	Slirp *slirp;
	struct user_socket *sockets; /* by descriptor */
	int *live;                   /* descriptors of those that are in use */
	size_t room, n_live;
	struct tenon_timer *turn;
	bool running;
	bool active; /* something happened since the last timeout */
	bool paused; /* the guest is behind: read nothing more from the sockets */
};

int user_poll_init(struct user_poll *u, struct net *n);
void user_poll_finish(struct user_poll *u);
void user_poll_start(struct user_poll *u);
void user_poll_stop(struct user_poll *u);
void user_poll_soon(struct user_poll *u); /* a turn in this round of the loop */
void user_poll_pause(struct user_poll *u, bool on);
void user_poll_forget(struct user_poll *u, int fd); /* it is about to be closed */

/* libslirp keeps some of its state for the whole process: one instance at a time. */
void user_lock(void);
void user_unlock(void);

#endif
