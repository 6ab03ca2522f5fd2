/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest's calls to its firmware (PSCI, SBI) ask of the vCPUs.
 *
 * A vCPU that is started is reset and given its registers by its own thread, because some backends
 * bind a vCPU to the thread that made it: whoever starts it writes down the registers and sets
 * ARCH_VCPU_STARTING.  One that stops or suspends itself only says so; its thread sees it before it
 * would enter the guest again, and waits.  The call that it made is never completed: the reset
 * drops it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/vcpu_private.h"

static struct vcpu *caller(const struct arch_host *host)
{
	return (struct vcpu *)((uintptr_t)host - offsetof(struct vcpu, host));
}

static struct vcpu *numbered(const struct arch_host *host, uint32_t index)
{
	struct vcpus *all = caller(host)->vcpus;

	return index < all->n ? &all->vcpu[index] : NULL;
}

/* ---- registers of the caller ---- */

static int host_set_regs(const struct arch_host *host, const struct backend_reg *regs, size_t n)
{
	const struct vcpu *v = caller(host);
	struct backend_error berr;

	return v->vcpus->config.ops->vcpu_set_regs(v->backend, regs, n, &berr);
}

static int host_get_regs(const struct arch_host *host, struct backend_reg *regs, size_t n)
{
	const struct vcpu *v = caller(host);

	return v->vcpus->config.ops->vcpu_get_regs(v->backend, regs, n);
}

/* ---- power ---- */

static void note_start(struct vcpu *v, const struct backend_reg *regs, size_t n)
{
	v->n_start_regs = n < ARCH_START_REGS ? n : ARCH_START_REGS;
	memcpy(v->start_regs, regs, v->n_start_regs * sizeof(*regs));
}

static int host_start(
	const struct arch_host *host, uint32_t index, const struct backend_reg *regs, size_t n)
{
	struct vcpu *v = numbered(host, index);
	int ret = 0;

	if (!v)
		return -EINVAL;
	(void)pthread_mutex_lock(&v->vcpus->lock);
	if (v->power != ARCH_VCPU_STOPPED) {
		ret = -EALREADY;
	} else {
		note_start(v, regs, n);
		v->power = ARCH_VCPU_STARTING;
		(void)pthread_cond_broadcast(&v->vcpus->changed);
	}
	(void)pthread_mutex_unlock(&v->vcpus->lock);
	return ret;
}

static void leave(struct vcpu *v, enum arch_vcpu_power power)
{
	(void)pthread_mutex_lock(&v->vcpus->lock);
	v->power = power;
	(void)pthread_mutex_unlock(&v->vcpus->lock);
}

static void host_stop(const struct arch_host *host)
{
	leave(caller(host), ARCH_VCPU_STOPPED);
}

static void host_suspend(const struct arch_host *host, const struct backend_reg *regs, size_t n)
{
	struct vcpu *v = caller(host);

	note_start(v, regs, n);
	leave(v, ARCH_VCPU_SUSPENDED);
}

static int host_power(const struct arch_host *host, uint32_t index)
{
	struct vcpu *v = numbered(host, index);
	int ret;

	if (!v)
		return -EINVAL;
	(void)pthread_mutex_lock(&v->vcpus->lock);
	ret = (int)v->power;
	(void)pthread_mutex_unlock(&v->vcpus->lock);
	return ret;
}

void vcpu_host_reset(struct vcpu *v)
{
	bool waits = v->index > 0 && v->vcpus->config.calls;

	v->power = waits ? ARCH_VCPU_STOPPED : ARCH_VCPU_STARTED;
	v->interrupted = false;
	v->lines = 0;
}

/* The lock is held; false when the thread is to park. */
static bool wait_for_start(struct vcpu *v)
{
	struct vcpus *all = v->vcpus;

	while (all->wanted == RUNNING) {
		if (v->power == ARCH_VCPU_STARTED || v->power == ARCH_VCPU_STARTING)
			return true;
		if (v->power == ARCH_VCPU_SUSPENDED && v->lines)
			return true;
		(void)pthread_cond_wait(&all->changed, &all->lock);
	}
	return false;
}

