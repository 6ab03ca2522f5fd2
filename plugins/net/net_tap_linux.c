/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back end "tap": a TAP interface of Linux, by name or as a descriptor.
 *
 * With the kernel's virtio header a frame goes between guest memory and the kernel in one call, and
 * checksums and segmentation are left to whoever does them best: towards the interface the kernel
 * takes all that it knows; towards the guest it sends only what TUNSETOFFLOAD accepted and the
 * driver negotiated.  A descriptor without that header does without.  With more than one queue each
 * pair has a descriptor of its own, of which those that the driver does not use are detached.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "net.h"

struct tap {
	char interface[IFNAMSIZ];
	uint64_t offloads; /* as the driver wants them */
	bool multi_queue;
	bool attached[NET_MAX_PAIRS];
};

/* Guest features and what they are called here; checksums first, the rest needs them. */
static const struct {
	uint64_t feature;
	unsigned flag;
} tap_offloads[] = {
	{ NET_F_GUEST_CSUM, TUN_F_CSUM },
	{ NET_F_GUEST_TSO4, TUN_F_TSO4 },
	{ NET_F_GUEST_TSO6, TUN_F_TSO6 },
	{ NET_F_GUEST_ECN, TUN_F_TSO_ECN },
	{ NET_F_GUEST_UFO, TUN_F_UFO },
};

#define N_OFFLOADS (sizeof(tap_offloads) / sizeof(tap_offloads[0]))

/* ---- offloads ---- */

static unsigned tun_flags(uint64_t features)
{
	unsigned flags = 0;

	if (!(features & NET_F_GUEST_CSUM))
		return 0;
	for (size_t i = 0; i < N_OFFLOADS; i++)
		if (features & tap_offloads[i].feature)
			flags |= tap_offloads[i].flag;
	/* ECN alone means nothing and is refused. */
	return flags & (TUN_F_TSO4 | TUN_F_TSO6) ? flags : flags & ~(unsigned)TUN_F_TSO_ECN;
}

static int set_flags(int fd, unsigned flags)
{
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)flags) < 0 ? -errno : 0;
}

/* What the interface can be told to send; leaves it with none. */
static uint64_t ask_offloads(int fd)
{
	uint64_t found = 0;

	for (size_t i = 0; i < N_OFFLOADS; i++)
		if (set_flags(fd, tun_flags(found | tap_offloads[i].feature)) == 0)
			found |= tap_offloads[i].feature;
	return set_flags(fd, 0) == 0 ? found : 0;
}

static uint32_t interface_mtu(const struct tap *t)
{
	struct ifreq r = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return NET_MTU;
	memcpy(r.ifr_name, t->interface, sizeof(r.ifr_name));
	ret = ioctl(fd, SIOCGIFMTU, &r);
	(void)close(fd);
	return ret < 0 || r.ifr_mtu <= 0 ? NET_MTU : (uint32_t)r.ifr_mtu;
}

/* The longest frame there may be, and one byte by which a longer one shows. */
static void set_longest(struct net *n, const struct tap *t)
{
	uint32_t mtu = interface_mtu(t);
	size_t size = (mtu > n->mtu ? mtu : n->mtu) + NET_ETHERNET + NET_VLAN + 1;

	if (t->offloads & (NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_GUEST_UFO))
		size = NET_MAX_FRAME;
	n->max_frame = size < NET_MAX_FRAME ? size : NET_MAX_FRAME;
}

static int tap_set_offloads(struct net *n, uint64_t offloads)
{
	struct tap *t = n->state;
	int ret = 0;

	if (n->vnet_header)
		ret = set_flags(n->pairs[0].fd, tun_flags(offloads)); /* all queues share them */
	if (ret < 0)
		return ret;
	t->offloads = offloads;
	set_longest(n, t);
	return 0;
}

/* ---- opening ---- */

/* The header is as long as ours and little-endian. */
static int set_header(int fd)
{
	const int size = NET_HEADER, on = 1;

	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
		return -errno;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return ioctl(fd, TUNSETVNETLE, &on) < 0 ? -errno : 0;
#else
	(void)ioctl(fd, TUNSETVNETLE, &on); /* it is so already */
	return 0;
#endif
}

