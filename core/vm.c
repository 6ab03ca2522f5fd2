/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM in operation: requests of the guest and of people, reset in place, the end.
 *
 * Whoever asks only records what is wanted and pauses the vCPUs; the main loop does the rest.
 */
#include "core/vm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "core/config.h"
#include "core/event_loop.h"
#include "core/guest_memory.h"
#include "core/isolation.h"
#include "core/log.h"
#include "core/signals.h"
#include "core/terminal.h"
#include "core/timing.h"
#include "core/vcpu.h"

#define READER_NS 1000000000u

uint64_t vm_guest_ns(const struct vm *vm)
{
	uint64_t now = __atomic_load_n(&vm->pause_began_ns, __ATOMIC_ACQUIRE);

	if (now == 0)
		now = monotonic_ns();
	return now - __atomic_load_n(&vm->started_ns, __ATOMIC_RELAXED) -
	       __atomic_load_n(&vm->paused_ns, __ATOMIC_RELAXED);
}

/* ---- reset in place ---- */

static int quiesce_all(struct vm *vm, struct error *err)
{
	int ret = 0;

	for (struct tenon_dev *d = vm->devices; d && ret == 0; d = d->next)
		ret = device_quiesce(d, err);
	return ret;
}

static int resume_all(struct vm *vm, struct error *err)
{
	int ret = 0;

	for (struct tenon_dev *d = vm->devices; d && ret == 0; d = d->next)
		ret = device_resume(d, err);
	return ret;
}

static int reset_backend(struct vm *vm, struct error *err)
{
	struct backend_error berr = { "" };
	int ret =
		vm->backend->ops->vm_reset ? vm->backend->ops->vm_reset(vm->backend_vm, &berr) : 0;

	if (ret < 0 && ret != -ENOTSUP)
		return error_set(err, EXIT_HOST, ret, "cannot reset the machine: %s",
			berr.text[0] ? berr.text : strerror(-ret));
	return 0;
}

/* The vCPUs are parked. */
static int reset(struct vm *vm, struct error *err)
{
	int ret = quiesce_all(vm, err);

	if (ret < 0)
		return ret;
	for (struct tenon_dev *d = vm->devices; d; d = d->next)
		device_reset(d);
	if (vm->irqchip)
		vm->arch->irqchip->reset(vm->irqchip);
	ret = reset_backend(vm, err);
	if (ret == 0)
		ret = vm_write_boot_image(vm, err);
	if (ret == 0)
		ret = vcpus_reset(vm->vcpus, err);
	if (ret == 0)
		ret = resume_all(vm, err);
	return ret;
}

static void finish(struct vm *vm, int result)
{
	vm->result = result;
	event_loop_stop(vm->loop);
}

static void do_reset(struct vm *vm)
{
	int ret;

	timing_mark(vm->timing, "guest-reset", -1);
	if (vm->config->on_reboot == ON_REBOOT_EXIT) {
		finish(vm, 0);
		return;
	}
	log_msg(LOG_LEVEL_INFO, "the guest restarts");
	ret = reset(vm, vm->err);
	if (ret < 0) {
		finish(vm, ret);
		return;
	}
	(void)pthread_mutex_lock(&vm->request_lock);
	/* Somebody may want it gone by now, and has set the timer for that. */
	if (vm->request == VM_RESET)
		vm->request = VM_NONE;
	(void)pthread_mutex_unlock(&vm->request_lock);
	vcpus_resume(vm->vcpus);
}

/* ---- requests ---- */

void vm_serve_request(void *arg)
{
	struct vm *vm = arg;
	enum vm_request what;

	(void)pthread_mutex_lock(&vm->request_lock);
	what = vm->request;
	(void)pthread_mutex_unlock(&vm->request_lock);
	if (what == VM_NONE)
		return;
	vcpus_pause(vm->vcpus);
	switch (what) {
	case VM_OFF:
		timing_mark(vm->timing, "guest-off", -1);
		finish(vm, 0);
		break;
	case VM_RESET:
		do_reset(vm);
		break;
	case VM_DEAD:
		finish(vm, error_set(vm->err, EXIT_GUEST_DIED, -EIO, "the guest died: %s",
				   vm->request_text));
		break;
	case VM_FAILED:
		finish(vm, error_set(vm->err, EXIT_INTERNAL, -EIO, "%s", vm->request_text));
		break;
	case VM_STOP:
	case VM_NONE:
		finish(vm, 0);
		break;
	}
}

