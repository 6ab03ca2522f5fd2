/* SPDX-License-Identifier: Apache-2.0 */
/*
 * riscv64: the address space and the table of what the architecture provides.
 *
 * RAM begins at 2 GiB and is in one piece; interrupt controllers and windows of devices lie below.
 */
#include "arch/riscv64/riscv64.h"

#include <errno.h>

#include <tenon/iov.h>

#include "arch/arch.h"
#include "arch/riscv64/isa.h"
#include "arch/riscv64/plic.h"
#include "arch/riscv64/sbi.h"
#include "core/error.h"
#include "core/guest_memory.h"
#include "core/payload.h"

#define MIB        (1024ull * 1024)
#define GIB        (1024 * MIB)
#define MEMORY_MIN (64 * MIB)
#define MEMORY_MAX (1024 * GIB)

#define CSR_SEED  0x015u
#define SEED_ES16 (2u << 30) /* the status that says that the low half is entropy */

const struct arch_layout riscv_layout = {
	.ram_base = RISCV_RAM_BASE,
	.mmio_base = RISCV_MMIO_BASE,
	.mmio_end = RISCV_MMIO_END,
	.shm_align = GIB,
	.irq_first = 1,
	.irq_last = RISCV_SOURCES,
	.max_virtio = 200,
	.max_vcpus = RISCV_MAX_VCPUS,
	.cmdline_max = 65536,
	.irqchip_gpa = {
		[IRQCHIP_RISCV_APLIC] = RISCV_APLIC_BASE,
		[IRQCHIP_RISCV_IMSIC] = RISCV_IMSIC_BASE,
	},
};

int riscv_create_memory(
	struct guest_memory *gm, uint64_t bytes, const struct payload *payload, struct error *err)
{
	(void)payload;
	if (bytes < MEMORY_MIN || bytes > MEMORY_MAX || bytes % MIB != 0)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"the guest's memory is %llu bytes, a whole number of MiB from 64M to 1024G "
			"is wanted",
			(unsigned long long)bytes);
	return guest_memory_add(gm, RISCV_RAM_BASE, bytes, GUEST_RAM, false, err);
}

/* The vCPU was reset before: all else is zero. */
int riscv_vcpu_state(const struct guest_memory *gm, const struct loaded *loaded,
	const struct machine *machine, uint32_t index, struct arch_vcpu_state *ret_state)
{
	(void)gm;
	(void)machine;
	*ret_state = (struct arch_vcpu_state){ .n_regs = 0 };
	if (index > 0)
		return 0; /* an SBI call sets and starts it */
	ret_state->regs[0] = (struct backend_reg){ RISCV_PC, 0, loaded->entry };
	ret_state->regs[1] = (struct backend_reg){ RISCV_X(10), 0, index };
	ret_state->regs[2] = (struct backend_reg){ RISCV_X(11), 0, loaded->fdt_gpa };
	ret_state->n_regs = 3;
	return 0;
}

/* Zkr's source of entropy, where reading it leaves the guest. */
void riscv_sysreg(const struct arch_host *host, struct vcpu_exit *exit)
{
	uint16_t entropy;

	(void)host;
	exit->sysreg.handled = false;
	if (exit->sysreg.id != RISCV_CSR(CSR_SEED) || tenon_random(&entropy, sizeof(entropy)) < 0)
		return;
	exit->sysreg.value = SEED_ES16 | entropy;
	exit->sysreg.handled = true;
}

/* Off and reset are SBI's.  The clock of a PC has ports. */
static const struct arch_form forms[] = {
	{ "power", "button" },
	{ "rtc", "goldfish" },
	{ NULL, NULL },
};

const struct arch arch_riscv64 = {
	.isa = ISA_RISCV64,
	.name = "riscv64",
	.layout = &riscv_layout,
	.create_memory = riscv_create_memory,
	.load = riscv_load,
	.boot_tables = riscv_boot_tables,
	.vcpu_state = riscv_vcpu_state,
	.facts = isa_facts,
	.forms = forms,
	.irqchip = &plic_ops,
	.call = sbi_call,
	.sysreg = riscv_sysreg,
};
