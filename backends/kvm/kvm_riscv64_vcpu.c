/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processors: their registers by the core's numbers, what they are, and the way back to their
 * beginning.  KVM has no "reset a vCPU", so what it shows right after creation is kept and written
 * back; the timer is stopped besides, and all but the first vCPU wait for the guest's call that
 * starts them, as after creation.
 */
#include "backends/kvm/kvm_riscv64.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/riscv_ext.h"

#define NONE     UINT64_MAX
#define ONE_REG  (KVM_REG_RISCV | KVM_REG_SIZE_U64)
#define PC_INDEX 32u

/* ---- numbers ---- */

static const struct {
	uint32_t number;
	uint64_t id;
} csrs[] = {
#define CSR(number, name)                                                                          \
	{                                                                                          \
		number, ONE_REG | KVM_REG_RISCV_CSR | KVM_REG_RISCV_CSR_REG(name)                  \
	}
	CSR(0x100, sstatus),
	CSR(0x104, sie),
	CSR(0x105, stvec),
	CSR(0x106, scounteren),
	CSR(0x10a, senvcfg),
	CSR(0x140, sscratch),
	CSR(0x141, sepc),
	CSR(0x142, scause),
	CSR(0x143, stval),
	CSR(0x144, sip),
	CSR(0x180, satp),
#undef CSR
	{ 0x14d, ONE_REG | KVM_REG_RISCV_TIMER | KVM_REG_RISCV_TIMER_REG(compare) },
	{ 0xc01, ONE_REG | KVM_REG_RISCV_TIMER | KVM_REG_RISCV_TIMER_REG(time) },
};

static const struct {
	enum riscv_conf conf;
	uint64_t id;
} configs[] = {
#define CONFIG(conf, name)                                                                         \
	{                                                                                          \
		conf, ONE_REG | KVM_REG_RISCV_CONFIG | KVM_REG_RISCV_CONFIG_REG(name)              \
	}
	CONFIG(RISCV_CONF_LETTERS, isa),
	CONFIG(RISCV_CONF_CBOM, zicbom_block_size),
	CONFIG(RISCV_CONF_CBOZ, zicboz_block_size),
	CONFIG(RISCV_CONF_MVENDORID, mvendorid),
	CONFIG(RISCV_CONF_MARCHID, marchid),
	CONFIG(RISCV_CONF_MIMPID, mimpid),
	CONFIG(RISCV_CONF_SATP, satp_mode),
#undef CONFIG
	{ RISCV_CONF_TIMEBASE, ONE_REG | KVM_REG_RISCV_TIMER | KVM_REG_RISCV_TIMER_REG(frequency) },
};

static const uint16_t extensions[] = {
#define EXTENSION(name, text) KVM_RISCV_ISA_EXT_##name,
	RISCV_EXTENSIONS(EXTENSION)
#undef EXTENSION
};

/* Of general registers, KVM has pc first and then x1 up. */
static uint64_t core_id(uint32_t number)
{
	if (number == 0 || number > PC_INDEX)
		return NONE;
	return ONE_REG | KVM_REG_RISCV_CORE | (number == PC_INDEX ? 0 : number);
}

static uint64_t csr_id(uint32_t number)
{
	for (size_t i = 0; i < sizeof(csrs) / sizeof(csrs[0]); i++)
		if (csrs[i].number == number)
			return csrs[i].id;
	return NONE;
}

static uint64_t config_id(uint32_t number)
{
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		if ((uint32_t)configs[i].conf == number)
			return configs[i].id;
	return NONE;
}

static uint64_t id_of(uint32_t id)
{
	switch (REG_CLASS(id)) {
	case REG_RISCV_X:
		return core_id(REG_NUMBER(id));
	case REG_RISCV_CSR:
		return csr_id(REG_NUMBER(id));
	case REG_RISCV_CONF:
		return config_id(REG_NUMBER(id));
	default:
		return NONE;
	}
}

/* ---- one register ---- */

