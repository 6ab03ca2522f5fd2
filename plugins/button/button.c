/* SPDX-License-Identifier: Apache-2.0 */
/*
 * button: a keyboard whose one key is the power button, for machines without ACPI whose kernels
 * have no driver for a button alone.
 *
 * Two registers of 32 bits, as of Altera's PS/2 core: data (a byte of the keyboard's in bits 0..7,
 * bit 15 set with it, in bits 16..31 how many wait, itself included; a write goes to the keyboard)
 * and control (bit 0 enables the interrupt, bit 8 says that bytes wait).  The keyboard speaks scan
 * code set 2: it acknowledges each byte, has an identity, and passes its test.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <tenon/tenon.h>

#define DATA        0u
#define CONTROL     4u
#define WINDOW_SIZE 8u

#define DATA_VALID 0x8000u
#define DATA_COUNT 16 /* the bits from there */
#define CONTROL_RE 0x001u
#define CONTROL_RI 0x100u
#define FIFO_SIZE  32u /* more is dropped, as by a keyboard whose host does not listen */

/* Commands to the keyboard; what follows one is acknowledged as any byte. */
#define COMMAND_IDENTITY 0xf2u
#define COMMAND_RESET    0xffu
#define ACKNOWLEDGE      0xfau

struct button {
	struct tenon_region *window;
	struct tenon_irq *irq;
	uint8_t fifo[FIFO_SIZE];
	uint32_t n;
	int enabled; /* the interrupt */
};

static const struct tenon_host *host;
static const struct tenon_mmio *mmio;
static const struct tenon_irq_svc *irq;
static const struct tenon_power *power_svc;
static const struct tenon_firmware *firmware;

static void update(struct button *b)
{
	irq->set(b->irq, b->enabled && b->n > 0);
}

/* All of it or nothing: half a scan code would be another key. */
static void say(struct button *b, const uint8_t *bytes, uint32_t n)
{
	if (n > FIFO_SIZE - b->n)
		return;
	memcpy(b->fifo + b->n, bytes, n);
	b->n += n;
}

static uint32_t take(struct button *b)
{
	uint32_t value = b->n << DATA_COUNT;

	if (b->n == 0)
		return 0;
	value |= DATA_VALID | b->fifo[0];
	b->n--;
	memmove(b->fifo, b->fifo + 1, b->n);
	return value;
}

static void hear(struct button *b, uint8_t command)
{
	static const uint8_t identity[] = { ACKNOWLEDGE, 0xab, 0x83 };
	static const uint8_t passed[] = { ACKNOWLEDGE, 0xaa };

	if (command == COMMAND_IDENTITY)
		say(b, identity, sizeof(identity));
	else if (command == COMMAND_RESET)
		say(b, passed, sizeof(passed));
	else
		say(b, identity, 1);
}

static uint64_t window_read(struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size)
{
	struct button *b = host->priv(dev);
	uint64_t value = 0;

	(void)opaque;
	if (size != 4)
		return 0;
	if (offset == DATA)
		value = take(b);
	else if (offset == CONTROL)
		value = (b->enabled ? CONTROL_RE : 0) | (b->n ? CONTROL_RI : 0);
	update(b);
	return value;
}

static void window_write(
	struct tenon_dev *dev, void *opaque, uint64_t offset, uint32_t size, uint64_t value)
{
	struct button *b = host->priv(dev);

	(void)opaque;
	if (size != 4)
		return;
	if (offset == DATA)
		hear(b, (uint8_t)value);
	else if (offset == CONTROL)
		b->enabled = (value & CONTROL_RE) != 0;
	update(b);
}

static const struct tenon_region_ops window_ops = {
	.struct_size = sizeof(window_ops),
	.read = window_read,
	.write = window_write,
};

/* Down and up again. */
static void pressed(struct tenon_dev *dev)
{
	static const uint8_t power_key[] = { 0xe0, 0x37, 0xe0, 0xf0, 0x37 };
	struct button *b = host->priv(dev);

	say(b, power_key, sizeof(power_key));
	update(b);
}

static int button_attach(struct tenon_dev *dev)
{
	const struct tenon_region_desc desc = {
		.struct_size = sizeof(desc),
		.space = TENON_SPACE_MMIO,
		.size = WINDOW_SIZE,
		.name = "power button",
		.ops = &window_ops,
	};
	struct button *b = host->priv(dev);
	int ret = mmio->region_create(dev, &desc, &b->window);

	if (ret == 0)
		ret = mmio->map(b->window, TENON_ADDR_ANY);
	if (ret == 0)
		ret = irq->alloc(dev, TENON_IRQ_LEVEL, TENON_IRQ_ANY, &b->irq);
	if (ret == 0)
		ret = power_svc->button(dev, pressed);
	return ret;
}

static int button_describe(struct tenon_dev *dev, struct tenon_fw *fw)
{
	const struct button *b = host->priv(dev);
	struct tenon_fw_node *node = firmware->node(fw, "keyboard");
	int ret = node ? firmware->compatible(node, "altr,ps2-1.0") : -ENOMEM;

	if (ret == 0)
		ret = firmware->region(node, b->window);
	return ret < 0 ? ret : firmware->irq(node, b->irq);
}

static void button_reset(struct tenon_dev *dev)
{
	struct button *b = host->priv(dev);

	b->n = 0;
	b->enabled = 0;
	update(b);
}

static void button_detach(struct tenon_dev *dev)
{
	struct button *b = host->priv(dev);

	irq->free(b->irq);
	mmio->region_destroy(b->window);
	*b = (struct button){ .window = NULL };
}

static const struct tenon_key keys[] = {
	{ "i8042", TENON_KEY_BOOL, 0, "true", NULL,
		"nothing here: what it names in a power device takes ports" },
	{ NULL, 0, 0, NULL, NULL, NULL },
};

static const struct tenon_device_class button_class = {
	.struct_size = sizeof(button_class),
	.threads = TENON_SERIAL,
	.name = "button",
	.summary = "the power button as a keyboard, where there is no ACPI",
	.keys = keys,
	.priv_size = sizeof(struct button),
	.attach = button_attach,
	.reset = button_reset,
	.describe = button_describe,
	.detach = button_detach,
};

static const struct tenon_device_class *const classes[] = { &button_class, NULL };

static int button_init(const struct tenon_host *h)
{
	host = h;
	mmio = h->service(TENON_SVC_MMIO);
	irq = h->service(TENON_SVC_IRQ);
	power_svc = h->service(TENON_SVC_POWER);
	firmware = h->service(TENON_SVC_FIRMWARE);
	if (TENON_HAS(mmio, region_destroy) && TENON_HAS(irq, free) &&
		TENON_HAS(power_svc, button) && TENON_HAS(firmware, region))
		return 0;
	h->log(NULL, TENON_LOG_ERR, "button: this core lacks a service that is needed");
	return -ENOTSUP;
}

TENON_PLUGIN("org.tenon.button", "0.1.0", "Apache-2.0", button_init, classes, "button");
