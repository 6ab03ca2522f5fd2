/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hvf backend uses of macOS's Hypervisor framework on Apple silicon, declared after its
 * public documentation: to compile the backend where there is no Mac, and for the stand-in beside
 * it.  On a Mac the system's own header is found instead.
 */
#ifndef HYPERVISOR_HYPERVISOR_H
#define HYPERVISOR_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t hv_return_t;

#define HV_SUCCESS             0
#define HV_ERROR               ((hv_return_t)0xfae94001)
#define HV_BUSY                ((hv_return_t)0xfae94002)
#define HV_BAD_ARGUMENT        ((hv_return_t)0xfae94003)
#define HV_ILLEGAL_GUEST_STATE ((hv_return_t)0xfae94004)
#define HV_NO_RESOURCES        ((hv_return_t)0xfae94005)
#define HV_NO_DEVICE           ((hv_return_t)0xfae94006)
#define HV_DENIED              ((hv_return_t)0xfae94007)
#define HV_UNSUPPORTED         ((hv_return_t)0xfae9400f)

/* ---- the machine ---- */

typedef uint64_t hv_ipa_t;
typedef uint64_t hv_memory_flags_t;
typedef struct hv_vm_config_s *hv_vm_config_t;

enum { HV_MEMORY_READ = 1, HV_MEMORY_WRITE = 2, HV_MEMORY_EXEC = 4 };

hv_return_t hv_vm_create(hv_vm_config_t config);
hv_return_t hv_vm_destroy(void);
hv_return_t hv_vm_get_max_vcpu_count(uint32_t *max_vcpu_count);
hv_return_t hv_vm_map(void *addr, hv_ipa_t ipa, size_t size, hv_memory_flags_t flags);
hv_return_t hv_vm_unmap(hv_ipa_t ipa, size_t size);
hv_return_t hv_vm_protect(hv_ipa_t ipa, size_t size, hv_memory_flags_t flags);

/* ---- processors ---- */

typedef uint64_t hv_vcpu_t;
typedef struct hv_vcpu_config_s *hv_vcpu_config_t;
typedef uint32_t hv_exit_reason_t;
typedef uint32_t hv_reg_t;
typedef uint32_t hv_simd_fp_reg_t;
typedef uint16_t hv_sys_reg_t;
typedef uint32_t hv_interrupt_type_t;
typedef uint8_t hv_simd_fp_uchar16_t __attribute__((vector_size(16)));

enum {
	HV_EXIT_REASON_CANCELED,
	HV_EXIT_REASON_EXCEPTION,
	HV_EXIT_REASON_VTIMER_ACTIVATED,
	HV_EXIT_REASON_UNKNOWN,
};

enum { HV_INTERRUPT_TYPE_IRQ, HV_INTERRUPT_TYPE_FIQ };

enum {
	HV_REG_X0 = 0, /* and so on */
	HV_REG_PC = 31,
	HV_REG_FPCR,
	HV_REG_FPSR,
	HV_REG_CPSR,
};

enum { HV_SIMD_FP_REG_Q0 = 0 /* and so on */ };

/* By their encodings: op0, op1, CRn, CRm, op2. */
enum {
	HV_SYS_REG_MPIDR_EL1 = 0xc005,
	HV_SYS_REG_SP_EL1 = 0xe208,
	HV_SYS_REG_CNTV_CTL_EL0 = 0xdf19,
	HV_SYS_REG_CNTV_CVAL_EL0 = 0xdf1a,
};

typedef struct {
	uint64_t syndrome;
	uint64_t virtual_address;
	hv_ipa_t physical_address;
} hv_vcpu_exit_exception_t;

typedef struct {
	hv_exit_reason_t reason;
	hv_vcpu_exit_exception_t exception;
} hv_vcpu_exit_t;

hv_return_t hv_vcpu_create(hv_vcpu_t *vcpu, hv_vcpu_exit_t **exit, hv_vcpu_config_t config);
hv_return_t hv_vcpu_destroy(hv_vcpu_t vcpu);
hv_return_t hv_vcpu_run(hv_vcpu_t vcpu);
hv_return_t hv_vcpus_exit(hv_vcpu_t *vcpus, uint32_t vcpu_count);
hv_return_t hv_vcpu_get_reg(hv_vcpu_t vcpu, hv_reg_t reg, uint64_t *value);
hv_return_t hv_vcpu_set_reg(hv_vcpu_t vcpu, hv_reg_t reg, uint64_t value);
hv_return_t hv_vcpu_get_sys_reg(hv_vcpu_t vcpu, hv_sys_reg_t reg, uint64_t *value);
hv_return_t hv_vcpu_set_sys_reg(hv_vcpu_t vcpu, hv_sys_reg_t reg, uint64_t value);
hv_return_t hv_vcpu_set_simd_fp_reg(
	hv_vcpu_t vcpu, hv_simd_fp_reg_t reg, hv_simd_fp_uchar16_t value);
hv_return_t hv_vcpu_set_pending_interrupt(hv_vcpu_t vcpu, hv_interrupt_type_t type, bool pending);
hv_return_t hv_vcpu_set_vtimer_mask(hv_vcpu_t vcpu, bool vtimer_is_masked);
hv_return_t hv_vcpu_get_vtimer_offset(hv_vcpu_t vcpu, uint64_t *vtimer_offset);

/* ---- macOS 13 and 15: looked up by name, so that the backend starts without them ---- */

typedef struct hv_gic_config_s *hv_gic_config_t;

hv_vm_config_t hv_vm_config_create(void);
hv_return_t hv_vm_config_get_max_ipa_size(uint32_t *ipa_bit_length);
hv_return_t hv_vm_config_set_ipa_size(hv_vm_config_t config, uint32_t ipa_bit_length);
hv_gic_config_t hv_gic_config_create(void);
hv_return_t hv_gic_config_set_distributor_base(hv_gic_config_t config, hv_ipa_t base);
hv_return_t hv_gic_config_set_redistributor_base(hv_gic_config_t config, hv_ipa_t base);
hv_return_t hv_gic_create(hv_gic_config_t config);
hv_return_t hv_gic_reset(void);
hv_return_t hv_gic_set_spi(uint32_t intid, bool level);
hv_return_t hv_gic_get_spi_interrupt_range(uint32_t *intid_base, uint32_t *intid_count);
void os_release(void *object);

#endif