/* All under the lock: a pause that nobody serves would last for ever, and the vCPUs may be about to
 * be taken down. */
void vm_ask(struct vm *vm, enum vm_request what, const char *text)
{
	(void)pthread_mutex_lock(&vm->request_lock);
	if (vm->request == VM_NONE || (what == VM_STOP && vm->request == VM_RESET)) {
		vm->request = what;
		(void)snprintf(vm->request_text, sizeof(vm->request_text), "%s", text);
		if (vm->vcpus)
			vcpus_ask_pause(vm->vcpus);
		loop_timer_set(vm->request_timer, 1);
	}
	(void)pthread_mutex_unlock(&vm->request_lock);
}

void vm_shutdown_expired(void *arg)
{
	struct vm *vm = arg;

	log_msg(LOG_LEVEL_WARN, "the guest did not shut down in %u s and is stopped",
		vm->config->shutdown_timeout);
	vm_ask(vm, VM_STOP, "");
}

static int press(void *arg)
{
	struct tenon_dev *dev = arg;

	device_lock(dev);
	dev->pressed(dev);
	device_unlock(dev);
	return 0;
}

void vm_ask_shutdown(struct vm *vm)
{
	struct tenon_dev *button = vm->devices;

	while (button && !button->pressed)
		button = button->next;
	if (vm->stop_requests++ > 0 || vm->config->shutdown_timeout == 0) {
		log_msg(LOG_LEVEL_INFO, "the guest is stopped");
		vm_ask(vm, VM_STOP, "");
		return;
	}
	if (!button) {
		log_msg(LOG_LEVEL_WARN, "the machine has no power button: the guest is stopped");
		vm_ask(vm, VM_STOP, "");
		return;
	}
	log_msg(LOG_LEVEL_INFO, "the guest is asked to shut down");
	(void)loop_call(button->loop, press, button);
	loop_timer_set(vm->shutdown_timer,
		monotonic_ns() + (uint64_t)vm->config->shutdown_timeout * 1000000000u);
}

/* ---- the end ---- */

/*
 * What the guest wrote is for whoever reads it, however slowly: `tenon run ... | less` keeps it
 * till it is read, as it would be of any program.  Who asked for the end, or asks now, waits no
 * longer than a moment; and so does a terminal in raw mode, at which nobody could ask.
 */
void vm_wait_for_reader(struct vm *vm)
{
	bool hurry = vm->stop_requests > 0 || vm->request == VM_STOP;
	uint64_t until = monotonic_ns() + READER_NS, now;
	int fd;

	if (!vm->terminal || !vm->signals)
		return;
	hurry |= terminal_is_raw(vm->terminal);
	while ((fd = terminal_unwritten(vm->terminal)) >= 0) {
		struct pollfd wait[] = { { .fd = fd, .events = POLLOUT },
			{ .fd = signals_fd(vm->signals), .events = POLLIN } };

		now = monotonic_ns();
		if (hurry && now >= until)
			return;
		(void)poll(wait, 2, hurry ? (int)((until - now) / 1000000) + 1 : -1);
		if (signals_take_stop(vm->signals))
			return;
	}
}

/* ---- running ---- */

int vm_run(struct vm *vm, struct error *err)
{
	int ret = 0;

	vm->err = err;
	__atomic_store_n(&vm->started_ns, monotonic_ns(), __ATOMIC_RELAXED);
	ret = isolation_run(vm->isolation, vm->loop, err);
	for (struct tenon_dev *d = vm->devices; d && ret == 0; d = d->next)
		ret = device_start(d, err);
	timing_phase(vm->timing, "start-devices");
	if (ret < 0)
		return error_set(
			err, EXIT_INTERNAL, ret, "cannot start the devices: %s", strerror(-ret));
	vcpus_resume(vm->vcpus);
	ret = event_loop_run(vm->loop);
	if (ret < 0)
		return error_set(
			err, EXIT_INTERNAL, ret, "waiting for events failed: %s", strerror(-ret));
	return vm->result;
}
