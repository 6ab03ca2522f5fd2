/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The null backend's vCPUs: they play their part of the script, a step an exit.
 */
#include "backends/null/null.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINES 64

struct backend_vcpu {
	struct backend_vm *vm;
	uint32_t index;
	atomic_bool kicked;
	/* The place in the script; only its own thread looks. */
	size_t at;
	uint64_t left[NULL_DEPTH]; /* rounds of the repeats that are open */
	uint32_t depth;
	const struct null_step *asked; /* the exit whose answer the next run brings */
	struct backend_reg *regs;
	size_t reg_count;
	/* Guarded by the VM's lock. */
	bool level[LINES];
	uint32_t raised[LINES];
};

int null_vcpu_create(struct backend_vm *vm, uint32_t index, struct backend_vcpu **ret_vcpu,
	struct backend_error *err)
{
	struct backend_vcpu *vcpu;
	int r = null_fails(vm, OP_VCPU_CREATE, err);

	null_log(vm, "vcpu_create %u", index);
	if (r < 0)
		return r;
	if (index >= NULL_VCPUS)
		return backend_fail(err, -EINVAL, "the null backend has %d vCPUs, wanted number %u",
			NULL_VCPUS, index);
	vcpu = calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return backend_fail(err, -ENOMEM, "out of memory");
	vcpu->vm = vm;
	vcpu->index = index;
	*ret_vcpu = vcpu;
	return 0;
}

void null_vcpu_destroy(struct backend_vcpu *vcpu)
{
	if (!vcpu)
		return;
	null_log(vcpu->vm, "vcpu_destroy %u", vcpu->index);
	free(vcpu->regs);
	free(vcpu);
}

int null_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err)
{
	int r = null_fails(vcpu->vm, OP_VCPU_RESET, err);

	null_log(vcpu->vm, "vcpu_reset %u", vcpu->index);
	if (r < 0)
		return r;
	vcpu->asked = NULL;
	vcpu->reg_count = 0;
	return 0;
}

/* ---- state ---- */

static bool known_class(const struct backend_vcpu *vcpu, uint32_t id)
{
	uint32_t cls = REG_CLASS(id);

	switch (vcpu->vm->isa) {
	case ISA_X86_64:
		return cls >= REG_X86_GPR && cls <= REG_X86_LVT;
	case ISA_AARCH64:
		return cls == REG_ARM_CORE || cls == REG_ARM_SYS;
	case ISA_RISCV64:
		return cls >= REG_RISCV_X && cls <= REG_RISCV_CONF;
	}
	return false;
}

static struct backend_reg *find_reg(struct backend_vcpu *vcpu, uint32_t id)
{
	size_t i;

	for (i = 0; i < vcpu->reg_count; i++)
		if (vcpu->regs[i].id == id)
			return &vcpu->regs[i];
	return NULL;
}

static int set_reg(struct backend_vcpu *vcpu, const struct backend_reg *reg)
{
	struct backend_reg *found = find_reg(vcpu, reg->id), *regs;

	if (found) {
		found->value = reg->value;
		return 0;
	}
	regs = realloc(vcpu->regs, (vcpu->reg_count + 1) * sizeof(*regs));
	if (!regs)
		return -ENOMEM;
	vcpu->regs = regs;
	regs[vcpu->reg_count++] = *reg;
	return 0;
}

int null_vcpu_set_regs(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
	struct backend_error *err)
{
	int r = null_fails(vcpu->vm, OP_VCPU_SET_REGS, err);
	size_t i;

	if (r < 0)
		return r;
	for (i = 0; i < n; i++) {
		null_log(vcpu->vm, "vcpu_set_regs %u 0x%08x=0x%" PRIx64, vcpu->index, regs[i].id,
			regs[i].value);
		r = known_class(vcpu, regs[i].id) ? set_reg(vcpu, &regs[i]) : -ENOENT;
		if (r < 0)
			return backend_fail(err, r, "cannot set register 0x%08x of vCPU %u: %s",
				regs[i].id, vcpu->index,
				r == -ENOENT ? "no such register" : strerror(-r));
	}
	return 0;
}

int null_vcpu_get_regs(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct backend_reg *found = find_reg(vcpu, regs[i].id);

		if (!known_class(vcpu, regs[i].id))
			return -ENOENT;
		regs[i].value = found ? found->value : 0;
	}
	return 0;
}

int null_vcpu_set_cpuid(struct backend_vcpu *vcpu, const struct backend_cpuid *entries, size_t n,
	struct backend_error *err)
{
	int r = null_fails(vcpu->vm, OP_VCPU_SET_CPUID, err);

	null_log(vcpu->vm, "vcpu_set_cpuid %u n=%zu", vcpu->index, n);
	if (r == 0 && vcpu->vm->isa != ISA_X86_64)
		r = backend_fail(err, -ENOTSUP, "only x86-64 has CPUID");
	return r;
}

