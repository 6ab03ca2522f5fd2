/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting, stopping and suspending vCPUs by calls of the guest, against a hypervisor whose vCPUs
 * do as the test tells them.
 */
#include "arch/arch.h"
#include "core/error.h"
#include "core/machine.h"
#include "core/vcpu.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

#define VCPUS  3
#define ENTRY  0x1000u
#define HALTS  2
#define NOBODY 99

/* What a vCPU is to do next; the order is taken by its run. */
enum order { NOTHING, CALL, HALT, SYSREG, LINE };

struct backend_vcpu {
	struct backend_vm *vm;
	uint32_t index;
	enum order order;
	uint64_t function;
	struct vcpu_exit answer;
	bool kicked, asks;
	unsigned runs, answers, resets, fences;
	uint64_t pc;
};

struct backend_vm {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct backend_vcpu vcpus[VCPUS];
	int asked; /* enum vcpu_request + 1 */
};

/* ---- the hypervisor ---- */

static int create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err)
{
	struct backend_vcpu *v = &vm->vcpus[index];

	(void)err;
	v->vm = vm;
	v->index = index;
	*ret_vcpu = v;
	return 0;
}

static void destroy(struct backend_vcpu *vcpu)
{
	(void)vcpu;
}

static void note(struct backend_vcpu *v, unsigned *count)
{
	(void)pthread_mutex_lock(&v->vm->lock);
	(*count)++;
	(void)pthread_cond_broadcast(&v->vm->changed);
	(void)pthread_mutex_unlock(&v->vm->lock);
}

static int reset(struct backend_vcpu *v, struct backend_error *err)
{
	(void)err;
	note(v, &v->resets);
	return 0;
}

static int set_regs(
	struct backend_vcpu *v, const struct backend_reg *regs, size_t n, struct backend_error *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		if (regs[i].id != RISCV_PC)
			return -ENOENT;
		v->pc = regs[i].value;
	}
	return 0;
}

static int get_regs(struct backend_vcpu *v, struct backend_reg *regs, size_t n)
{
	if (n != 1 || regs->id != RISCV_CONF(RISCV_CONF_TIMEBASE))
		return -ENOENT;
	regs->value = 10000000 + v->index;
	return 0;
}

static void fill_exit(struct backend_vcpu *v, struct vcpu_exit *exit)
{
	exit->kind = VCPU_INTERRUPTED;
	v->asks = v->order == CALL || v->order == SYSREG;
	if (v->order == CALL) {
		exit->kind = VCPU_CALL;
		exit->call.function = v->function;
	} else if (v->order == HALT) {
		exit->kind = VCPU_HALTED;
	} else if (v->order == SYSREG) {
		exit->kind = VCPU_SYSREG;
		exit->sysreg.id = RISCV_CSR(0x15);
	} else if (v->order == LINE) {
		exit->kind = VCPU_LINE;
		exit->line.number = (uint32_t)v->function;
		exit->line.level = true;
	}
	v->order = NOTHING;
}

static int run(struct backend_vcpu *v, struct vcpu_exit *exit)
{
	struct backend_vm *vm = v->vm;

	(void)pthread_mutex_lock(&vm->lock);
	if (v->asks) {
		v->answer = *exit;
		v->answers++;
	}
	v->asks = false;
	v->runs++;
	(void)pthread_cond_broadcast(&vm->changed);
	while (!v->kicked && v->order == NOTHING)
		(void)pthread_cond_wait(&vm->changed, &vm->lock);
	fill_exit(v, exit);
	v->kicked = false;
	(void)pthread_mutex_unlock(&vm->lock);
	return 0;
}

static void kick(struct backend_vcpu *v)
{
	(void)pthread_mutex_lock(&v->vm->lock);
	v->kicked = true;
	(void)pthread_cond_broadcast(&v->vm->changed);
	(void)pthread_mutex_unlock(&v->vm->lock);
}

