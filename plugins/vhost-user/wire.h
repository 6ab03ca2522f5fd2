/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of the vhost-user protocol: what goes over the socket, and whether what came may be
 * believed.  The peer is hostile: nothing of a message is looked at before it was checked here.
 */
#ifndef VHOST_USER_WIRE_H
#define VHOST_USER_WIRE_H

#include <stdint.h>

#include <tenon/vhost_user.h>

union wire_payload {
	uint64_t number;
	struct vhost_user_vring_state state;
	struct vhost_user_vring_addr addr;
	struct vhost_user_memory memory;
	struct vhost_user_memory_one memory_one;
	struct vhost_user_config config;
	struct vhost_user_inflight inflight;
	uint8_t bytes[VHOST_USER_MAX_PAYLOAD];
};

struct wire_msg {
	struct vhost_user_header head;
	union wire_payload p;
	int fds[VHOST_USER_MAX_FDS]; /* owned by whoever received it */
	unsigned n_fds;
};

/* Each: NULL, or a sentence's end that says what is wrong ("the back end sent ..."). */
const char *wire_check_header(const struct vhost_user_header *head);
/* @msg is whole; @request is what was asked. */
const char *wire_check_reply(const struct wire_msg *msg, uint32_t request);
/* A reply to GET_CONFIG of @size bytes from 0 on. */
const char *wire_check_config(const struct wire_msg *msg, uint32_t size);
const char *wire_check_inflight(const struct wire_msg *msg);
/* A request of the back end's own. */
const char *wire_check_backend(const struct wire_msg *msg);

/* Closes the descriptors that came along. */
void wire_drop_fds(struct wire_msg *msg);

/*
 * Sends or receives one whole message before @deadline_ms of the host's monotonic clock.  0, or
 * -ETIMEDOUT, -EPROTO, -ECONNRESET at the end of the connection, or what the system says, with the
 * reason in *@ret_why.
 */
int wire_send(int fd, const struct wire_msg *msg, int64_t deadline_ms, const char **ret_why);
int wire_receive(int fd, struct wire_msg *ret_msg, int64_t deadline_ms, const char **ret_why);
/* The host's monotonic clock: peers live in real time, whatever the guest's does. */
int64_t wire_now_ms(void);
/* Waits until one of the descriptors can be read, -1 = none: its number, or -ETIMEDOUT. */
int wire_wait(int a, int b, int64_t deadline_ms);

#endif