int null_vcpu_set_msrs(struct backend_vcpu *vcpu, const struct backend_msr *msrs, size_t n,
	struct backend_error *err)
{
	int r = null_fails(vcpu->vm, OP_VCPU_SET_MSRS, err);
	size_t i;

	for (i = 0; i < n; i++)
		null_log(vcpu->vm, "vcpu_set_msrs %u 0x%x=0x%" PRIx64, vcpu->index, msrs[i].index,
			msrs[i].value);
	if (r == 0 && vcpu->vm->isa != ISA_X86_64)
		r = backend_fail(err, -ENOTSUP, "only x86-64 has MSRs");
	return r;
}

int null_vcpu_interrupt(struct backend_vcpu *vcpu, uint32_t line, bool level)
{
	struct backend_vm *vm = vcpu->vm;

	null_log(vm, "vcpu_interrupt %u line=%u level=%d", vcpu->index, line, level);
	if (vm->irqchip)
		return -ENOTSUP;
	if (line >= LINES)
		return -EINVAL;
	(void)pthread_mutex_lock(&vm->lock);
	if (level && !vcpu->level[line])
		vcpu->raised[line]++;
	vcpu->level[line] = level;
	(void)pthread_cond_broadcast(&vm->wake);
	(void)pthread_mutex_unlock(&vm->lock);
	return 0;
}

/* The flag is set before the lock is asked for, so that a vCPU that holds it sees the kick. */
void null_vcpu_kick(struct backend_vcpu *vcpu)
{
	struct backend_vm *vm = vcpu->vm;

	atomic_store_explicit(&vcpu->kicked, true, memory_order_release);
	(void)pthread_mutex_lock(&vm->lock);
	(void)pthread_cond_broadcast(&vm->wake);
	(void)pthread_mutex_unlock(&vm->lock);
}

int null_vcpu_fence(struct backend_vcpu *vcpu, uint32_t what)
{
	null_log(vcpu->vm, "vcpu_fence %u what=%u", vcpu->index, what);
	return what & ~(BACKEND_FENCE_CODE | BACKEND_FENCE_MEMORY) ? -EINVAL : 0;
}

/* ---- playing ---- */

/* What a step comes to: an exit for the core, or on to the next one. */
enum outcome { NEXT, EXIT, WAIT };

static int failed(struct vcpu_exit *exit, const char *text)
{
	exit->kind = VCPU_FAILED;
	(void)snprintf(exit->text, sizeof(exit->text), "%s", text);
	return -EIO;
}

static int unexpected(const struct backend_vcpu *vcpu, const struct null_step *step, uint64_t found,
	struct vcpu_exit *exit)
{
	char text[160];

	(void)snprintf(text, sizeof(text),
		"script line %u, vCPU %u: 0x%" PRIx64 " read at 0x%" PRIx64 ", expected 0x%" PRIx64,
		step->line, vcpu->index, found, step->address, step->value);
	null_log(vcpu->vm, "%s", text);
	return failed(exit, text);
}

static uint64_t low_bytes(uint64_t value, uint32_t size)
{
	return size < 8 ? value & ((UINT64_C(1) << size * 8) - 1) : value;
}

/* Looks at the answer to the last exit. */
static int take_answer(struct backend_vcpu *vcpu, struct vcpu_exit *exit)
{
	const struct null_step *step = vcpu->asked;
	uint64_t found;

	vcpu->asked = NULL;
	if (!step)
		return 0;
	found = step->kind == STEP_CALL ? exit->call.ret[0]
					: low_bytes(exit->bus.value, step->size);
	if (!step->expect || found == step->value)
		return 0;
	return unexpected(vcpu, step, found, exit);
}

static enum outcome access_memory(
	struct backend_vcpu *vcpu, const struct null_step *step, struct vcpu_exit *exit, int *ret)
{
	uint8_t *memory = null_memory(vcpu->vm, step->address, step->size);
	uint64_t value = 0;

	if (!memory) {
		*ret = failed(exit, "the script accesses guest memory that is not mapped");
		return EXIT;
	}
	if (step->kind == STEP_STORE) {
		memcpy(memory, &step->value, step->size);
		return NEXT;
	}
	memcpy(&value, memory, step->size);
	if (value == step->value)
		return NEXT;
	*ret = unexpected(vcpu, step, value, exit);
	return EXIT;
}

static enum outcome ask(
	struct backend_vcpu *vcpu, const struct null_step *step, struct vcpu_exit *exit)
{
	bool read = step->kind == STEP_MMIO_READ || step->kind == STEP_PIO_READ;

