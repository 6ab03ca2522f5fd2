/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that says when its code runs: on being loaded, on init and on create.  One that the core
 * refuses for what its note says must stay silent; LIAR has a descriptor that disagrees with the
 * note, so that only being loaded is allowed; MUTE exports nothing.
 */
#include <stdio.h>

#include <tenon/plugin.h>

__attribute__((constructor)) static void loaded(void)
{
	(void)fputs("loud: loaded\n", stderr);
}

static int loud_init(const struct tenon_host *host)
{
	(void)host;
	(void)fputs("loud: init\n", stderr);
	return 0;
}

static int loud_create(struct tenon_dev *dev, const struct tenon_config *config)
{
	(void)dev;
	(void)config;
	(void)fputs("loud: create\n", stderr);
	return 0;
}

static const struct tenon_device_class loud_class = {
	.struct_size = sizeof(loud_class),
	.name = "loud",
	.create = loud_create,
};

static const struct tenon_device_class *const classes[] = { &loud_class, NULL };

#ifdef LIAR
#undef TENON_PLUGIN_SYMBOL
#define TENON_PLUGIN_SYMBOL honest
#endif
#ifdef MUTE
#undef TENON_PLUGIN_SYMBOL
#define TENON_PLUGIN_SYMBOL tenon_plugin_v9
#endif

TENON_PLUGIN("org.tenon.loud", "1.0", "Apache-2.0", loud_init, classes, "loud");

#ifdef LIAR
TENON_EXPORT extern const struct tenon_plugin tenon_plugin_v0;
const struct tenon_plugin tenon_plugin_v0 = {
	.struct_size = sizeof(struct tenon_plugin),
	.abi_major = TENON_ABI_MAJOR,
	.abi_minor = TENON_ABI_MINOR + 1,
	.id = "org.tenon.loud",
	.init = loud_init,
	.devices = classes,
};
#endif