static int open_queue(struct tap *t)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), ret;

	if (fd < 0)
		return -errno;
	if (t->multi_queue)
		r.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(r.ifr_name, t->interface, sizeof(r.ifr_name));
	ret = ioctl(fd, TUNSETIFF, &r) < 0 ? -errno : set_header(fd);
	if (ret < 0) {
		(void)close(fd);
		return ret;
	}
	memcpy(t->interface, r.ifr_name, sizeof(t->interface));
	return fd;
}

static void close_queues(struct net *n)
{
	for (unsigned i = 0; i < n->n_pairs; i++)
		net_pair_close_fd(&n->pairs[i]);
}

static int open_queues(struct net *n)
{
	struct tap *t = n->state;

	for (unsigned i = 0; i < n->n_pairs; i++) {
		int fd = open_queue(t);

		if (fd == -EINVAL && n->n_pairs == 1 && !t->multi_queue) {
			t->multi_queue = true; /* it was made with it */
			fd = open_queue(t);
		}
		if (fd < 0) {
			close_queues(n);
			return fd;
		}
		n->pairs[i].fd = fd;
		t->attached[i] = true;
	}
	return 0;
}

static const char *advice(int err)
{
	switch (err) {
	case -ENOENT:
		return " (there is no /dev/net/tun: modprobe tun)";
	case -EPERM:
		return " (make it for this user: ip tuntap add NAME mode tap user USER)";
	case -EBUSY:
		return " (another program has it)";
	case -EINVAL:
		return " (it is no tap interface, or was made without or with multi_queue)";
	default:
		return "";
	}
}

static int open_named(struct net *n)
{
	struct tap *t = n->state;
	int ret;

	if (strlen(n->interface) >= sizeof(t->interface))
		return tenon_failf(net_host, n->dev, -ENAMETOOLONG,
			"\"%s\" is too long for the name of an interface", n->interface);
	memcpy(t->interface, n->interface, strlen(n->interface) + 1);
	t->multi_queue = n->n_pairs > 1;
	n->vnet_header = true;
	ret = open_queues(n);
	if (ret < 0)
		return tenon_failf(net_host, n->dev, ret, "cannot use the interface \"%s\": %s%s",
			n->interface, strerror(-ret), advice(ret));
	return 0;
}

static int adopt(struct net *n)
{
	struct tap *t = n->state;
	struct ifreq r = { .ifr_flags = 0 };
	int fd, flags;

	if (ioctl(n->conf_fd, TUNGETIFF, &r) < 0)
		return tenon_failf(net_host, n->dev, -errno, "descriptor %d is no tap: %s",
			n->conf_fd, strerror(errno));
	if (!(r.ifr_flags & IFF_TAP) || !(r.ifr_flags & IFF_NO_PI))
		return tenon_failf(net_host, n->dev, -EPROTOTYPE,
			"descriptor %d is a tun, or a tap that was opened without IFF_NO_PI",
			n->conf_fd);
	fd = fcntl(n->conf_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return tenon_failf(net_host, n->dev, -errno, "cannot use descriptor %d: %s",
			n->conf_fd, strerror(errno));
	n->pairs[0].fd = fd;
	t->attached[0] = true;
	memcpy(t->interface, r.ifr_name, sizeof(t->interface));
	n->vnet_header = r.ifr_flags & IFF_VNET_HDR;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		(n->vnet_header && set_header(fd) < 0))
		return tenon_failf(
			net_host, n->dev, -EINVAL, "cannot set up the tap \"%s\"", t->interface);
	return 0;
}

static int tap_open(struct net *n)
{
	uint64_t found;
	int ret = n->interface ? open_named(n) : adopt(n);

	if (ret < 0 || !n->vnet_header)
		return ret;
	found = ask_offloads(n->pairs[0].fd);
	n->offers |= found | NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 | NET_F_HOST_ECN;
	if (found & NET_F_GUEST_UFO)
		n->offers |= NET_F_HOST_UFO;
	if (found)
		n->offers |= NET_F_CTRL_GUEST_OFFLOADS;
	return 0;
}

