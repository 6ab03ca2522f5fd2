/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/vhost_user.h - the messages of the vhost-user protocol.
 *
 * Two programs share a virtio device over a unix stream socket: the front end has the guest, the
 * back end has the device.  The front end sends the guest's memory and the rings as descriptors and
 * addresses; after that both work on the rings in place.  The numbers and layouts are those of the
 * protocol's specification ("Vhost-user Protocol"); all of them travel in the host's byte order,
 * and a message is a header and at most VHOST_USER_MAX_PAYLOAD bytes, with up to
 * VHOST_USER_MAX_FDS descriptors beside it.
 *
 * This header has no functions: it is for whoever writes either end.
 */
#ifndef TENON_VHOST_USER_H
#define TENON_VHOST_USER_H

#include <stdint.h>

#define VHOST_USER_VERSION      1u
#define VHOST_USER_FLAG_VERSION 0x3u      /* mask */
#define VHOST_USER_FLAG_REPLY   (1u << 2) /* this answers a request */
#define VHOST_USER_FLAG_NEED    (1u << 3) /* an answer is wanted (REPLY_ACK): u64, 0 = done */
#define VHOST_USER_MAX_FDS      8u        /* of SET_MEM_TABLE: one for each region */
#define VHOST_USER_MAX_CONFIG   256u      /* bytes of one GET_CONFIG or SET_CONFIG */
#define VHOST_USER_MAX_PAYLOAD  4096u
#define VHOST_USER_MAX_SHM      256u

/* Feature bits of the virtio space that belong to the protocol. */
#define VHOST_USER_F_LOG_ALL           (1ull << 26) /* mark what is written in the dirty log */
#define VHOST_USER_F_PROTOCOL_FEATURES (1ull << 30) /* the second set of features is there */

/* Protocol features, as bit numbers. */
enum {
	VHOST_USER_PROTOCOL_F_MQ = 0,
	VHOST_USER_PROTOCOL_F_LOG_SHMFD = 1,
	VHOST_USER_PROTOCOL_F_RARP = 2,
	VHOST_USER_PROTOCOL_F_REPLY_ACK = 3,
	VHOST_USER_PROTOCOL_F_MTU = 4,
	VHOST_USER_PROTOCOL_F_BACKEND_REQ = 5,
	VHOST_USER_PROTOCOL_F_CROSS_ENDIAN = 6,
	VHOST_USER_PROTOCOL_F_CRYPTO_SESSION = 7,
	VHOST_USER_PROTOCOL_F_PAGEFAULT = 8,
	VHOST_USER_PROTOCOL_F_CONFIG = 9,
	VHOST_USER_PROTOCOL_F_BACKEND_SEND_FD = 10,
	VHOST_USER_PROTOCOL_F_HOST_NOTIFIER = 11,
	VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD = 12,
	VHOST_USER_PROTOCOL_F_RESET_DEVICE = 13,
	VHOST_USER_PROTOCOL_F_INBAND_NOTIFICATIONS = 14,
	VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS = 15,
	VHOST_USER_PROTOCOL_F_STATUS = 16,
	VHOST_USER_PROTOCOL_F_XEN_MMAP = 17,
	VHOST_USER_PROTOCOL_F_SHARED_OBJECT = 18,
	VHOST_USER_PROTOCOL_F_DEVICE_STATE = 19,
	VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT = 20,
	VHOST_USER_PROTOCOL_F_SHMEM = 21
};

/* Requests of the front end. */
enum {
	VHOST_USER_GET_FEATURES = 1, /* -> u64 */
	VHOST_USER_SET_FEATURES = 2, /* u64 */
	VHOST_USER_SET_OWNER = 3,
	VHOST_USER_RESET_OWNER = 4,            /* historical */
	VHOST_USER_SET_MEM_TABLE = 5,          /* memory, a descriptor for each region */
	VHOST_USER_SET_LOG_BASE = 6,           /* log and its descriptor; -> u64 with LOG_SHMFD */
	VHOST_USER_SET_LOG_FD = 7,             /* descriptor to signal when the log was written */
	VHOST_USER_SET_VRING_NUM = 8,          /* state: number of entries */
	VHOST_USER_SET_VRING_ADDR = 9,         /* addr */
	VHOST_USER_SET_VRING_BASE = 10,        /* state: the next avail index */
	VHOST_USER_GET_VRING_BASE = 11,        /* state -> state; stops the ring */
	VHOST_USER_SET_VRING_KICK = 12,        /* u64 of vring; starts the ring */
	VHOST_USER_SET_VRING_CALL = 13,        /* u64 of vring */
	VHOST_USER_SET_VRING_ERR = 14,         /* u64 of vring */
	VHOST_USER_GET_PROTOCOL_FEATURES = 15, /* -> u64 */
	VHOST_USER_SET_PROTOCOL_FEATURES = 16, /* u64 */
	VHOST_USER_GET_QUEUE_NUM = 17,         /* -> u64 */
	VHOST_USER_SET_VRING_ENABLE = 18,      /* state: 0 or 1 */
	VHOST_USER_SEND_RARP = 19,
	VHOST_USER_NET_SET_MTU = 20,
	VHOST_USER_SET_BACKEND_REQ_FD = 21, /* a socket for the back end's own requests */
	VHOST_USER_IOTLB_MSG = 22,
	VHOST_USER_SET_VRING_ENDIAN = 23,
	VHOST_USER_GET_CONFIG = 24, /* config -> config; size 0 in the answer = failed */
	VHOST_USER_SET_CONFIG = 25, /* config */
	VHOST_USER_CREATE_CRYPTO_SESSION = 26,
	VHOST_USER_CLOSE_CRYPTO_SESSION = 27,
	VHOST_USER_POSTCOPY_ADVISE = 28,
	VHOST_USER_POSTCOPY_LISTEN = 29,
	VHOST_USER_POSTCOPY_END = 30,
	VHOST_USER_GET_INFLIGHT_FD = 31, /* inflight -> inflight and its descriptor */
	VHOST_USER_SET_INFLIGHT_FD = 32, /* inflight and its descriptor */
	VHOST_USER_GPU_SET_SOCKET = 33,
	VHOST_USER_RESET_DEVICE = 34,
	VHOST_USER_VRING_KICK = 35,        /* in band */
	VHOST_USER_GET_MAX_MEM_SLOTS = 36, /* -> u64 */
	VHOST_USER_ADD_MEM_REG = 37,       /* memory_one and its descriptor */
	VHOST_USER_REM_MEM_REG = 38,       /* memory_one */
	VHOST_USER_SET_STATUS = 39,        /* u64 */
	VHOST_USER_GET_STATUS = 40,        /* -> u64 */
	VHOST_USER_GET_SHARED_OBJECT = 41,
	VHOST_USER_SET_DEVICE_STATE_FD = 42,
	VHOST_USER_CHECK_DEVICE_STATE = 43,
	VHOST_USER_GET_SHMEM_CONFIG = 44 /* -> shmem_config */
};