static int interrupt(struct backend_vcpu *v, uint32_t line, bool level)
{
	(void)v;
	(void)level;
	return line == RISCV_LINE_EXTERNAL || line == RISCV_LINE_SOFTWARE ? 0 : -EINVAL;
}

static int fence(struct backend_vcpu *v, uint32_t what)
{
	assert_int_equal(what, BACKEND_FENCE_CODE);
	note(v, &v->fences);
	return 0;
}

static const struct backend_ops ops = {
	.struct_size = sizeof(ops),
	.vcpu_create = create,
	.vcpu_destroy = destroy,
	.vcpu_reset = reset,
	.vcpu_set_regs = set_regs,
	.vcpu_get_regs = get_regs,
	.vcpu_run = run,
	.vcpu_kick = kick,
	.vcpu_interrupt = interrupt,
	.vcpu_fence = fence,
};

/* ---- the architecture: functions are actions ---- */

enum action {
	START_1 = 1,
	START_AGAIN,
	START_NOBODY,
	STOP,
	SUSPEND,
	POWER_1,
	INTERRUPT_1,
	FENCE_1,
	OFF,
	RESTART,
	SAY
};

static size_t said;

static uint64_t act(const struct arch_host *host, uint64_t function)
{
	const struct backend_reg entry = { RISCV_PC, 0, ENTRY };

	switch ((enum action)function) {
	case START_1:
	case START_AGAIN:
		return (uint64_t)host->start(host, 1, &entry, 1);
	case START_NOBODY:
		return (uint64_t)host->start(host, NOBODY, &entry, 1);
	case STOP:
		host->stop(host);
		return 0;
	case SUSPEND:
		host->suspend(host, &entry, 1);
		return 0;
	case POWER_1:
		return (uint64_t)host->power(host, 1);
	case INTERRUPT_1:
		return (uint64_t)host->interrupt(host, 1, RISCV_LINE_SOFTWARE, true);
	case FENCE_1:
		return (uint64_t)host->fence(host, 1, BACKEND_FENCE_CODE);
	case OFF:
		host->system(host, ARCH_SYSTEM_OFF);
		return 0;
	case RESTART:
		host->system(host, ARCH_SYSTEM_RESET);
		return 0;
	case SAY:
		return host->console(host, "word", 4);
	}
	return UINT64_MAX;
}

static void call(const struct arch_host *host, struct vcpu_exit *exit)
{
	exit->call.ret[0] = act(host, exit->call.function);
}

static void sysreg(const struct arch_host *host, struct vcpu_exit *exit)
{
	(void)host;
	exit->sysreg.handled = exit->sysreg.id == RISCV_CSR(0x15);
	exit->sysreg.value = 77;
}

/* An interrupt controller of which vCPU 2 has a line 3. */
struct arch_irqchip {
	unsigned raised;
};

static int own_line(struct arch_irqchip *chip, uint32_t vcpu, uint32_t number, bool level)
{
	if (vcpu != 2 || number != 3 || !level)
		return -EINVAL;
	chip->raised++;
	return 0;
}

static const struct arch_irqchip_ops irqchip = { .own_line = own_line };

static int vcpu_state(const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state)
{
	(void)gm;
	(void)loaded;
	(void)machine;
	(void)index;
	ret_state->n_regs = ret_state->n_msrs = 0;
	return 0;
}

static const uint32_t facts[] = { RISCV_CONF(RISCV_CONF_SATP), RISCV_CONF(RISCV_CONF_TIMEBASE), 0 };

static const struct arch arch = {
	.isa = ISA_RISCV64,
	.vcpu_state = vcpu_state,
	.call = call,
	.sysreg = sysreg,
	.facts = facts,
	.irqchip = &irqchip,
};

/* ---- the VM ---- */

struct bench {
	struct backend_vm vm;
	struct machine machine;
	struct arch_irqchip chip;
	struct vcpus *vcpus;
};

