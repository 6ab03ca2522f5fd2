/* SPDX-License-Identifier: Apache-2.0 */
/* What --help says. */
#include "core/cli.h"

/* `run` and `check` take the same description of a VM. */
#define VM_OPTIONS                                                                                 \
	"  --set KEY=VALUE       change one setting: vm.memory=1G, payload.cmdline=quiet,\n"       \
	"                        devices.NAME.KEY=VALUE\n"                                         \
	"  --device TYPE,KEY=VALUE,...\n"                                                          \
	"                        add a device\n"                                                   \
	"  --kernel FILE         what to boot: a kernel,\n"                                        \
	"  --bundle FILE         or a library that holds one,\n"                                   \
	"  --firmware FILE       or firmware\n"                                                    \
	"  --initrd FILE         initial RAM disk of the kernel\n"                                 \
	"  --append TEXT         the kernel's command line\n"                                      \
	"  --memory SIZE         of the guest, such as 512M\n"                                     \
	"  --cpus N              virtual CPUs\n"                                                   \
	"  --hypervisor NAME     a backend, or auto\n"

#define COMMON_OPTIONS                                                                             \
	"  -v, --verbose         say more; twice: say all\n"                                       \
	"  --log-file FILE       append messages to a file\n"                                      \
	"  -h, --help            this text\n"

static const char *const help[] = {
	[CLI_NONE] = "usage: tenon COMMAND [OPTION]...\n"
		     "\n"
		     "  run FILE       start the VM that a file describes\n"
		     "  run --kernel K start one without a file\n"
		     "  check FILE     check a file and print the machine it makes\n"
		     "  plugins        list the plugins that are installed\n"
		     "  host           say what this host can do\n"
		     "  bundle         make a bundle of a kernel and an initrd\n"
		     "  serve TYPE     lend one device to another VMM, through vhost-user\n"
		     "\n"
		     "  -V, --version  print the version; with -v, paths and interface "
		     "too\n" COMMON_OPTIONS "\n"
		     "`tenon COMMAND --help` says more. See also tenon(1) and tenon.conf(5).\n",

	[CLI_RUN] = "usage: tenon run FILE [OPTION]...\n"
		    "       tenon run --kernel FILE [OPTION]...\n"
		    "\n"
		    "Starts a VM. Without a file it has a console and an entropy source,\n"
		    "unless --device says otherwise.\n"
		    "\n" VM_OPTIONS
		    "  --timing              print where the time went\n" COMMON_OPTIONS,

	[CLI_CHECK] = "usage: tenon check FILE [OPTION]...\n"
		      "       tenon check --kernel FILE [OPTION]...\n"
		      "\n"
		      "Checks the description of a VM and prints the machine it makes:\n"
		      "memory map, devices, addresses and interrupts. Starts nothing.\n"
		      "\n" VM_OPTIONS "  --dump-dtb FILE       write the device tree that the "
		      "guest would get\n" COMMON_OPTIONS,

	[CLI_PLUGINS] = "usage: tenon plugins [NAME] [OPTION]...\n"
			"\n"
			"Lists the plugins that are installed, usable or why not. With a name\n"
			"or a path: the settings of that plugin's devices.\n"
			"\n"
			"  --json                for programs\n" COMMON_OPTIONS,

	[CLI_HOST] = "usage: tenon host [OPTION]...\n"
		     "\n"
		     "Says what this host can do: hypervisors, what they offer, and what is\n"
		     "missing and how to get it.\n"
		     "\n"
		     "  --json                for programs\n" COMMON_OPTIONS,

	[CLI_BUNDLE] = "usage: tenon bundle --kernel FILE [--initrd FILE] --output FILE\n"
		       "\n"
		       "Makes a shared library that holds a kernel, for payload.bundle.\n"
		       "\n"
		       "  --kernel FILE         the kernel\n"
		       "  --initrd FILE         its initial RAM disk\n"
		       "  -o, --output FILE     the library to write\n" COMMON_OPTIONS,

	[CLI_SERVE] =
		"usage: tenon serve TYPE --socket PATH [OPTION]... [KEY=VALUE]...\n"
		"       tenon serve TYPE --fd N [OPTION]... [KEY=VALUE]...\n"
		"\n"
		"Is the back end of one virtio device for any VMM that speaks vhost-user.\n"
		"KEY=VALUE are the settings of the device, as in a configuration file; a\n"
		"list is KEY=A,B or KEY=A KEY=B.\n"
		"\n"
		"  --socket PATH         listen there for front ends, one after another\n"
		"  --fd N                an open socket: one that listens, or a connection\n"
		"  --name NAME           what the device is called; default: its type\n"
		"  --settings-fd N       read settings from there, as in a configuration\n"
		"                        file between the braces of the device\n"
		"  --sandbox MODE        on, log or off: what it may do once it is ready\n"
		"  --once                end when the first front end goes away\n" COMMON_OPTIONS,

	[CLI_VERSION] = "usage: tenon --version [-v]\n",
};

const char *cli_help(enum cli_command command)
{
	return help[command];
}