static int get_one(const struct backend_vcpu *vcpu, uint64_t id, uint64_t *ret_value)
{
	uint64_t value = 0; /* some have 32 bits */
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };
	int r = kvm_ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg);

	if (r == 0)
		*ret_value = value;
	return r;
}

static int set_one(const struct backend_vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	return kvm_ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg);
}

static int get_extensions(const struct backend_vcpu *vcpu, uint32_t word, uint64_t *ret_bits)
{
	uint64_t bits = 0;

	if (word >= RISCV_EXT_WORDS)
		return -ENOENT;
	for (uint32_t i = 0; i < 64 && word * 64 + i < RISCV_EXT_COUNT; i++) {
		uint64_t id = ONE_REG | KVM_REG_RISCV_ISA_EXT | extensions[word * 64 + i], on = 0;

		if (get_one(vcpu, id, &on) == 0 && on)
			bits |= UINT64_C(1) << i;
	}
	*ret_bits = bits;
	return 0;
}

int kvm_isa_set_regs(struct backend_vcpu *vcpu, const struct backend_reg *regs, size_t n,
	struct backend_error *err)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t id = REG_CLASS(regs[i].id) == REG_RISCV_CONF ? NONE : id_of(regs[i].id);
		int r = id == NONE ? -ENOENT : set_one(vcpu, id, regs[i].value);

		if (r < 0)
			return backend_fail(err, r, "KVM cannot set register 0x%08x of vCPU %u: %s",
				regs[i].id, vcpu->index, strerror(-r));
	}
	return 0;
}

int kvm_isa_get_regs(struct backend_vcpu *vcpu, struct backend_reg *regs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t number = REG_NUMBER(regs[i].id);
		uint64_t id = id_of(regs[i].id);
		int r = -ENOENT;

		if (regs[i].id == RISCV_X(0)) {
			regs[i].value = 0;
			continue;
		}
		if (id != NONE)
			r = get_one(vcpu, id, &regs[i].value);
		else if (REG_CLASS(regs[i].id) == REG_RISCV_CONF && number >= RISCV_CONF_EXT)
			r = get_extensions(vcpu, number - RISCV_CONF_EXT, &regs[i].value);
		if (r < 0)
			return r == -EINVAL ? -ENOENT : r;
	}
	return 0;
}

/* ---- the beginning ---- */

static int read_list(int fd, struct kvm_reg_list **ret_list)
{
	struct kvm_reg_list probe = { 0 }, *list;
	int r = kvm_ioctl(fd, KVM_GET_REG_LIST, &probe);

	if (r < 0 && r != -E2BIG)
		return r;
	list = calloc(1, sizeof(*list) + probe.n * sizeof(list->reg[0]));
	if (!list)
		return -ENOMEM;
	list->n = probe.n;
	r = kvm_ioctl(fd, KVM_GET_REG_LIST, list);
	if (r < 0)
		free(list);
	else
		*ret_list = list;
	return r;
}

/* What a guest changes, in registers of up to 64 bits; the timer is stopped in its own way. */
static bool is_kept(uint64_t id)
{
	if ((id & KVM_REG_SIZE_MASK) > KVM_REG_SIZE_U64)
		return false;
	switch (id & KVM_REG_RISCV_TYPE_MASK) {
	case KVM_REG_RISCV_CORE:
	case KVM_REG_RISCV_CSR:
	case KVM_REG_RISCV_FP_F:
	case KVM_REG_RISCV_FP_D:
	case KVM_REG_RISCV_SBI_STATE:
		return true;
	default:
		return false;
	}
}

static int save(struct backend_vcpu *vcpu)
{
	struct kvm_isa_vcpu *isa = vcpu->isa;
	struct kvm_reg_list *list;
	int r = read_list(vcpu->fd, &list);

	if (r < 0)
		return r;
	isa->saved = calloc(list->n + 1, sizeof(*isa->saved));
	if (!isa->saved)
		r = -ENOMEM;
	for (uint64_t i = 0; i < list->n && r == 0; i++) {
		struct kvm_riscv_reg *reg = &isa->saved[isa->n_saved];

		if (!is_kept(list->reg[i]))
			continue;
		reg->id = list->reg[i];
		r = get_one(vcpu, reg->id, &reg->value);
		isa->n_saved++;
	}
	free(list);
	return r;
}