/* Requests of the back end, over the socket of SET_BACKEND_REQ_FD. */
enum {
	VHOST_USER_BACKEND_IOTLB_MSG = 1,
	VHOST_USER_BACKEND_CONFIG_CHANGE_MSG = 2,
	VHOST_USER_BACKEND_VRING_HOST_NOTIFIER_MSG = 3,
	VHOST_USER_BACKEND_VRING_CALL = 4,
	VHOST_USER_BACKEND_VRING_ERR = 5,
	VHOST_USER_BACKEND_SHARED_OBJECT_ADD = 6,
	VHOST_USER_BACKEND_SHARED_OBJECT_REMOVE = 7,
	VHOST_USER_BACKEND_SHARED_OBJECT_LOOKUP = 8,
	VHOST_USER_BACKEND_SHMEM_MAP = 9,   /* mmap and its descriptor */
	VHOST_USER_BACKEND_SHMEM_UNMAP = 10 /* mmap */
};

/* Before each message: 12 bytes. */
struct vhost_user_header {
	uint32_t request, flags;
	uint32_t size; /* of the payload that follows */
};

/* SET_VRING_KICK, _CALL and _ERR: bits 0..7 are the ring, bit 8 says that no descriptor comes. */
#define VHOST_USER_VRING_MASK 0xffu
#define VHOST_USER_VRING_NOFD (1u << 8)

struct vhost_user_vring_state {
	uint32_t index, number;
};

/* The addresses are the front end's own (user addresses), but for the log's. */
struct vhost_user_vring_addr {
	uint32_t index, flags; /* bit 0: log writes to the used ring at @log */
	uint64_t desc, used, avail, log;
};

struct vhost_user_memory_region {
	uint64_t gpa, size, user_address, fd_offset;
};

struct vhost_user_memory {
	uint32_t n_regions, padding;
	struct vhost_user_memory_region regions[VHOST_USER_MAX_FDS];
};

struct vhost_user_memory_one {
	uint64_t padding;
	struct vhost_user_memory_region region;
};

struct vhost_user_log {
	uint64_t size, fd_offset;
};

/* GET_CONFIG and SET_CONFIG: only @size bytes of @bytes travel. */
#define VHOST_USER_CONFIG_HEAD 12u
struct vhost_user_config {
	uint32_t offset, size, flags; /* flags: 0 = the driver's write, 1 = live migration */
	uint8_t bytes[VHOST_USER_MAX_CONFIG];
};

struct vhost_user_inflight {
	uint64_t size, fd_offset;
	uint16_t n_queues, queue_size;
};

/*
 * What the memory of GET_INFLIGHT_FD holds for a split ring: a head, then an entry for each
 * descriptor; the rings' parts follow one another, each rounded up to 64 bytes.
 */
struct vhost_user_inflight_desc {
	uint8_t inflight; /* 1: the back end has taken it and has not given it back */
	uint8_t padding[5];
	uint16_t next;    /* of the list that is being given back */
	uint64_t counter; /* in which order they were taken */
};

struct vhost_user_inflight_ring {
	uint64_t features;
	uint16_t version;  /* 1 */
	uint16_t desc_num; /* the ring's size */
	uint16_t last_batch_head, used_idx;
	/* then: struct vhost_user_inflight_desc desc[desc_num] */
};

struct vhost_user_shmem_config {
	uint32_t n_regions, padding; /* how many of the sizes are not 0 */
	uint64_t
		sizes[VHOST_USER_MAX_SHM]; /* by id; all of them travel; 0 = that id is not there */
};

struct vhost_user_mmap {
	uint8_t shmid, padding[7];
	uint64_t fd_offset, shm_offset, size, flags; /* flags: bit 0 = writable */
};

#endif
