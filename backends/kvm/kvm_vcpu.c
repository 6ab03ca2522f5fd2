/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One processor and its run loop.
 *
 * A kick must reach a vCPU that runs as well as one that is about to: it sets immediate_exit, which
 * KVM looks at after the guest's last instruction was completed and before the next entry, and then
 * sends a signal, which ends an entry that happened before the flag was seen.  The flag makes the
 * signal's own timing harmless, so it need not be blocked outside KVM_RUN; its handler is empty and
 * restarts whatever else the thread was doing.  That somebody kicked is remembered apart from
 * immediate_exit, which has a use of its own in a reset.
 */
#include "backends/kvm/kvm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* More than the fragments of one instruction. */
#define SETTLE_RUNS 64

static void kick_handler(int number)
{
	(void)number;
}

static void install_handler(void)
{
	struct sigaction action = { .sa_handler = kick_handler, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	(void)sigaction(KVM_KICK_SIGNAL, &action, NULL);
}

/* The thread that creates a vCPU is the one that runs it. */
static void accept_kicks(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sigset_t set;

	(void)pthread_once(&once, install_handler);
	sigemptyset(&set);
	sigaddset(&set, KVM_KICK_SIGNAL);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int map_run(struct backend_vcpu *vcpu)
{
	int size = kvm_ioctl_value(vcpu->vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *run;

	if (size < 0)
		return size;
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	vcpu->run = run;
	vcpu->run_size = (size_t)size;
	return 0;
}

/* vCPUs are created by their threads, in whatever order. */
static int create_vcpu(struct backend_vcpu *vcpu)
{
	struct backend_vm *vm = vcpu->vm;
	int fd;

	(void)pthread_mutex_lock(&vm->create_lock);
	fd = kvm_ioctl_value(vm->fd, KVM_CREATE_VCPU, vcpu->index);
	if (fd >= 0)
		vcpu->order = vm->vcpu_count++;
	(void)pthread_mutex_unlock(&vm->create_lock);
	return fd;
}

int kvm_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err)
{
	struct backend_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int r;

	if (!vcpu)
		return backend_fail(err, -ENOMEM, "out of memory");
	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->thread = pthread_self();
	vcpu->fd = create_vcpu(vcpu);
	if (vcpu->fd < 0) {
		r = backend_fail(
			err, vcpu->fd, "KVM cannot create vCPU %u: %s", index, strerror(-vcpu->fd));
		goto undo;
	}
	r = map_run(vcpu);
	if (r < 0) {
		(void)backend_fail(
			err, r, "cannot map the state of vCPU %u: %s", index, strerror(-r));
		goto undo;
	}
	r = kvm_isa_vcpu_create(vcpu, err);
	if (r < 0)
		goto undo;
	accept_kicks();
	*ret_vcpu = vcpu;
	return 0;
undo:
	kvm_vcpu_destroy(vcpu);
	return r;
}

void kvm_vcpu_destroy(struct backend_vcpu *vcpu)
{
	if (!vcpu)
		return;
	kvm_isa_vcpu_destroy(vcpu);
	if (vcpu->run)
		(void)munmap(vcpu->run, vcpu->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	free(vcpu);
}

/* The order here and in take_kick makes sure that a kick whose immediate_exit was overwritten has
 * been seen. */
void kvm_vcpu_kick(struct backend_vcpu *vcpu)
{
	atomic_store_explicit(&vcpu->kicked, true, memory_order_relaxed);
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
	(void)pthread_kill(vcpu->thread, KVM_KICK_SIGNAL);
}

/* True when there was a kick; it is consumed. */
static bool take_kick(struct backend_vcpu *vcpu)
{
	(void)__atomic_exchange_n(&vcpu->run->immediate_exit, 0, __ATOMIC_ACQUIRE);
	return atomic_exchange_explicit(&vcpu->kicked, false, memory_order_relaxed);
}

/* 1 when the guest left for something in vcpu->run, 0 when it was kicked, or -errno. */
static int enter(struct backend_vcpu *vcpu)
{
	for (;;) {
		int r = ioctl(vcpu->fd, KVM_RUN, 0) < 0 ? -errno : 0;

		if (r == 0)
			return 1;
		/* EAGAIN: a sleeping processor got its start-up signal. */
		if (r != -EINTR && r != -EAGAIN)
			return r;
		if (take_kick(vcpu))
			return 0;
	}
}

/* What one KVM reports as an exit, another has no exit for. */
static int enter_failed(struct backend_vcpu *vcpu, int code, struct vcpu_exit *exit)
{
	const char *fault = kvm_isa_guest_fault(code);

	if (fault) {
		exit->kind = VCPU_DEAD;
		(void)snprintf(exit->text, sizeof(exit->text), "%s", fault);
		return 0;
	}
	exit->kind = VCPU_FAILED;
	(void)snprintf(exit->text, sizeof(exit->text), "KVM cannot run vCPU %u: %s", vcpu->index,
		strerror(-code));
	return code;
}

int kvm_vcpu_run(struct backend_vcpu *vcpu, struct vcpu_exit *exit)
{
	int r;

	if (kvm_transfer_next(&vcpu->transfer, exit))
		return 0;
	kvm_exit_answer(vcpu->run, exit);
	do {
		r = enter(vcpu);
		if (r < 0)
			return enter_failed(vcpu, r, exit);
		if (r == 0) {
			exit->kind = VCPU_INTERRUPTED;
			exit->text[0] = '\0';
			return 0;
		}
		if (vcpu->run->exit_reason == KVM_EXIT_IO ||
			vcpu->run->exit_reason == KVM_EXIT_MMIO) {
			kvm_transfer_begin(&vcpu->transfer, vcpu->run);
			r = kvm_transfer_next(&vcpu->transfer, exit) ? 0 : -EAGAIN;
		} else {
			r = kvm_exit_translate(vcpu->run, exit);
		}
	} while (r == -EAGAIN);
	return r;
}

/* Lets KVM finish the instruction that the last exit interrupted, without entering the guest: it
 * would otherwise finish it upon the state that is set next. */
static void settle(struct backend_vcpu *vcpu)
{
	int i;

	vcpu->transfer = (struct kvm_transfer){ 0 };
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
	for (i = 0; i < SETTLE_RUNS; i++)
		if (ioctl(vcpu->fd, KVM_RUN, 0) < 0)
			break;
	(void)__atomic_exchange_n(&vcpu->run->immediate_exit, 0, __ATOMIC_ACQUIRE);
	if (atomic_load_explicit(&vcpu->kicked, memory_order_relaxed))
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
}

int kvm_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err)
{
	settle(vcpu);
	return kvm_isa_vcpu_reset(vcpu, err);
}

/* The guest's calls for that are served by the kernel. */
int kvm_vcpu_fence(struct backend_vcpu *vcpu, uint32_t what)
{
	(void)vcpu;
	(void)what;
	return -ENOTSUP;
}
