/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing the process of the VM.
 *
 * Everything that may fail or allocate is prepared by the main thread; entering is a handful of
 * system calls on each thread.  vCPUs enter as they start; iothreads, the first thread of the pool
 * and the main thread when all is built.
 */
#include "core/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/plugin.h>

#include "core/device.h"
#include "core/error.h"
#include "core/event_loop.h"
#include "core/log.h"
#include "core/sandbox_parts.h"

#define MOST_ARENAS 16

/* A loop of its own for some devices: what they need, and no more. */
struct iothread_filter {
	const struct event_loop *loop;
	struct sandbox_filter filter;
};

struct sandbox {
	enum sandbox_mode mode;
	uint64_t needs; /* of all devices */
	uint64_t keep;  /* capabilities */
	int ruleset;    /* -1: the host has no Landlock */
	struct sandbox_filter filters[SANDBOX_KINDS];
	struct iothread_filter *iothreads;
	size_t n_iothreads;
	atomic_flag told; /* what the host cannot do */
};

/* ---- what is granted ---- */

/* @loop NULL: to all devices. */
static int collect(
	struct sandbox_grant *grant, struct tenon_dev *devices, const struct event_loop *loop)
{
	for (const struct tenon_dev *d = devices; d; d = d->next) {
		const char *const *list = sandbox_syscalls(d->cls);
		const char *const **grown;

		if (loop && d->loop != loop)
			continue;
		grant->needs |= sandbox_needs(d->cls);
		if (!list)
			continue;
		grown = reallocarray(grant->lists, grant->n_lists + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		grant->lists = grown;
		grown[grant->n_lists++] = list;
	}
	return 0;
}

static int build(struct sandbox *s, struct sandbox_filter *filter, enum sandbox_kind kind,
	struct tenon_dev *devices, const struct event_loop *loop, bool pool, struct error *err)
{
	struct sandbox_grant grant = { .kind = kind, .logs = s->mode == SANDBOX_LOG };
	struct sandbox_filter *vcpu = NULL;
	int ret = kind == SANDBOX_VCPU ? 0 : collect(&grant, devices, loop);

	/* Of the pool one starts the next; a program of its own would cost a third more. */
	if (kind == SANDBOX_LOOP && pool)
		grant.needs |= TENON_NEEDS_THREADS;
	/* Half the work is the same; but a vCPU starts no threads. */
	if (kind == SANDBOX_LOOP && !(grant.needs & (TENON_NEEDS_THREADS | TENON_NEEDS_PROCESSES)))
		vcpu = &s->filters[SANDBOX_VCPU];
	if (ret < 0)
		(void)error_set(err, EXIT_HOST, ret, "out of memory for the sandbox");
	else
		ret = sandbox_filter_build(filter, &grant, s->mode, vcpu, err);
	if (!loop)
		s->needs |= grant.needs & ~TENON_NEEDS_THREADS;
	free(grant.lists);
	return ret;
}

static int build_iothreads(struct sandbox *s, struct tenon_dev *devices,
	const struct event_loop *main_loop, struct error *err)
{
	int ret = 0;

	for (const struct tenon_dev *d = devices; d && ret == 0; d = d->next) {
		struct iothread_filter *grown;
		bool known = d->loop == main_loop;

		for (size_t i = 0; i < s->n_iothreads; i++)
			known |= s->iothreads[i].loop == d->loop;
		if (known)
			continue;
		grown = reallocarray(s->iothreads, s->n_iothreads + 1, sizeof(*grown));
		if (!grown)
			return error_set(err, EXIT_HOST, -ENOMEM, "out of memory for the sandbox");
		s->iothreads = grown;
		grown[s->n_iothreads] = (struct iothread_filter){ .loop = d->loop };
		ret = build(s, &grown[s->n_iothreads++].filter, SANDBOX_IOTHREAD, devices, d->loop,
			false, err);
	}
	return ret;
}

static int open_paths(struct sandbox *s, struct tenon_dev *devices, struct error *err)
{
	struct sandbox_paths paths = { NULL, 0 };
	int ret = 0;

	for (struct tenon_dev *d = devices; d && ret == 0; d = d->next)
		ret = sandbox_paths_add(&paths, d);
	if (ret < 0)
		(void)error_set(err, EXIT_HOST, ret, "out of memory for the sandbox");
	else
		s->ruleset = sandbox_landlock_create(paths.at, paths.n, s->needs, false);
	sandbox_paths_free(&paths);
	if (ret == 0 && s->ruleset < 0)
		log_msg(LOG_LEVEL_INFO,
			"sandbox: this host has no Landlock (%s): files are not restricted",
			strerror(-s->ruleset));
	return ret;
}

int sandbox_create(enum sandbox_mode mode, struct tenon_dev *devices,
	const struct event_loop *main_loop, bool pool, struct sandbox **ret_sandbox,
	struct error *err)
{
	struct sandbox *s;
	int ret;