	exit->text[0] = '\0';
	if (step->kind == STEP_CALL) {
		exit->kind = VCPU_CALL;
		exit->call.function = step->address;
		memcpy(exit->call.args, step->args, sizeof(step->args));
		exit->call.ret[0] = exit->call.ret[1] = 0;
		vcpu->asked = step;
		return EXIT;
	}
	exit->kind = step->kind == STEP_MMIO_WRITE || step->kind == STEP_MMIO_READ ? VCPU_MMIO
										   : VCPU_PIO;
	exit->bus.address = step->address;
	exit->bus.size = step->size;
	exit->bus.write = !read;
	exit->bus.value = read ? 0 : low_bytes(step->value, step->size);
	vcpu->asked = read ? step : NULL;
	return EXIT;
}

static enum outcome ended(struct vcpu_exit *exit, enum vcpu_exit_kind kind, const char *text)
{
	exit->kind = kind;
	(void)snprintf(exit->text, sizeof(exit->text), "%s", text);
	return EXIT;
}

static bool any_raised(const struct backend_vcpu *vcpu)
{
	size_t i;

	for (i = 0; i < NULL_IRQS; i++)
		if (vcpu->vm->raised[i])
			return true;
	for (i = 0; i < LINES; i++)
		if (vcpu->raised[i])
			return true;
	return false;
}

static enum outcome wait_irq(struct backend_vcpu *vcpu, uint64_t irq)
{
	if (vcpu->vm->raised[irq]) {
		vcpu->vm->raised[irq]--;
		return NEXT;
	}
	if (irq < LINES && vcpu->raised[irq]) {
		vcpu->raised[irq]--;
		return NEXT;
	}
	return WAIT;
}

/* At an end: back to the step after the repeat, unless that was the last round. */
static enum outcome end_round(struct backend_vcpu *vcpu, const struct null_step *step)
{
	if (--vcpu->left[vcpu->depth - 1])
		vcpu->at = (size_t)step->address;
	else
		vcpu->depth--;
	return NEXT;
}

static enum outcome play(
	struct backend_vcpu *vcpu, const struct null_step *step, struct vcpu_exit *exit, int *ret)
{
	switch (step->kind) {
	case STEP_STORE:
	case STEP_LOAD:
		return access_memory(vcpu, step, exit, ret);
	case STEP_HALT:
		if (!vcpu->vm->irqchip)
			return ended(exit, VCPU_HALTED, "");
		return any_raised(vcpu) ? NEXT : WAIT;
	case STEP_WAIT_IRQ:
		return wait_irq(vcpu, step->address);
	case STEP_OFF:
		return ended(exit, VCPU_OFF, "");
	case STEP_RESET:
		return ended(exit, VCPU_RESET, "");
	case STEP_DEAD:
		return ended(exit, VCPU_DEAD, "the script says that the guest died");
	case STEP_FAIL:
		*ret = failed(exit, step->text);
		return EXIT;
	case STEP_EXIT:
		return ended(exit, (enum vcpu_exit_kind)step->address, "");
	case STEP_REPEAT:
		vcpu->left[vcpu->depth++] = step->address;
		return NEXT;
	case STEP_END:
		return end_round(vcpu, step);
	default:
		return ask(vcpu, step, exit);
	}
}

/* Until there is an exit; the VM's lock is held. */
static int play_on(struct backend_vcpu *vcpu, struct vcpu_exit *exit)
{
	const struct null_program *program = &vcpu->vm->script.vcpus[vcpu->index];
	enum outcome outcome;
	int r = take_answer(vcpu, exit);

	if (r < 0)
		return r;
	do {
		if (atomic_exchange_explicit(&vcpu->kicked, false, memory_order_acquire)) {
			exit->kind = VCPU_INTERRUPTED;
			exit->text[0] = '\0';
			return 0;
		}
		outcome = WAIT;
		if (vcpu->at < program->count)
			outcome = play(vcpu, &program->steps[vcpu->at], exit, &r);
		if (outcome == WAIT)
			(void)pthread_cond_wait(&vcpu->vm->wake, &vcpu->vm->lock);
		else
			vcpu->at++;
	} while (outcome != EXIT);
	return r;
}

int null_vcpu_run(struct backend_vcpu *vcpu, struct vcpu_exit *exit)
{
	struct backend_error err;
	int r = null_fails(vcpu->vm, OP_VCPU_RUN, &err);

	if (r < 0)
		return failed(exit, err.text);
	(void)pthread_mutex_lock(&vcpu->vm->lock);
	r = play_on(vcpu, exit);
	(void)pthread_mutex_unlock(&vcpu->vm->lock);
	if (exit->kind == VCPU_MMIO || exit->kind == VCPU_PIO)
		null_log(vcpu->vm, "vcpu_run %u exit=%d address=0x%" PRIx64 " size=%u write=%d",
			vcpu->index, (int)exit->kind, exit->bus.address, exit->bus.size,
			exit->bus.write);
	else
		null_log(vcpu->vm, "vcpu_run %u exit=%d", vcpu->index, (int)exit->kind);
	return r;
}