/* What the guest says through its firmware comes here instead of being refused, in kernels that
 * leave the choice. */
static void ask_for_console(const struct backend_vcpu *vcpu)
{
	(void)set_one(vcpu, ONE_REG | KVM_REG_RISCV_SBI_EXT | KVM_RISCV_SBI_EXT_DBCN, 1);
}

/* The first one runs, the others wait for the call that starts them.  KVM's own idea of the first
 * is the one that was created first. */
static int set_power(const struct backend_vcpu *vcpu)
{
	struct kvm_mp_state state = { .mp_state = vcpu->index == 0 ? KVM_MP_STATE_RUNNABLE
								   : KVM_MP_STATE_STOPPED };

	return kvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &state);
}

static int note_order(const struct backend_vcpu *vcpu)
{
	struct kvm_isa_vm *vm = vcpu->vm->isa;

	if (vcpu->order >= vm->vcpus)
		return -EINVAL;
	vm->created[vcpu->order] = vcpu->index;
	return 0;
}

int kvm_isa_vcpu_create(struct backend_vcpu *vcpu, struct backend_error *err)
{
	int r;

	vcpu->isa = calloc(1, sizeof(*vcpu->isa));
	if (!vcpu->isa)
		return backend_fail(err, -ENOMEM, "out of memory");
	ask_for_console(vcpu);
	r = note_order(vcpu);
	if (r == 0)
		r = set_power(vcpu);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot set up vCPU %u: %s", vcpu->index, strerror(-r));
	r = save(vcpu);
	if (r < 0)
		return backend_fail(err, r,
			"KVM does not show the registers of vCPU %u (Linux 6.6 or later does): %s",
			vcpu->index, strerror(-r));
	return 0;
}

void kvm_isa_vcpu_destroy(struct backend_vcpu *vcpu)
{
	if (vcpu->isa)
		free(vcpu->isa->saved);
	free(vcpu->isa);
	vcpu->isa = NULL;
}

/* The comparator goes to the end of time, also where it is the guest's own register; then the timer
 * that would wait for it is switched off, which is refused for one that is. */
static int stop_timer(const struct backend_vcpu *vcpu)
{
	const uint64_t compare = ONE_REG | KVM_REG_RISCV_TIMER | KVM_REG_RISCV_TIMER_REG(compare);
	const uint64_t state = ONE_REG | KVM_REG_RISCV_TIMER | KVM_REG_RISCV_TIMER_REG(state);
	int r = set_one(vcpu, compare, UINT64_MAX);

	if (r == 0)
		r = set_one(vcpu, state, KVM_RISCV_TIMER_STATE_ON);
	if (r == 0)
		(void)set_one(vcpu, state, KVM_RISCV_TIMER_STATE_OFF);
	return r;
}

/* The timer goes first: its interrupt is dropped with what is pending. */
int kvm_isa_vcpu_reset(struct backend_vcpu *vcpu, struct backend_error *err)
{
	const struct kvm_isa_vcpu *isa = vcpu->isa;
	int r = stop_timer(vcpu);

	for (size_t i = 0; i < isa->n_saved && r == 0; i++)
		r = set_one(vcpu, isa->saved[i].id, isa->saved[i].value);
	if (r == 0)
		r = set_power(vcpu);
	if (r < 0)
		return backend_fail(
			err, r, "KVM cannot reset vCPU %u: %s", vcpu->index, strerror(-r));
	return 0;
}

/* There is no exit for these, the error is all that KVM says.  A processor would raise an access
 * fault, which the guest could handle, but the address is in KVM's log alone. */
const char *kvm_isa_guest_fault(int code)
{
	switch (code) {
	case -EOPNOTSUPP:
		return "the guest jumped to an address where there is no memory, or accessed one "
		       "with an instruction that KVM cannot take apart";
	case -EIO:
		return "the guest accessed an address where there is no memory, and which is not "
		       "a multiple of the access's size";
	default:
		return NULL;
	}
}
