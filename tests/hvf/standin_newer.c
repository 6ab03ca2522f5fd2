/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What macOS has from versions 13 and 15 on, in a library of its own: configurations of machines,
 * and the framework's interrupt controller.  It writes down what it is told.
 */
#include "tests/hvf/standin.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAX_BITS  40u
#define FIRST_SPI 32u
#define SPIS      956u

struct hv_vm_config_s {
	uint32_t bits;
};

struct hv_gic_config_s {
	hv_ipa_t distributor, redistributor;
};

hv_vm_config_t hv_vm_config_create(void)
{
	return calloc(1, sizeof(struct hv_vm_config_s));
}

hv_return_t hv_vm_config_get_max_ipa_size(uint32_t *ipa_bit_length)
{
	*ipa_bit_length = MAX_BITS;
	return HV_SUCCESS;
}

hv_return_t hv_vm_config_set_ipa_size(hv_vm_config_t config, uint32_t ipa_bit_length)
{
	config->bits = ipa_bit_length;
	return ipa_bit_length <= MAX_BITS ? HV_SUCCESS : HV_BAD_ARGUMENT;
}

void os_release(void *object)
{
	free(object);
}

hv_gic_config_t hv_gic_config_create(void)
{
	return calloc(1, sizeof(struct hv_gic_config_s));
}

hv_return_t hv_gic_config_set_distributor_base(hv_gic_config_t config, hv_ipa_t base)
{
	config->distributor = base;
	return HV_SUCCESS;
}

hv_return_t hv_gic_config_set_redistributor_base(hv_gic_config_t config, hv_ipa_t base)
{
	config->redistributor = base;
	return HV_SUCCESS;
}

hv_return_t hv_gic_create(hv_gic_config_t config)
{
	hv_return_t ret;

	if (standin_fails("hv_gic_create", &ret))
		return ret;
	standin_say("hv_gic_create 0x%" PRIx64 " 0x%" PRIx64, config->distributor,
		config->redistributor);
	return HV_SUCCESS;
}

hv_return_t hv_gic_reset(void)
{
	standin_say("hv_gic_reset");
	return HV_SUCCESS;
}

hv_return_t hv_gic_set_spi(uint32_t intid, bool level)
{
	if (intid < FIRST_SPI || intid >= FIRST_SPI + SPIS)
		return HV_BAD_ARGUMENT;
	standin_say("hv_gic_set_spi %u %d", intid, level);
	return HV_SUCCESS;
}

hv_return_t hv_gic_get_spi_interrupt_range(uint32_t *intid_base, uint32_t *intid_count)
{
	*intid_base = FIRST_SPI;
	*intid_count = SPIS;
	return HV_SUCCESS;
}