static void asked(void *opaque, enum vcpu_request what, uint32_t index, const char *text)
{
	struct bench *b = opaque;

	(void)index;
	(void)text;
	(void)pthread_mutex_lock(&b->vm.lock);
	b->vm.asked = (int)what + 1;
	(void)pthread_cond_broadcast(&b->vm.changed);
	(void)pthread_mutex_unlock(&b->vm.lock);
}

static size_t console(void *opaque, const void *bytes, size_t size)
{
	(void)opaque;
	assert_memory_equal(bytes, "word", 4);
	said += size;
	return size - 1;
}

static void begin(struct bench *b, bool calls)
{
	struct vcpus_config config = {
		.arch = &arch,
		.ops = &ops,
		.vm = &b->vm,
		.machine = &b->machine,
		.calls = calls,
		.irqchip = &b->chip,
		.request = asked,
		.console = console,
		.opaque = b,
	};
	struct error err;

	*b = (struct bench){ .machine.vcpus = VCPUS };
	(void)pthread_mutex_init(&b->vm.lock, NULL);
	(void)pthread_cond_init(&b->vm.changed, NULL);
	assert_int_equal(vcpus_create(&config, &b->vcpus, &err), 0);
	assert_int_equal(vcpus_reset(b->vcpus, &err), 0);
	vcpus_resume(b->vcpus);
}

static void end(struct bench *b)
{
	vcpus_destroy(b->vcpus);
	(void)pthread_cond_destroy(&b->vm.changed);
	(void)pthread_mutex_destroy(&b->vm.lock);
}

/* The lock is held. */
static void wait_for(struct bench *b, const unsigned *count, unsigned least)
{
	while (*count < least)
		(void)pthread_cond_wait(&b->vm.changed, &b->vm.lock);
}

/* Has a vCPU do it, without waiting for the answer. */
static void give(struct bench *b, uint32_t index, enum order order, uint64_t function)
{
	struct backend_vcpu *v = &b->vm.vcpus[index];

	(void)pthread_mutex_lock(&b->vm.lock);
	wait_for(b, &v->runs, 1);
	v->function = function;
	v->order = order;
	(void)pthread_cond_broadcast(&b->vm.changed);
	(void)pthread_mutex_unlock(&b->vm.lock);
}

/* What vCPU 0 gets back. */
static struct vcpu_exit answer_to(struct bench *b, enum order order, uint64_t function)
{
	struct backend_vcpu *v = &b->vm.vcpus[0];
	struct vcpu_exit answer;
	unsigned answers;

	(void)pthread_mutex_lock(&b->vm.lock);
	answers = v->answers;
	v->function = function;
	v->order = order;
	(void)pthread_cond_broadcast(&b->vm.changed);
	wait_for(b, &v->answers, answers + 1);
	answer = v->answer;
	(void)pthread_mutex_unlock(&b->vm.lock);
	return answer;
}

static int64_t ask(struct bench *b, enum action action)
{
	return (int64_t)answer_to(b, CALL, action).call.ret[0];
}

/* Until vCPU @index has run so often. */
static void await_runs(struct bench *b, uint32_t index, unsigned runs)
{
	(void)pthread_mutex_lock(&b->vm.lock);
	wait_for(b, &b->vm.vcpus[index].runs, runs);
	(void)pthread_mutex_unlock(&b->vm.lock);
}

static unsigned runs_of(struct bench *b, uint32_t index)
{
	unsigned runs;

	(void)pthread_mutex_lock(&b->vm.lock);
	runs = b->vm.vcpus[index].runs;
	(void)pthread_mutex_unlock(&b->vm.lock);
	return runs;
}

static void await_power_1(struct bench *b, enum arch_vcpu_power power)
{
	while (ask(b, POWER_1) != (int64_t)power)
		;
}

/* ---- tests ---- */

