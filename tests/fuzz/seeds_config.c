/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations: a file with everything in it, and the overrides. */
#include "tests/fuzz/seeds.h"

#include <string.h>

static void save(const char *name, const char *text)
{
	struct seed s = { .n = 0 };

	seed_put(&s, text, strlen(text));
	seed_save("fuzz_config", name, &s);
}

void seeds_config(void)
{
	save("file", "vm: { name = \"a\"; vcpus = 2; memory = \"512M\"; hypervisor = \"auto\"; };\n"
		     "payload: { kernel = \"k\"; initrd = \"i\"; cmdline = \"console=hvc0\"; };\n"
		     "devices = ( { type = \"x\"; path = \"p\"; read_only = true; queues = 4;\n"
		     "  limit = \"64K\"; base = \"0xd0000000\"; cache = \"none\";\n"
		     "  mac = \"52:54:00:12:34:56\"; fd = 3; key = \"k\"; tags = ( \"a\", \"b\" ); "
		     "} );\n");
	save("firmware", "payload: { firmware = \"f\"; };\nvm: { memory = \"64M\"; };\n");
	save("set", "--set vm.vcpus=4\npayload: { bundle = \"b\"; };\n");
	save("device", "--device x,path=p,read_only=on,tags=a\npayload: { kernel = \"k\"; };\n");
}