	*ret_sandbox = NULL;
	if (mode != SANDBOX_OFF && !SANDBOX_BUILT)
		log_msg(LOG_LEVEL_DEBUG, "sandbox: it is off in a build with sanitizers");
	if (mode == SANDBOX_OFF || !SANDBOX_BUILT)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory for the sandbox");
	/* Else the allocator would count CPUs, in a file, when threads are many. */
	(void)mallopt(M_ARENA_MAX, MOST_ARENAS);
	*s = (struct sandbox){ .mode = mode, .ruleset = -1, .told = ATOMIC_FLAG_INIT };
	ret = build(s, &s->filters[SANDBOX_LOOP], SANDBOX_LOOP, devices, NULL, pool, err);
	if (ret == 0 && !s->filters[SANDBOX_VCPU].n)
		ret = build(s, &s->filters[SANDBOX_VCPU], SANDBOX_VCPU, devices, NULL, false, err);
	if (ret == 0)
		ret = build_iothreads(s, devices, main_loop, err);
	if (ret == 0 && mode == SANDBOX_ON)
		ret = open_paths(s, devices, err);
	if (ret == 0) {
		ret = mode == SANDBOX_ON ? sandbox_report_arm() : sandbox_report_listen();
		if (ret < 0)
			(void)error_set(err, error_exit_code(ret), ret,
				"cannot prepare the sandbox: %s", strerror(-ret));
	}
	if (ret < 0) {
		sandbox_destroy(s);
		return ret;
	}
	/* Whose file it is does not matter to a privileged user; Landlock still does. */
	s->keep = 1ull << CAP_DAC_OVERRIDE;
	if (s->needs & TENON_NEEDS_NETWORK)
		s->keep |= 1ull << CAP_NET_BIND_SERVICE;
	*ret_sandbox = s;
	return 0;
}

/* ---- entering ---- */

static void tell(struct sandbox *s, const char *what, int ret)
{
	if (!atomic_flag_test_and_set(&s->told))
		log_msg(LOG_LEVEL_WARN, "sandbox: this host cannot %s: %s", what, strerror(-ret));
}

static const struct sandbox_filter *filter_of(
	const struct sandbox *s, enum sandbox_kind kind, const struct event_loop *loop)
{
	for (size_t i = 0; kind == SANDBOX_IOTHREAD && i < s->n_iothreads; i++)
		if (s->iothreads[i].loop == loop)
			return &s->iothreads[i].filter;
	return &s->filters[kind == SANDBOX_WORK ? SANDBOX_LOOP : kind];
}

void sandbox_enter(struct sandbox *s, enum sandbox_kind kind, const struct event_loop *loop)
{
	const struct sandbox_filter *filter;
	int ret;

	if (!s)
		return;
	sandbox_report_thread(kind);
	ret = sandbox_drop_privileges(s->mode == SANDBOX_ON ? s->keep : UINT64_MAX);
	if (ret < 0)
		tell(s, "take privileges away", ret);
	if (s->ruleset >= 0) {
		ret = sandbox_landlock_enter(s->ruleset);
		if (ret < 0)
			tell(s, "restrict files", ret);
	}
	filter = filter_of(s, kind, loop);
	ret = filter->n ? sandbox_filter_load(filter, s->mode, false, kind) : 0;
	if (ret < 0)
		tell(s, "filter system calls", ret);
}

void sandbox_destroy(struct sandbox *s)
{
	if (!s)
		return;
	for (int i = 0; i < SANDBOX_KINDS; i++)
		sandbox_filter_free(&s->filters[i]);
	for (size_t i = 0; i < s->n_iothreads; i++)
		sandbox_filter_free(&s->iothreads[i].filter);
	free(s->iothreads);
	if (s->ruleset >= 0)
		(void)close(s->ruleset);
	free(s);
}
