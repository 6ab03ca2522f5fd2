/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power: how the guest switches itself off, resets itself, and hears of the power button.
 *
 * Three registers of one byte each, as ACPI's hardware-reduced model has them (ACPI 6.4, 4.8.3.7
 * and 4.8.3.6): sleep control, sleep status, reset.  They are ports, and the reset line of the old
 * keyboard controller is there as well, for kernels that know no other way.  A platform without
 * ports has the button alone: an edge of its own, which a device tree makes a key of.
 */
#include <errno.h>
#include <stdint.h>

#include <tenon/tenon.h>

#define PORT          0x604u
#define SLEEP_CONTROL 0u
#define SLEEP_STATUS  1u
#define RESET         2u
#define N_REGISTERS   4u
#define RESET_VALUE   1u

/* Sleep control: SLP_TYP in bits 2..4, SLP_EN in bit 5.  The tables say that S5 is type 5. */
#define SLP_TYP(v) (((v) >> 2) & 7u)
#define SLP_EN     0x20u
#define TYPE_S5    5u

/* Keyboard controller: command port; commands 0xf0..0xff pulse output lines, bit 0 is the reset. */
#define I8042_PORT    0x64u
#define I8042_PULSE   0xf0u
#define I8042_NO_LINE 0x01u

struct power {
	struct tenon_region *registers, *i8042;
	struct tenon_irq *button;
	int want_i8042;
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_irq_svc *irq;
static const struct tenon_power *power_svc;
static const struct tenon_firmware *firmware;

static uint64_t register_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	(void)dev;
	(void)opaque;
	(void)offset;
	(void)size;
	return 0; /* never asleep, never woken */
}

static void register_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)opaque;
	(void)size;
	if (offset == SLEEP_CONTROL && (value & SLP_EN) && SLP_TYP(value) == TYPE_S5)
		power_svc->off(dev);
	else if (offset == RESET && (value & 0xff) == RESET_VALUE)
		power_svc->reset(dev);
}

static const struct tenon_region_ops register_ops = {
	.struct_size = sizeof(register_ops),
	.read = register_read,
	.write = register_write,
};

static void i8042_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	(void)opaque;
	(void)offset;
	(void)size;
	if ((value & 0xf0) == I8042_PULSE && !(value & I8042_NO_LINE))
		power_svc->reset(dev);
}

static const struct tenon_region_ops i8042_ops = {
	.struct_size = sizeof(i8042_ops),
	.read = register_read, /* status: no data, no keyboard */
	.write = i8042_write,
};

static void pressed(struct tenon_dev *dev)
{
	struct power *p = host->priv(dev);

	irq->pulse(p->button);
}

static int power_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	struct power *p = host->priv(dev);

	p->want_i8042 = (int)host->conf_int(config, "i8042");
	return 0;
}

/*
 * Without ports there is no ACPI either: the guest switches itself off by a call to its firmware,
 * and the button is all that is left.
 */
static int open_registers(struct tenon_dev *dev, struct power *p)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_PIO,
		.size = N_REGISTERS,
		.name = "power",
		.ops = &register_ops,
	};
	int ret = mmio->region_create(dev, &desc, &p->registers);

	if (ret == 0)
		return mmio->map(p->registers, PORT);
	if (ret != -ENOTSUP)
		return ret;
	p->want_i8042 = 0;
	return 0;
}

static int power_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc i8042 = {
		.struct_size = sizeof(i8042),
		.space = TENON_SPACE_PIO,
		.size = 1,
		.name = "keyboard controller",
		.ops = &i8042_ops,
	};
	struct power *p = host->priv(dev);
	int ret = open_registers(dev, p);

	if (ret == 0 && p->want_i8042) {
		ret = mmio->region_create(dev, &i8042, &p->i8042);
		if (ret == 0)
			ret = mmio->map(p->i8042, I8042_PORT);
	}
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_EDGE, TENON_IRQ_ANY, &p->button);
	if (ret == 0)
		ret = power_svc->button(dev, pressed);
	return ret;
}

static int power_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct power *p = host->priv(dev);
	int ret = 0;

	if (p->registers)
		ret = firmware->power_registers(
			fw, p->registers, SLEEP_CONTROL, SLEEP_STATUS, RESET, RESET_VALUE);
	return ret < 0 ? ret : firmware->power_button(fw, p->button);
}

static void power_detach(struct tenon_dev *dev)
{
	struct power *p = host->priv(dev);

	irq->free(p->button);
	mmio->region_destroy(p->i8042);
	mmio->region_destroy(p->registers);
	*p = (struct power){ .registers = NULL };
}

static const struct tenon_key power_keys[] = {
	{ "i8042", TENON_KEY_BOOL, 0, "true", NULL,
		"the reset line of the keyboard controller at port 0x64, where there are ports" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class power_class = {
	.struct_size = sizeof(power_class),
	.threads = TENON_SERIAL,
	.name = "power",
	.summary = "power-off, reset and the power button",
	.keys = power_keys,
	.priv_size = sizeof(struct power),
	.create = power_create,
	.attach = power_attach,
	.describe = power_describe,
	.detach = power_detach,
};

static const struct tenon_device_class *const classes[] = { &power_class, NULL };

static int power_init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	irq = h->service(TENON_SVC_IRQ);
	power_svc = h->service(TENON_SVC_POWER);
	firmware = h->service(TENON_SVC_FIRMWARE);
	if (TENON_HAS(mmio, region_destroy) && TENON_HAS(irq, free) &&
		TENON_HAS(power_svc, button) && TENON_HAS(firmware, power_button))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "power: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.power", "0.1.0", "Apache-2.0", power_init, classes, "power");
