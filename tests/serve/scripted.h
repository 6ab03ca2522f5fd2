/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A front end that follows a script, at the other end of a socket pair, and a driver in its memory;
 * one at a time.  What cannot be fails the test.
 */
#ifndef TENON_TESTS_SERVE_SCRIPTED_H
#define TENON_TESTS_SERVE_SCRIPTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/serve/lent.h"

#include <cmocka.h> /* last: it has a macro named fail */

#define GPA     0x10000ull
#define USER    0x7f0000000000ull
#define SIZE    0x10000ull
#define BASE    (1ull << 32) /* VERSION_1 */
#define WITH_PF (BASE | VHOST_USER_F_PROTOCOL_FEATURES)
#define P(name) (1ull << VHOST_USER_PROTOCOL_F_##name)
#define NEED    VHOST_USER_FLAG_NEED

/* Where the driver's rings and buffers are, from the beginning of memory. */
#define DESC(q)  (0x400ull * (q))
#define AVAIL(q) (DESC(q) + 0x100u)
#define USED(q)  (DESC(q) + 0x200u)
#define BUFFER   0x1000ull

struct bed {
	struct lent lent;
	int fd;     /* the front end's end; -1 = closed */
	int memory; /* memfd */
	uint8_t *at;
	int kick[2], call[2], err[2];
	struct serve_message got;
	int n_fds;
};

extern struct bed bed;

#define BED_TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)

int bed_setup(void **state);
int bed_teardown(void **state);
/* A memfd of SIZE bytes, mapped at @ret_at; the caller's, as is the mapping.  -1 when it cannot be.
 */
int make_memory(uint8_t **ret_at);

/* ---- messages ---- */

void send_raw(uint32_t request, uint32_t flags, const void *payload, uint32_t size, const int *fds,
	uint32_t n_fds);
void say(uint32_t request, const void *payload, uint32_t size);
void say_u64(uint32_t request, uint64_t value);
void say_state(uint32_t request, uint32_t index, uint32_t number);
void say_fd(uint32_t request, uint64_t value, int fd);
/* The next message, in bed.got with bed.n_fds descriptors; its size. */
ssize_t hear(void);
uint64_t ask_u64(uint32_t request);
uint32_t ask_base(uint32_t index);
/* Whether the back end has ended the connection. */
bool is_closed(void);

/* ---- a front end, step by step ---- */

void connect_front_end(void);
void hang_up(void);
void negotiate(uint64_t protocol);
void share_memory(void);
void set_ring(uint32_t q, uint32_t base);
void start_ring(uint32_t q);
/* All of it, for ring 0. */
void bring_up(uint64_t protocol);
/* The record of requests in flight: asks for one, whose descriptor is the caller's; hands it over.
 */
int get_ledger(struct vhost_user_inflight *is);
void set_ledger(const struct vhost_user_inflight *is, int fd);

/* ---- a driver ---- */

void put16(uint64_t at, uint16_t value);
uint16_t get16(uint64_t at);
void offer(uint32_t q, uint16_t head, uint8_t value);
void kick(uint32_t q);
bool was_signalled(int fd);
/* Offers a chain, and wants it back with its answer and a call. */
void serves_a_chain(uint32_t q, uint16_t head, uint8_t value);

#endif
