/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration that the driver sees: the back end's, or what the settings declare, with the
 * number of queues that there are.
 */
#include <errno.h>
#include <string.h>

#include "vu.h"

#define FS_TAG_SIZE 36u

static int from_peer(struct vu *vu)
{
	if (vu->config_size == 0)
		return 0;
	if (!peer_has(&vu->peer, VHOST_USER_PROTOCOL_F_CONFIG))
		return peer_fail(&vu->peer, -ENOTSUP,
			"it has no configuration to offer; declare one with \"%s\"",
			strcmp(vu->kind.name ? vu->kind.name : "", "fs") == 0 ? "tag" : "config");
	return peer_get_config(&vu->peer, vu->config, vu->config_size);
}

int config_fetch(struct vu *vu)
{
	int ret = 0;

	memset(vu->config, 0, sizeof(vu->config));
	if (vu->is_declared)
		memcpy(vu->config, vu->declared, vu->config_size);
	else if (vu->tag)
		(void)memcpy(vu->config, vu->tag, strnlen(vu->tag, FS_TAG_SIZE));
	else
		ret = from_peer(vu);
	if (ret == 0 && vu->n_queues)
		kind_set_count(&vu->kind, vu->config, vu->peer.features, vu->n_queues);
	return ret;
}

int config_refresh(struct vu *vu)
{
	uint8_t old[VU_MAX_CONFIG];
	int ret;

	vu->peer.config_changed = false;
	if (vu->is_declared || vu->tag)
		return 0;
	memcpy(old, vu->config, sizeof(old));
	ret = config_fetch(vu);
	if (ret < 0)
		memcpy(vu->config, old, sizeof(old)); /* the driver keeps what it knows */
	else if (vu->config_size > 0)
		(void)virtio->config_set(vu->dev, 0, vu->config, vu->config_size);
	return ret;
}
