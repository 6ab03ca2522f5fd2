/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State.  Connections end with the process that holds their sockets: the guest of a device that was
 * loaded is told that the transport was reset (5.10.6.7), closes them and reads its address anew.
 */
#include "vsock.h"

#define TAG_CID 1u

#define EVENT_SIZE            4u
#define EVENT_TRANSPORT_RESET 0u

const struct tenon_state *vsock_state;

int vsock_save(struct tenon_dev *dev, struct tenon_state_w *w)
{
	const struct vsock *v = vsock_host->priv(dev);

	return vsock_state->put_u64(w, TAG_CID, v->cid);
}

int vsock_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version)
{
	struct vsock *v = vsock_host->priv(dev);
	uint64_t cid = v->cid;
	uint8_t config[8];
	int ret = vsock_state->get_u64(r, TAG_CID, &cid);

	(void)version;
	if (ret < 0)
		return ret;
	if (cid != v->cid)
		tenon_logf(vsock_host, dev, TENON_LOG_INFO,
			"the guest's address was %llu and is now %llu", (unsigned long long)cid,
			(unsigned long long)v->cid);
	v->reset_due = v->active;
	put_le(config, v->cid, sizeof(config));
	return vsock_virtio->config_set(dev, 0, config, sizeof(config));
}

void vsock_tell_reset(struct vsock *v)
{
	struct tenon_vq *vq = vsock_virtio->queue(v->dev, QUEUE_EVENT);
	uint8_t event[EVENT_SIZE];
	struct tenon_chain chain;
	uint32_t n;

	if (!v->reset_due || !v->active || v->quiesced || vsock_virtio->pop(vq, &chain) <= 0)
		return;
	put_le(event, EVENT_TRANSPORT_RESET, sizeof(event));
	n = (uint32_t)tenon_iov_from_buf(chain.in, chain.n_in, 0, event, sizeof(event));
	v->reset_due = n < sizeof(event); /* one that is too small is no event */
	vsock_virtio->push(vq, &chain, n);
	vsock_virtio->notify(vq);
}
