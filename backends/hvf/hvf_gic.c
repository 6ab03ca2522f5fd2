/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The framework's own GICv3, which macOS has from version 15 on.  Without it, or where it has too
 * few interrupts, the core brings one.
 */
#include "backends/hvf/hvf.h"

#include <errno.h>

#define SPI_BASE   32u
#define SPIS_LEAST 256u /* more devices than that there are not */

static hv_return_t create(const struct backend_vm *vm)
{
	const struct hvf_newer *f = hvf_newer();
	hv_gic_config_t config = f->gic_config_create();
	hv_return_t ret;

	if (!config)
		return HV_NO_RESOURCES;
	ret = f->gic_set_distributor(config, vm->gicd);
	if (ret == HV_SUCCESS)
		ret = f->gic_set_redistributor(config, vm->gicr);
	if (ret == HV_SUCCESS)
		ret = f->gic_create(config);
	f->release(config);
	return ret;
}

int hvf_irqchip_create(struct backend_vm *vm, struct backend_error *err)
{
	hv_return_t ret;

	if (!hvf_has_gic())
		return -ENOTSUP;
	ret = hvf_newer()->gic_get_spis(&vm->first_spi, &vm->spis);
	if (ret == HV_SUCCESS && (vm->first_spi > SPI_BASE || vm->spis < SPIS_LEAST))
		return -ENOTSUP;
	if (ret == HV_SUCCESS)
		ret = create(vm);
	if (ret == HV_UNSUPPORTED)
		return -ENOTSUP;
	if (ret != HV_SUCCESS)
		return backend_fail(err, hvf_errno(ret),
			"macOS cannot create the interrupt controller: %s", hvf_text(ret));
	vm->gic = true;
	return 0;
}

int hvf_irqchip_finish(struct backend_vm *vm, struct backend_error *err)
{
	return vm->gic ? 0 : -ENOTSUP;
}

int hvf_irq_line(struct backend_vm *vm, uint32_t gsi, bool level)
{
	if (!vm->gic)
		return -ENOTSUP;
	if (gsi >= vm->spis || SPI_BASE + gsi - vm->first_spi >= vm->spis)
		return -EINVAL;
	return hvf_errno(hvf_newer()->gic_set_spi(SPI_BASE + gsi, level));
}

int hvf_vm_reset(struct backend_vm *vm, struct backend_error *err)
{
	hv_return_t ret = vm->gic ? hvf_newer()->gic_reset() : HV_SUCCESS;

	if (ret != HV_SUCCESS)
		return backend_fail(err, hvf_errno(ret),
			"macOS cannot reset the interrupt controller: %s", hvf_text(ret));
	return 0;
}
