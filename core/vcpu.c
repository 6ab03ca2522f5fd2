/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPU threads.
 *
 * All threads follow one `wanted` state under one lock.  A thread that is not to run is parked:
 * it waits on `changed` and counts in `parked`.  Resetting is done by the parked threads
 * themselves, because some backends bind a vCPU to the thread that made it: the main thread raises
 * `epoch`, each thread resets its vCPU once per epoch and counts itself in `done`.
 */
#include "core/vcpu.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "core/backend.h"
#include "core/bus.h"
#include "core/error.h"
#include "core/log.h"
#include "core/machine.h"
#include "core/platform.h"
#include "core/signals.h"
#include "core/vcpu_dump.h"
#include "core/vcpu_private.h"

#define CPUID_ROOM 256

/* ---- start state ---- */

static int set_cpuid(struct vcpu *v, struct backend_error *berr)
{
	const struct vcpus_config *c = &v->vcpus->config;
	struct backend_cpuid *entries;
	size_t n = v->vcpus->n_cpuid;
	int ret;

	if (!c->arch->cpuid || n == 0)
		return 0;
	entries = calloc(CPUID_ROOM, sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	memcpy(entries, v->vcpus->cpuid, n * sizeof(*entries));
	ret = c->arch->cpuid(c->machine, v->index, entries, &n, CPUID_ROOM);
	if (ret == 0)
		ret = c->ops->vcpu_set_cpuid(v->backend, entries, n, berr);
	free(entries);
	return ret;
}

static int set_state(struct vcpu *v, struct backend_error *berr)
{
	const struct vcpus_config *c = &v->vcpus->config;
	struct arch_vcpu_state state = { .n_regs = 0 };
	int ret = c->arch->vcpu_state(c->gm, c->loaded, c->machine, v->index, &state);

	if (ret == 0 && state.n_msrs)
		ret = c->ops->vcpu_set_msrs(v->backend, state.msrs, state.n_msrs, berr);
	if (ret == 0 && state.n_regs)
		ret = c->ops->vcpu_set_regs(v->backend, state.regs, state.n_regs, berr);
	return ret;
}

/* What the boot tables say of all vCPUs is asked of the first. */
static void read_facts(struct vcpu *v)
{
	const struct vcpus_config *c = &v->vcpus->config;
	const uint32_t *ids = v->index == 0 ? c->arch->facts : NULL;

	for (; ids && *ids && v->vcpus->n_facts < MACHINE_MAX_FACTS; ids++) {
		struct backend_reg fact = { .id = *ids };

		if (c->ops->vcpu_get_regs(v->backend, &fact, 1) == 0)
			v->vcpus->facts[v->vcpus->n_facts++] = fact;
	}
}

static int fail(struct vcpu *v, const struct backend_error *berr, const char *what, int ret,
	struct error *err)
{
	return error_set(err, EXIT_HOST, ret, "vcpu %u: cannot %s: %s", v->index, what,
		berr->text[0] ? berr->text : strerror(-ret));
}

static int create(struct vcpu *v, struct error *err)
{
	const struct vcpus_config *c = &v->vcpus->config;
	struct backend_error berr = { "" };
	struct backend_vcpu *backend;
	int ret = c->ops->vcpu_create(c->vm, v->index, &backend, &berr);

	if (ret < 0)
		return fail(v, &berr, "create it", ret, err);
	(void)pthread_mutex_lock(&v->vcpus->lock);
	v->backend = backend;
	(void)pthread_mutex_unlock(&v->vcpus->lock);
	ret = set_cpuid(v, &berr);
	if (ret < 0)
		return fail(v, &berr, "set its CPUID", ret, err);
	read_facts(v);
	return 0;
}

static int reset(struct vcpu *v, struct error *err)
{
	const struct vcpus_config *c = &v->vcpus->config;
	struct backend_error berr = { "" };
	/* The first time the vCPU is as it was created. */
	int ret = v->epoch > 1 ? c->ops->vcpu_reset(v->backend, &berr) : 0;

	if (ret < 0)
		return fail(v, &berr, "reset it", ret, err);
	ret = set_state(v, &berr);
	if (ret < 0)
		return fail(v, &berr, "set its start state", ret, err);
	(void)pthread_mutex_lock(&v->vcpus->lock);
	vcpu_host_reset(v);
	(void)pthread_mutex_unlock(&v->vcpus->lock);
	return 0;
}

/* ---- exits ---- */

void vcpu_request(struct vcpu *v, enum vcpu_request what, const char *text)
{
	vcpus_ask_pause(v->vcpus);
	v->vcpus->config.request(v->vcpus->config.opaque, what, v->index, text);
}

/* The registers go to the log, a line at a time; the sentence is the request's. */
static void request_with_dump(struct vcpu *v, enum vcpu_request what, const char *text)
{
	const struct vcpus_config *c = &v->vcpus->config;
	char regs[1536], *rest = regs, *line;

	vcpu_dump(c->ops, v->backend, c->arch->isa, regs, sizeof(regs));
	while ((line = strsep(&rest, "\n")) && *line)
		log_msg(LOG_LEVEL_ERR, "vcpu %u: %s", v->index, line);
	vcpu_request(v, what, text);
}

static void access_bus(struct bus *bus, struct vcpu_exit *exit)
{
	if (exit->bus.write)
		(void)bus_write(bus, exit->bus.address, exit->bus.size, exit->bus.value);
	else
		(void)bus_read(bus, exit->bus.address, exit->bus.size, &exit->bus.value);
}

/* Waits for an interrupt of a vCPU that the backend cannot let wait itself; true when it is to park
 * instead. */
static bool wait_halted(struct vcpu *v)
{
	struct vcpus *all = v->vcpus;
	bool park;

	(void)pthread_mutex_lock(&all->lock);
	while (all->wanted == RUNNING && !v->interrupted)
		(void)pthread_cond_wait(&all->changed, &all->lock);
	v->interrupted = false;
	park = all->wanted != RUNNING;
	(void)pthread_mutex_unlock(&all->lock);
	return park;
}

/* True when the vCPU is not to go on: it stopped itself, and the VM pauses. */
static bool serve_call(struct vcpu *v, struct vcpu_exit *exit)
{
	const struct arch *arch = v->vcpus->config.arch;

	exit->call.ret[0] = UINT64_MAX; /* NOT_SUPPORTED in PSCI */
	exit->call.ret[1] = 0;
	if (arch->call)
		arch->call(&v->host, exit);
	return !vcpu_host_ready(v);
}

static void serve_sysreg(struct vcpu *v, struct vcpu_exit *exit)
{
	const struct vcpus_config *c = &v->vcpus->config;

	exit->sysreg.handled = false;
	if (c->irqchip && c->arch->irqchip->sysreg &&
		c->arch->irqchip->sysreg(c->irqchip, v->index, exit))
		return;
	if (c->arch->sysreg)
		c->arch->sysreg(&v->host, exit);
}

/* The first such exit of a machine that has no controller of the core's is the last. */
static bool serve_line(struct vcpu *v, const struct vcpu_exit *exit)
{
	const struct vcpus_config *c = &v->vcpus->config;
	int ret = -ENOTSUP;
	char text[128];

	if (c->irqchip && c->arch->irqchip->own_line)
		ret = c->arch->irqchip->own_line(
			c->irqchip, v->index, exit->line.number, exit->line.level);
	if (ret == 0)
		return false;
	(void)snprintf(text, sizeof(text),
		"the hypervisor changed its interrupt line %u, which there is not: %s",
		exit->line.number, strerror(-ret));
	request_with_dump(v, VCPU_REQUEST_FAILED, text);
	return true;
}

/* True when the thread should look whether it is to park. */
static bool handle(struct vcpu *v, struct vcpu_exit *exit)
{
	const struct vcpus_config *c = &v->vcpus->config;

	switch (exit->kind) {
	case VCPU_MMIO:
		access_bus(c->mmio, exit);
		return false;
	case VCPU_PIO:
		access_bus(c->pio, exit);
		return false;
	case VCPU_CALL:
		return serve_call(v, exit);
	case VCPU_SYSREG:
		serve_sysreg(v, exit);
		return false;
	case VCPU_LINE:
		return serve_line(v, exit);
	case VCPU_INTERRUPTED:
		return true;
	case VCPU_HALTED:
		return wait_halted(v);
	case VCPU_OFF:
		vcpu_request(v, VCPU_REQUEST_OFF, "");
		return true;
	case VCPU_RESET:
		vcpu_request(v, VCPU_REQUEST_RESET, "");
		return true;
	case VCPU_DEAD:
		request_with_dump(v, VCPU_REQUEST_DEAD, exit->text);
		return true;
	case VCPU_FAILED:
		request_with_dump(v, VCPU_REQUEST_FAILED, exit->text);
		return true;
	}
	request_with_dump(v, VCPU_REQUEST_FAILED, "the hypervisor reported an unknown exit");
	return true;
}

static void note_first_exit(struct vcpu *v)
{
	const struct vcpus_config *c = &v->vcpus->config;

	v->exited = true;
	if (v->index == 0 && c->first_exit)
		c->first_exit(c->opaque);
}

static void run(struct vcpu *v)
{
	struct vcpu_exit exit = { .kind = VCPU_INTERRUPTED };

	if (!vcpu_host_ready(v))
		return;
	for (;;) {
		int ret;

		exit.text[0] = '\0';
		ret = v->vcpus->config.ops->vcpu_run(v->backend, &exit);
		if (!v->exited)
			note_first_exit(v);
		if (ret < 0 && exit.kind != VCPU_FAILED) {
			exit.kind = VCPU_FAILED;
			(void)snprintf(exit.text, sizeof(exit.text), "running it failed: %s",
				strerror(-ret));
		}
		if (handle(v, &exit))
			return;
	}
}

/* ---- the thread ---- */

/* Acknowledges an epoch; the lock is held. */
static void done(struct vcpu *v, int ret, const struct error *err)
{
	struct vcpus *all = v->vcpus;

	if (ret < 0 && all->failed == 0) {
		all->failed = ret;
		all->err = *err;
	}
	all->done++;
	(void)pthread_cond_signal(&all->settled);
}

/* Parks until there is something to run; false at the end. */
static bool park(struct vcpu *v)
{
	struct vcpus *all = v->vcpus;
	bool first = false, go_on;

	(void)pthread_mutex_lock(&all->lock);
	all->parked++;
	(void)pthread_cond_signal(&all->settled);
	while (all->wanted == PARKED) {
		struct error err = { .text = "" };
		int ret;

		if (v->epoch == all->epoch) {
			(void)pthread_cond_wait(&all->changed, &all->lock);
			continue;
		}
		v->epoch = all->epoch;
		(void)pthread_mutex_unlock(&all->lock);
		ret = reset(v, &err);
		(void)pthread_mutex_lock(&all->lock);
		done(v, ret, &err);
	}
	all->parked--;
	if (all->wanted == RUNNING && v->index == 0 && !all->ran)
		first = all->ran = true;
	go_on = all->wanted == RUNNING;
	(void)pthread_mutex_unlock(&all->lock);
	if (first && all->config.first_run)
		all->config.first_run(all->config.opaque);
	return go_on;
}

/* A kick may come till the end: the pointer goes first. */
static void destroy(struct vcpu *v)
{
	struct backend_vcpu *backend;

	(void)pthread_mutex_lock(&v->vcpus->lock);
	backend = v->backend;
	v->backend = NULL;
	(void)pthread_mutex_unlock(&v->vcpus->lock);
	v->vcpus->config.ops->vcpu_destroy(backend);
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	struct vcpus *all = v->vcpus;
	struct error err = { .text = "" };
	char name[16];
	int ret;

	(void)snprintf(name, sizeof(name), "vcpu %u", v->index);
	platform_name_thread(name);
	if (all->config.enter)
		all->config.enter(all->config.opaque);
	ret = create(v, &err);
	(void)pthread_mutex_lock(&all->lock);
	done(v, ret, &err);
	(void)pthread_mutex_unlock(&all->lock);
	while (park(v))
		run(v);
	destroy(v);
	return NULL;
}

static int start_thread(struct vcpu *v)
{
	sigset_t old;
	int ret;

	/* Signals are the main loop's business; backends unblock what their kick needs. */
	signals_block(&old);
	ret = pthread_create(&v->thread, NULL, vcpu_main, v);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	v->has_thread = ret == 0;
	return -ret;
}

/* ---- all of them ---- */

static int read_cpuid(struct vcpus *all, struct error *err)
{
	const struct vcpus_config *c = &all->config;
	int ret;

	if (!c->arch->cpuid || !c->ops->cpuid_supported)
		return 0;
	all->cpuid = calloc(CPUID_ROOM, sizeof(*all->cpuid));
	if (!all->cpuid)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory for CPUID");
	all->n_cpuid = CPUID_ROOM;
	ret = c->ops->cpuid_supported(c->vm, all->cpuid, &all->n_cpuid);
	if (ret < 0)
		all->n_cpuid = 0;
	if (ret == -ENOTSUP)
		return 0;
	return ret < 0 ? error_set(err, EXIT_HOST, ret, "cannot ask the hypervisor for CPUID: %s",
				 strerror(-ret))
		       : 0;
}

/* Waits until @n threads acknowledged; hands on what failed. */
static int wait_done(struct vcpus *all, uint32_t n, struct error *err)
{
	int ret;

	(void)pthread_mutex_lock(&all->lock);
	while (all->done < n)
		(void)pthread_cond_wait(&all->settled, &all->lock);
	all->done = 0;
	ret = all->failed;
	all->failed = 0;
	(void)pthread_mutex_unlock(&all->lock);
	if (ret < 0)
		return error_set(err, all->err.exit_code, ret, "%s", all->err.text);
	return 0;
}

static int start_threads(struct vcpus *all, struct error *err)
{
	uint32_t started = 0;
	int ret = 0;

	for (uint32_t i = 0; i < all->n && ret == 0; i++) {
		struct vcpu *v = &all->vcpu[i];

		*v = (struct vcpu){ .vcpus = all, .index = i };
		vcpu_host_init(v);
		ret = start_thread(v);
		if (ret < 0)
			(void)error_set(err, EXIT_HOST, ret,
				"vcpu %u: cannot create its thread: %s", i, strerror(-ret));
		else
			started++;
	}
	if (wait_done(all, started, err) < 0 && ret == 0)
		ret = -EIO;
	return ret;
}

int vcpus_create(const struct vcpus_config *config, struct vcpus **ret_vcpus, struct error *err)
{
	uint32_t n = config->machine->vcpus;
	struct vcpus *all = calloc(1, sizeof(*all) + n * sizeof(struct vcpu));
	int ret;

	if (!all)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory for %u vcpus", n);
	all->config = *config;
	all->n = n;
	(void)pthread_mutex_init(&all->lock, NULL);
	(void)pthread_cond_init(&all->changed, NULL);
	(void)pthread_cond_init(&all->settled, NULL);
	ret = read_cpuid(all, err);
	if (ret == 0)
		ret = start_threads(all, err);
	if (ret < 0) {
		vcpus_destroy(all);
		return ret;
	}
	*ret_vcpus = all;
	return 0;
}

void vcpus_facts(const struct vcpus *vcpus, struct machine *machine)
{
	machine->n_facts = vcpus->n_facts;
	memcpy(machine->facts, vcpus->facts, sizeof(machine->facts));
}

static void want(struct vcpus *all, enum wanted wanted)
{
	(void)pthread_mutex_lock(&all->lock);
	if (all->wanted != ENDED)
		all->wanted = wanted;
	(void)pthread_cond_broadcast(&all->changed);
	if (wanted != RUNNING)
		for (uint32_t i = 0; i < all->n; i++)
			if (all->vcpu[i].backend)
				all->config.ops->vcpu_kick(all->vcpu[i].backend);
	(void)pthread_mutex_unlock(&all->lock);
}

int vcpus_reset(struct vcpus *vcpus, struct error *err)
{
	(void)pthread_mutex_lock(&vcpus->lock);
	vcpus->epoch++;
	(void)pthread_cond_broadcast(&vcpus->changed);
	(void)pthread_mutex_unlock(&vcpus->lock);
	return wait_done(vcpus, vcpus->n, err);
}

void vcpus_resume(struct vcpus *vcpus)
{
	want(vcpus, RUNNING);
}

void vcpus_ask_pause(struct vcpus *vcpus)
{
	want(vcpus, PARKED);
}

void vcpus_pause(struct vcpus *vcpus)
{
	want(vcpus, PARKED);
	(void)pthread_mutex_lock(&vcpus->lock);
	while (vcpus->parked < vcpus->n)
		(void)pthread_cond_wait(&vcpus->settled, &vcpus->lock);
	(void)pthread_mutex_unlock(&vcpus->lock);
}

void vcpus_destroy(struct vcpus *vcpus)
{
	if (!vcpus)
		return;
	want(vcpus, ENDED);
	for (uint32_t i = 0; i < vcpus->n; i++)
		if (vcpus->vcpu[i].has_thread)
			(void)pthread_join(vcpus->vcpu[i].thread, NULL);
	(void)pthread_cond_destroy(&vcpus->settled);
	(void)pthread_cond_destroy(&vcpus->changed);
	(void)pthread_mutex_destroy(&vcpus->lock);
	free(vcpus->cpuid);
	free(vcpus);
}