static void the_others_wait_for_their_start(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(ask(&b, POWER_1), ARCH_VCPU_STOPPED);
	assert_int_equal(runs_of(&b, 1), 0);
	assert_int_equal(ask(&b, START_1), 0);
	await_runs(&b, 1, 1);
	assert_int_equal(ask(&b, POWER_1), ARCH_VCPU_STARTED);
	assert_int_equal(b.vm.vcpus[1].resets, 1);
	assert_int_equal(b.vm.vcpus[1].pc, ENTRY);
	assert_int_equal(runs_of(&b, 2), 0);
	end(&b);
}

static void without_calls_all_run(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, false);
	await_runs(&b, 1, 1);
	await_runs(&b, 2, 1);
	assert_int_equal(ask(&b, POWER_1), ARCH_VCPU_STARTED);
	end(&b);
}

static void a_wrong_start_is_refused(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(ask(&b, START_NOBODY), -EINVAL);
	assert_int_equal(ask(&b, START_1), 0);
	assert_int_equal(ask(&b, START_AGAIN), -EALREADY);
	end(&b);
}

static void a_stopped_vcpu_starts_again(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(ask(&b, START_1), 0);
	give(&b, 1, CALL, STOP);
	await_power_1(&b, ARCH_VCPU_STOPPED);
	assert_int_equal(runs_of(&b, 1), 1);
	assert_int_equal(ask(&b, START_1), 0);
	await_runs(&b, 1, 2);
	assert_int_equal(b.vm.vcpus[1].resets, 2);
	end(&b);
}

static void a_suspended_vcpu_restarts_upon_an_interrupt(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(ask(&b, START_1), 0);
	give(&b, 1, CALL, SUSPEND);
	await_power_1(&b, ARCH_VCPU_SUSPENDED);
	assert_int_equal(ask(&b, START_1), -EALREADY);
	assert_int_equal(runs_of(&b, 1), 1);
	assert_int_equal(ask(&b, INTERRUPT_1), 0);
	await_runs(&b, 1, 2);
	assert_int_equal(b.vm.vcpus[1].resets, 2);
	end(&b);
}

static void a_pause_wakes_nobody(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(ask(&b, START_1), 0);
	give(&b, 1, CALL, SUSPEND);
	await_power_1(&b, ARCH_VCPU_SUSPENDED);
	vcpus_pause(b.vcpus);
	vcpus_resume(b.vcpus);
	assert_int_equal(ask(&b, POWER_1), ARCH_VCPU_SUSPENDED);
	assert_int_equal(runs_of(&b, 1), 1);
	assert_int_equal(runs_of(&b, 2), 0);
	end(&b);
}

static void a_reset_stops_the_others(void **state)
{
	struct error err;
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(ask(&b, START_1), 0);
	await_runs(&b, 1, 1);
	vcpus_pause(b.vcpus);
	assert_int_equal(vcpus_reset(b.vcpus, &err), 0);
	vcpus_resume(b.vcpus);
	assert_int_equal(ask(&b, POWER_1), ARCH_VCPU_STOPPED);
	end(&b);
}

static void a_halted_vcpu_waits_for_an_interrupt(void **state)
{
	struct bench b;
	unsigned runs;

	(void)state;
	begin(&b, false);
	give(&b, 1, HALT, 0);
	await_runs(&b, 2, 1);
	assert_int_equal(vcpus_interrupt(b.vcpus, 1, RISCV_LINE_EXTERNAL, true), 0);
	await_runs(&b, 1, HALTS);
	/* It goes on once for each: here it would wait again. */
	runs = runs_of(&b, 1);
	assert_int_equal(runs, HALTS);
	end(&b);
}

static void lines_and_vcpus_are_checked(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, false);
	assert_int_equal(vcpus_interrupt(b.vcpus, VCPUS, RISCV_LINE_EXTERNAL, true), -EINVAL);
	assert_int_equal(vcpus_interrupt(b.vcpus, 0, 64, true), -EINVAL);
	end(&b);
}

