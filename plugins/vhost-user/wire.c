/* SPDX-License-Identifier: Apache-2.0 */
/* What a message of the peer must look like to be believed. */
#include "wire.h"

#include <unistd.h>

#define MAX_INFLIGHT (1ull << 30)

const char *wire_check_header(const struct vhost_user_header *head)
{
	if ((head->flags & VHOST_USER_FLAG_VERSION) != VHOST_USER_VERSION)
		return "a message of another version of the protocol";
	if (head->size > VHOST_USER_MAX_PAYLOAD)
		return "a message that is too long";
	return NULL;
}

/* Of the replies that have one size; 0 = any. */
static uint32_t reply_size(uint32_t request)
{
	switch (request) {
	case VHOST_USER_GET_CONFIG:
	case VHOST_USER_GET_INFLIGHT_FD:
		return 0;
	case VHOST_USER_GET_VRING_BASE:
		return sizeof(struct vhost_user_vring_state);
	default: /* numbers and acknowledgements */
		return sizeof(uint64_t);
	}
}

const char *wire_check_reply(const struct wire_msg *msg, uint32_t request)
{
	uint32_t size = reply_size(request);

	if (!(msg->head.flags & VHOST_USER_FLAG_REPLY))
		return "a request where an answer was due";
	if (msg->head.request != request)
		return "the answer to another request";
	if (size && msg->head.size != size)
		return "an answer of the wrong size";
	if (msg->n_fds != 0 && request != VHOST_USER_GET_INFLIGHT_FD)
		return "descriptors with an answer that has none";
	return NULL;
}

const char *wire_check_config(const struct wire_msg *msg, uint32_t size)
{
	const struct vhost_user_config *c = &msg->p.config;

	if (msg->head.size == 0 || (msg->head.size >= VHOST_USER_CONFIG_HEAD && c->size == 0))
		return "no configuration of the size that such a device has";
	if (msg->head.size != VHOST_USER_CONFIG_HEAD + size || c->size != size || c->offset != 0)
		return "another part of the configuration than was asked for";
	return NULL;
}

const char *wire_check_inflight(const struct wire_msg *msg)
{
	const struct vhost_user_inflight *i = &msg->p.inflight;

	/* With or without the padding at its end. */
	if (msg->head.size != sizeof(*i) && msg->head.size != 20)
		return "a description of requests in flight of the wrong size";
	if (msg->n_fds != 1)
		return "no descriptor for requests in flight";
	if (i->size == 0 || i->size > MAX_INFLIGHT || i->fd_offset > INT64_MAX - MAX_INFLIGHT)
		return "memory for requests in flight of a size that cannot be";
	return NULL;
}

const char *wire_check_backend(const struct wire_msg *msg)
{
	if (msg->head.flags & VHOST_USER_FLAG_REPLY)
		return "an answer that nobody asked for";
	if (msg->head.request == VHOST_USER_BACKEND_CONFIG_CHANGE_MSG && msg->head.size != 0)
		return "a change of the configuration with a payload";
	return NULL;
}

void wire_drop_fds(struct wire_msg *msg)
{
	while (msg->n_fds > 0)
		(void)close(msg->fds[--msg->n_fds]);
}