static int begin(struct vcpu *v, const struct backend_reg *regs, size_t n)
{
	const struct backend_ops *ops = v->vcpus->config.ops;
	struct backend_error berr = { "" };
	int ret = ops->vcpu_reset(v->backend, &berr);
	char text[400];

	if (ret == 0)
		ret = ops->vcpu_set_regs(v->backend, regs, n, &berr);
	if (ret == 0)
		return 0;
	(void)snprintf(text, sizeof(text), "cannot start it: %.300s",
		berr.text[0] ? berr.text : strerror(-ret));
	vcpu_request(v, VCPU_REQUEST_FAILED, text);
	return ret;
}

bool vcpu_host_ready(struct vcpu *v)
{
	struct backend_reg regs[ARCH_START_REGS];
	size_t n = 0;
	bool go_on, start;

	(void)pthread_mutex_lock(&v->vcpus->lock);
	go_on = wait_for_start(v);
	start = go_on && v->power != ARCH_VCPU_STARTED;
	if (start) {
		n = v->n_start_regs;
		memcpy(regs, v->start_regs, n * sizeof(regs[0]));
		v->power = ARCH_VCPU_STARTED;
	}
	(void)pthread_mutex_unlock(&v->vcpus->lock);
	return start ? begin(v, regs, n) == 0 : go_on;
}

/* ---- between vCPUs ---- */

/* The lock is held. */
static void note_line(struct vcpu *v, uint32_t line, bool level)
{
	const uint64_t bit = line < 64 ? UINT64_C(1) << line : 0;

	if (!level) {
		v->lines &= ~bit;
		return;
	}
	v->lines |= bit;
	v->interrupted = true;
	(void)pthread_cond_broadcast(&v->vcpus->changed);
}

int vcpus_interrupt(struct vcpus *all, uint32_t index, uint32_t line, bool level)
{
	const struct backend_ops *ops = all->config.ops;
	int ret = -ENOTSUP;

	if (index >= all->n)
		return -EINVAL;
	(void)pthread_mutex_lock(&all->lock);
	if (all->vcpu[index].backend && ops->vcpu_interrupt)
		ret = ops->vcpu_interrupt(all->vcpu[index].backend, line, level);
	note_line(&all->vcpu[index], line, level);
	(void)pthread_mutex_unlock(&all->lock);
	return ret;
}

static int host_interrupt(const struct arch_host *host, uint32_t index, uint32_t line, bool level)
{
	return vcpus_interrupt(caller(host)->vcpus, index, line, level);
}

/* Under the lock, so that the vCPU does not go away meanwhile; nobody inside vcpu_run wants it. */
static int host_fence(const struct arch_host *host, uint32_t index, uint32_t what)
{
	struct vcpu *v = numbered(host, index);
	const struct backend_ops *ops;
	int ret = -ENOTSUP;

	if (!v)
		return -EINVAL;
	ops = v->vcpus->config.ops;
	(void)pthread_mutex_lock(&v->vcpus->lock);
	if (v->backend && ops->vcpu_fence)
		ret = ops->vcpu_fence(v->backend, what);
	(void)pthread_mutex_unlock(&v->vcpus->lock);
	return ret;
}

/* ---- the machine ---- */

static void host_system(const struct arch_host *host, enum arch_system_event event)
{
	vcpu_request(
		caller(host), event == ARCH_SYSTEM_OFF ? VCPU_REQUEST_OFF : VCPU_REQUEST_RESET, "");
}

static size_t host_console(const struct arch_host *host, const void *bytes, size_t size)
{
	const struct vcpus_config *c = &caller(host)->vcpus->config;

	return c->console ? c->console(c->opaque, bytes, size) : size;
}

void vcpu_host_init(struct vcpu *v)
{
	const struct vcpus_config *c = &v->vcpus->config;

	v->host = (struct arch_host){
		.vcpu = v->index,
		.vcpus = v->vcpus->n,
		.machine = c->machine,
		.gm = c->gm,
		.set_regs = host_set_regs,
		.get_regs = host_get_regs,
		.start = host_start,
		.stop = host_stop,
		.suspend = host_suspend,
		.power = host_power,
		.interrupt = host_interrupt,
		.fence = host_fence,
		.system = host_system,
		.console = host_console,
	};
}
