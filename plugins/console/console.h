/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the console plugin.
 *
 *	console.c   the class: settings, life, what the driver asks of the device
 *	spec.c      one line of `ports` taken apart
 *	ports.c     a port: the data path between its two queues and its host side
 *	state.c     what is saved and loaded
 *	control.c   the control queues: which ports there are, who is at their ends
 *	stream.c    a host side that is a descriptor, or a pair of them
 *	port_*.c    the host sides, one each
 *
 * A port has two ends.  The guest's is open once the driver says so (without MULTIPORT: while there
 * is a driver); the host's while a peer is there, for some kinds always.  Input waits until the
 * guest's end is open and has buffers.  Output waits while the peer is slow and is dropped while
 * there is no peer: the guest is told and its programs wait by themselves.
 *
 * All of it runs on the device's loop under its lock.
 */
#ifndef TENON_PLUGINS_CONSOLE_H
#define TENON_PLUGINS_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tenon/tenon.h>

#define MAX_PORTS   31u /* 64 queues: 2 for each and 2 for control */
#define MOST_CHAINS 64u /* before others get their turn */
#define SECOND_NS   1000000000ull

struct console;
struct port;

/* ---- spec.c ---- */

struct port_spec {
	const struct port_backend *backend;
	char name[64]; /* "" = none */
	char *path;    /* owned; NULL = none */
	int in_fd, out_fd;
	bool listen, append, console;
};

/* Takes a line of `ports` apart; its paths start from @folder.  -EINVAL with a sentence in @why. */
int port_spec_parse(
	const char *text, const char *folder, struct port_spec *ret_spec, char *why, size_t room);
void port_spec_finish(struct port_spec *spec);

/* ---- host sides ---- */

struct port_backend {
	const char *word; /* what the line says */
	bool is_console;  /* always */
	bool is_sized;    /* a console has its size */
	int (*attach)(struct port *p);
	/* The machine starts; optional.  What is not for `tenon check` to do is done here. */
	int (*start)(struct port *p);
	void (*detach)(struct port *p); /* of half an attach, too */
	/* Takes what there is room for; port_writable() follows a short one.  Where nobody is at
	 * the host's end it takes everything. */
	size_t (*write)(struct port *p, const void *bytes, size_t size);
	/* The guest has room (1), or input must wait; not called back from within. */
	void (*want_input)(struct port *p, bool want);
	/* The guest's end was closed, and all that was written is out; optional. */
	void (*guest_closed)(struct port *p);
};

extern const struct port_backend port_terminal, port_file, port_socket, port_pty, port_pipe,
	port_fd;

/* A descriptor or two, read and written as there is room.  The descriptors are the owner's. */
struct stream {
	struct port *port;
	void (*closed)(struct port *port); /* the peer is gone, and all it said is read */
	int in, out;                       /* -1 = not there; may be the same */
	bool in_plain, out_plain;          /* files: never to be waited for */
	bool in_over, out_over, hung;
	bool wants, starved;
	bool failing; /* the last write to a file failed */
	uint32_t in_events, out_events;
	struct tenon_watch *in_watch, *out_watch;
};

int stream_open(
	struct stream *s, struct port *port, int in, int out, void (*closed)(struct port *port));
void stream_close(struct stream *s);
bool stream_is_open(const struct stream *s);
size_t stream_write(struct stream *s, const void *bytes, size_t size);
void stream_want_input(struct stream *s, bool want);

/* ---- ports.c ---- */

struct port {
	struct console *console;
	struct tenon_dev *dev;
	struct port_spec spec;
	uint32_t id;
	bool is_console;

	bool host_open, guest_open;
	bool closing; /* the guest's end is closed, and the host side is not told yet */
	bool holds;   /* tx is a chain that is not yet all out */
	struct tenon_chain tx;
	uint64_t written;    /* of it */
	uint64_t skip;       /* of the next one: what was out when the device was saved */
	bool moved, resized; /* loaded, and not yet started; and its size was another */
	bool again;          /* its turn comes once more */
	bool waiting;        /* for the peer to take the chain */
	bool stalled;        /* it did not, for long: a console goes on without it */
	struct tenon_timer *patience;

	bool sized, resize_due;
	uint32_t columns, rows;
	bool spoke,
		listened; /* without MULTIPORT: the size was told with the first output, input */

	/* control.c */
	bool ready;      /* the driver knows it */
	uint8_t pending; /* messages to send, TELL_... */
	bool told_open;
	bool bounced; /* closed and opened since the driver was told of an open port */

	/* the host side's */
	struct stream stream;
	int fd, other_fd;
	struct tenon_watch *watch;
	struct tenon_timer *retry;
	bool made, made_other; /* a name in the file system is ours */
	bool complained;
};

struct console {
	struct tenon_dev *dev;
	struct port *ports;
	uint32_t n_ports;
	bool wants_input; /* of the terminal, as configured */
	bool multi;       /* `ports` is set */
	bool multiport;   /* and the driver knows of it */
	bool quiesced;
	bool control_again;
	struct port *terminal_port;
	struct tenon_timer *turn; /* queues are to be looked at again */
};

extern const struct tenon_host *console_host;
extern const struct tenon_virtio *console_virtio;
extern const struct tenon_event *console_event;
extern const struct tenon_clock *console_clock;
extern const struct tenon_terminal *console_terminal;

/* "port 1 (agent)" */
#define PORT_LABEL_MAX 96u
const char *port_label(const struct port *p, char text[PORT_LABEL_MAX]);

/* The guest's output: goes on with it as far as it goes. */
void port_transmit(struct port *p);
/* There is room again. */
void port_writable(struct port *p);
/* The guest may have room for input. */
void port_want_input(struct port *p);
/* Hands bytes to the guest; returns how many it had room for. */
size_t port_input(struct port *p, const void *bytes, size_t size);

enum port_fill {
	FILL_EMPTY, /* the descriptor has no more for now */
	FILL_FULL,  /* the guest has no room, or takes nothing */
	FILL_TURN,  /* others first */
	FILL_END,
};

/* Reads @fd right into the guest's buffers. */
enum port_fill port_fill(struct port *p, int fd);

void port_host_open(struct port *p, bool open);
void port_guest_open(struct port *p, bool open);
void port_resized(struct port *p, uint32_t columns, uint32_t rows);
void port_tell_size(struct port *p);
void port_go_on_soon(struct port *p);
/* The turn of the port has come. */
void port_go_on(struct port *p);
/* The driver is gone. */
void port_reset(struct port *p);
int port_attach(struct port *p);
void port_detach(struct port *p);

/* ---- state.c ---- */

extern const struct tenon_state *console_state; /* NULL: save and load are not called */
int console_save(struct tenon_dev *dev, struct tenon_state_w *w);
int console_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version);
/* Tells the guest of one that was loaded what is another than it was. */
void port_moved(struct port *p);

/* ---- control.c ---- */

#define CONTROL_RX 2u
#define CONTROL_TX 3u

#define TELL_ADD     (1u << 0) /* in the order of sending */
#define TELL_CONSOLE (1u << 1)
#define TELL_NAME    (1u << 2)
#define TELL_SIZE    (1u << 3)
#define TELL_OPEN    (1u << 4)

/* Serves what the driver has sent. */
void control_receive(struct console *c);
/* Sends what is pending, as far as the driver has buffers. */
void control_flush(struct console *c);
void control_tell(struct port *p, uint8_t what);
/* The host's end was opened or closed. */
void control_tell_open(struct port *p);

static inline void put_le16(uint8_t *to, uint32_t value)
{
	value = value > 0xffff ? 0xffff : value;
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

#endif