static void tap_close(struct net *n)
{
	(void)n; /* the pairs' descriptors are all there is */
}

/* ---- queues ---- */

static int attach(struct net *n, unsigned i, bool on)
{
	struct tap *t = n->state;
	struct ifreq r = { .ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	if (t->attached[i] == on)
		return 0;
	if (ioctl(n->pairs[i].fd, TUNSETQUEUE, &r) < 0)
		return -errno;
	t->attached[i] = on;
	return 0;
}

static int tap_set_pairs(struct net *n, unsigned pairs)
{
	for (unsigned i = 0; i < n->n_pairs; i++) {
		int ret;

		if (n->n_pairs == 1)
			break;
		/* One that is detached is not to be read: it says that it is broken. */
		if (i >= pairs)
			net_pair_unwatch(&n->pairs[i]);
		ret = attach(n, i, i < pairs);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int tap_activate(struct net *n, uint64_t features)
{
	struct tap *t = n->state;
	int ret;

	t->offloads = features & NET_GUEST_OFFLOADS;
	if (n->lost)
		return 0; /* reconnecting sees to it */
	ret = tap_set_offloads(n, t->offloads);
	return ret < 0 ? ret : tap_set_pairs(n, 1);
}

/* The interface was removed: only one that somebody made anew is taken. */
static int tap_reconnect(struct net *n)
{
	struct tap *t = n->state;
	int ret;

	if (if_nametoindex(n->interface) == 0)
		return -ENODEV;
	ret = open_queues(n);
	if (ret == 0)
		ret = tap_set_offloads(n, t->offloads);
	if (ret == 0)
		ret = tap_set_pairs(n, n->cur_pairs);
	if (ret < 0)
		close_queues(n);
	return ret;
}

/* ---- frames ---- */

static ssize_t tap_next(struct net_pair *p)
{
	return (ssize_t)p->net->max_frame;
}

static ssize_t tap_read(struct net_pair *p, struct iovec *iov, unsigned n)
{
	size_t header = p->net->vnet_header ? NET_HEADER : 0;
	ssize_t got;

	do {
		got = readv(p->fd, iov, (int)n);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
		return 0;
	if (got < 0)
		return errno == EFAULT || errno == EINVAL ? -EMSGSIZE : -errno;
	/* The kernel cuts what does not fit and does not say so. */
	if ((size_t)got < header || (size_t)got - header >= p->net->max_frame)
		return -EMSGSIZE;
	return got - (ssize_t)header;
}

static ssize_t write_frame(struct net_pair *p, struct net_frame *f)
{
	struct iovec iov[NET_TX_PIECES + 1];
	unsigned n = 0;
	ssize_t ret;

	if (p->net->vnet_header)
		iov[n++] = (struct iovec){ f->header, NET_HEADER };
	memcpy(&iov[n], f->iov, f->n * sizeof(*iov));
	n += f->n;
	do {
		ret = writev(p->fd, iov, (int)n);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

static int tap_send(struct net_pair *p, struct net_frame *frames, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ssize_t ret = write_frame(p, &frames[i]);

		if (ret == -EAGAIN) {
			p->tx_blocked = true;
			return (int)i;
		}
		if (ret == -EBADFD || ret == -ENODEV || ret == -ENXIO)
			return i > 0 ? (int)i : (int)ret;
		if (ret < 0)
			net_drop(p->net, DROP_TX_REFUSED);
	}
	return (int)n;
}

const struct net_backend net_tap = {
	.name = "tap",
	.state_size = sizeof(struct tap),
	.open = tap_open,
	.close = tap_close,
	.activate = tap_activate,
	.next = tap_next,
	.read = tap_read,
	.send = tap_send,
	.set_offloads = tap_set_offloads,
	.set_pairs = tap_set_pairs,
	.reconnect = tap_reconnect,
};