static void a_fence_reaches_the_other(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(ask(&b, FENCE_1), 0);
	assert_int_equal(b.vm.vcpus[1].fences, 1);
	assert_int_equal(b.vm.vcpus[0].fences, 0);
	end(&b);
}

static int request_after(struct bench *b, enum action action)
{
	int what;

	give(b, 0, CALL, action);
	(void)pthread_mutex_lock(&b->vm.lock);
	while (!b->vm.asked)
		(void)pthread_cond_wait(&b->vm.changed, &b->vm.lock);
	what = b->vm.asked - 1;
	(void)pthread_mutex_unlock(&b->vm.lock);
	return what;
}

static void the_machine_goes_off(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(request_after(&b, OFF), VCPU_REQUEST_OFF);
	end(&b);
}

static void the_machine_restarts(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	assert_int_equal(request_after(&b, RESTART), VCPU_REQUEST_RESET);
	end(&b);
}

static void words_go_to_the_console(void **state)
{
	struct bench b;

	(void)state;
	said = 0;
	begin(&b, true);
	assert_int_equal(ask(&b, SAY), 3);
	assert_int_equal(said, 4);
	end(&b);
}

static void a_register_is_answered(void **state)
{
	struct vcpu_exit answer;
	struct bench b;

	(void)state;
	begin(&b, true);
	answer = answer_to(&b, SYSREG, 0);
	assert_true(answer.sysreg.handled);
	assert_int_equal(answer.sysreg.value, 77);
	end(&b);
}

static void a_vcpus_own_line_reaches_the_controller(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, false);
	give(&b, 2, LINE, 3);
	await_runs(&b, 2, 2);
	assert_int_equal(b.chip.raised, 1);
	end(&b);
}

static void a_line_that_there_is_not_ends_the_machine(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, false);
	give(&b, 1, LINE, 3);
	(void)pthread_mutex_lock(&b.vm.lock);
	while (!b.vm.asked)
		(void)pthread_cond_wait(&b.vm.changed, &b.vm.lock);
	assert_int_equal(b.vm.asked - 1, VCPU_REQUEST_FAILED);
	(void)pthread_mutex_unlock(&b.vm.lock);
	assert_int_equal(b.chip.raised, 0);
	end(&b);
}

static void facts_come_from_the_first_vcpu(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, true);
	vcpus_facts(b.vcpus, &b.machine);
	assert_int_equal(b.machine.n_facts, 1);
	assert_int_equal(machine_fact(&b.machine, RISCV_CONF(RISCV_CONF_TIMEBASE), 1), 10000000);
	assert_int_equal(machine_fact(&b.machine, RISCV_CONF(RISCV_CONF_SATP), 8), 8);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_others_wait_for_their_start),
		cmocka_unit_test(without_calls_all_run),
		cmocka_unit_test(a_wrong_start_is_refused),
		cmocka_unit_test(a_stopped_vcpu_starts_again),
		cmocka_unit_test(a_suspended_vcpu_restarts_upon_an_interrupt),
		cmocka_unit_test(a_pause_wakes_nobody),
		cmocka_unit_test(a_reset_stops_the_others),
		cmocka_unit_test(a_halted_vcpu_waits_for_an_interrupt),
		cmocka_unit_test(lines_and_vcpus_are_checked),
		cmocka_unit_test(a_fence_reaches_the_other),
		cmocka_unit_test(the_machine_goes_off),
		cmocka_unit_test(the_machine_restarts),
		cmocka_unit_test(words_go_to_the_console),
		cmocka_unit_test(a_register_is_answered),
		cmocka_unit_test(a_vcpus_own_line_reaches_the_controller),
		cmocka_unit_test(a_line_that_there_is_not_ends_the_machine),
		cmocka_unit_test(facts_come_from_the_first_vcpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
