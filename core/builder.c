/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a VM is built, from top to bottom:
 *
 *   choose_payload, create_guest_memory, setup_vm, setup_boot_tables, attach_devices, create_vcpus,
 *   and run_event_loop, which is vm_run().
 *
 * Each step can fail with a sentence; vm_destroy() takes down whatever stands, in reverse order.
 * The boot tables list the devices and say what the vCPUs are, so setup_boot_tables() only begins
 * the description of the machine, attach_devices() and create_vcpus() complete it, and
 * vm_write_boot_image() prints it into guest memory, again at every reset.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "core/bus.h"
#include "core/config.h"
#include "core/event_loop.h"
#include "core/guest_memory.h"
#include "core/iothread.h"
#include "core/irq.h"
#include "core/isolation.h"
#include "core/log.h"
#include "core/probe.h"
#include "core/sandbox.h"
#include "core/services.h"
#include "core/signals.h"
#include "core/size.h"
#include "core/terminal.h"
#include "core/timing.h"
#include "core/vcpu.h"
#include "core/vm.h"
#include "core/work.h"
#include "sdk/display/display_hub.h"

#define WORK_THREADS 4

static int no_memory(struct error *err, const char *what)
{
	return error_set(err, EXIT_HOST, -ENOMEM, "out of memory for %s", what);
}

/* ---- what devices say to the VM ---- */

static void env_off(void *opaque)
{
	vm_ask(opaque, VM_OFF, "");
}

static void env_reset(void *opaque)
{
	vm_ask(opaque, VM_RESET, "");
}

static void env_mark(void *opaque, uint64_t value)
{
	const struct vm *vm = opaque;

	timing_mark(vm->timing, "guest-mark", (int64_t)(value & INT64_MAX));
}

static uint64_t env_guest_ns(void *opaque)
{
	return vm_guest_ns(opaque);
}

static void key_pressed(void *opaque, enum terminal_key key)
{
	if (key == TERMINAL_QUIT)
		vm_ask(opaque, VM_STOP, "");
	else
		vm_ask_shutdown(opaque);
}

static void signal_stop(void *opaque)
{
	vm_ask_shutdown(opaque);
}

static void signal_resized(void *opaque)
{
	const struct vm *vm = opaque;

	if (vm->terminal)
		terminal_resized(vm->terminal);
}

static void signal_picture(void *opaque)
{
	const struct vm *vm = opaque;

	if (vm->displays)
		display_hub_picture(vm->displays);
}

static const struct signals_ops signals_ops = { signal_stop, signal_resized, signal_picture };

static void plugin_timed(void *opaque, const char *name, uint64_t ns)
{
	timing_part(opaque, name, ns);
}

/* ---- before the first step: loops, loader ---- */

static int create_iothreads(struct vm *vm, struct error *err)
{
	const struct vm_config *c = vm->config;

	if (c->n_iothreads > VM_MAX_IOTHREADS)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"%zu iothreads are named, at most %d may be", c->n_iothreads,
			VM_MAX_IOTHREADS);
	for (size_t i = 0; i < c->n_iothreads; i++) {
		int ret = iothread_create(c->iothreads[i], &vm->iothreads[i]);

		if (ret < 0)
			return error_set(err, EXIT_HOST, ret, "cannot create iothread \"%s\": %s",
				c->iothreads[i], strerror(-ret));
		vm->n_iothreads++;
	}
	return 0;
}

static int prepare(struct vm *vm, struct error *err)
{
	int ret;

	(void)pthread_mutex_init(&vm->request_lock, NULL);
	vm->last_device = &vm->devices;
	ret = isolation_create(vm->config, &vm->isolation, err); /* it forks: before all else */
	if (ret < 0)
		return ret;
	ret = event_loop_create(&vm->loop);
	if (ret == 0)
		ret = loop_timer_add(vm->loop, vm_serve_request, vm, &vm->request_timer);
	if (ret == 0)
		ret = loop_timer_add(vm->loop, vm_shutdown_expired, vm, &vm->shutdown_timer);
	if (ret == 0)
		ret = signals_create(vm->loop, &signals_ops, vm, &vm->signals);
	if (ret < 0)
		return error_set(
			err, EXIT_HOST, ret, "cannot create the event loop: %s", strerror(-ret));
	vm->loader.timed = plugin_timed;
	vm->loader.opaque = vm->timing;
	ret = loader_init(&vm->loader, vm->config->plugin_path, vm->config->n_plugin_path, err);
	return ret < 0 ? ret : create_iothreads(vm, err);
}

/* ---- 1 ---- */

/* The kernel says for which CPU it is; what does not is for the host's own. */
static int choose_arch(struct vm *vm, struct error *err)
{
	enum isa isa = (enum isa)0;

	if (vm->payload.kind == PAYLOAD_KERNEL)
		isa = arch_kernel_isa(&vm->payload.kernel);
	if (isa == (enum isa)0)
		isa = arch_host_isa();
	vm->arch = arch_get(isa);
	return vm->arch ? 0
			: error_set(err, EXIT_HOST, -ENOTSUP,
				  "%s: there is no machine for %s in this program",
				  vm->payload.kernel.path, arch_isa_name(isa));
}

static int choose_payload(struct vm *vm, struct error *err)
{
	int ret = payload_open(&vm->config->payload, &vm->payload, err);

	if (ret == 0)
		ret = choose_arch(vm, err);
	timing_phase(vm->timing, "payload");
	return ret;
}

/* ---- 2 ---- */

static int create_guest_memory(struct vm *vm, struct error *err)
{
	char place[PLACE_TEXT_MAX];
	int ret;

	vm->gm = guest_memory_create();
	if (!vm->gm)
		return no_memory(err, "guest memory");
	ret = vm->arch->create_memory(vm->gm, vm->config->memory_bytes, &vm->payload, err);
	if (ret == -EINVAL)
		error_prefix(err, "%s", place_text(&vm->config->memory_place, place));
	timing_phase(vm->timing, "memory");
	return ret;
}

/* ---- 3 ---- */

static int backend_failed(
	struct error *err, int ret, const char *what, const struct backend_error *berr)
{
	return error_set(err, EXIT_HOST, ret, "cannot %s: %s", what,
		berr->text[0] ? berr->text : strerror(-ret));
}

static int map_memory(struct vm *vm, struct error *err)
{
	const struct backend_ops *ops = vm->backend->ops;

	for (size_t i = 0; i < guest_memory_count(vm->gm); i++) {
		const struct guest_region *r = guest_memory_region(vm->gm, i);
		const unsigned long long end = r->gpa + r->size;
		struct backend_error berr = { "" };
		int ret;

		if (vm->caps.phys_bits && vm->caps.phys_bits < 64 &&
			(end - 1) >> vm->caps.phys_bits)
			return error_set(err, EXIT_HOST, -E2BIG,
				"the guest's memory ends at 0x%llx, this host maps %u address bits",
				end, vm->caps.phys_bits);
		ret = ops->mem_map(vm->backend_vm, r->gpa, r->size, r->host,
			r->read_only ? BACKEND_MAP_READONLY : 0, &berr);
		if (ret < 0)
			return backend_failed(err, ret, "map the guest's memory", &berr);
	}
	return 0;
}

static int check_vcpus(const struct vm *vm, struct error *err)
{
	uint32_t max = vm->caps.max_vcpus, wanted = vm->config->vcpus;
	char place[PLACE_TEXT_MAX];

	if (vm->arch->layout->max_vcpus < max || max == 0)
		max = vm->arch->layout->max_vcpus;
	if (wanted <= max)
		return 0;
	return error_set(err, EXIT_HOST, -E2BIG, "%s: %u vcpus are wanted, this host can run %u",
		place_text(&vm->config->vcpus_place, place), wanted, max);
}

static int check_deterministic(const struct vm *vm, struct error *err)
{
	char place[PLACE_TEXT_MAX];

	if (!vm->config->deterministic || vm->caps.features & BACKEND_DETERMINISTIC)
		return 0;
	return error_set(err, EXIT_HOST, -ENOTSUP,
		"%s: \"deterministic\" is wanted, the hypervisor \"%s\" cannot do it; \"emu\" can",
		place_text(&vm->config->deterministic_place, place), vm->backend->name);
}

static int setup_vm(struct vm *vm, struct error *err)
{
	struct backend_vm_config config = { .struct_size = sizeof(config),
		.isa = vm->arch->isa,
		.vcpus = vm->config->vcpus,
		.irq_lines = vm->arch->layout->irq_last + 1,
		.reserved_gpa = vm->arch->layout->hypervisor_gpa,
		.deterministic = vm->config->deterministic,
		.pmu = vm->config->pmu };
	struct backend_error berr = { "" };
	int ret = backend_choose(&vm->loader, vm->config, vm->arch->isa, vm->payload.kernel.path,
		&vm->backend, &vm->caps, err);

	if (ret == 0)
		ret = check_vcpus(vm, err);
	if (ret == 0)
		ret = check_deterministic(vm, err);
	if (ret < 0)
		return ret;
	memcpy(config.irqchip_gpa, vm->arch->layout->irqchip_gpa, sizeof(config.irqchip_gpa));
	timing_phase(vm->timing, "backend");
	ret = vm->backend->ops->vm_create(&config, &vm->backend_vm, &berr);
	if (ret < 0)
		return backend_failed(err, ret, "create the VM", &berr);
	ret = map_memory(vm, err);
	if (ret < 0)
		return ret;
	ret = vm->backend->ops->irqchip_create
		      ? vm->backend->ops->irqchip_create(vm->backend_vm, &berr)
		      : -ENOTSUP;
	if (ret < 0 && ret != -ENOTSUP)
		return backend_failed(err, ret, "create the interrupt controller", &berr);
	vm->has_irqchip = ret == 0;
	timing_phase(vm->timing, "vm");
	return 0;
}

/* ---- 4 ---- */

static int setup_boot_tables(struct vm *vm, struct error *err)
{
	const struct vm_config *c = vm->config;
	struct machine *m = &vm->machine;

	m->vcpus = c->vcpus;
	m->threads_per_core = c->threads_per_core;
	m->cores_per_socket = c->cores_per_socket;
	m->vm_name = c->name;
	m->acpi = c->acpi || vm->arch->isa != ISA_X86_64; /* the others have a device tree */
	m->irqchip = vm->has_irqchip;
	m->deterministic = c->deterministic;
	if (c->n_oem_strings > MACHINE_MAX_OEM)
		return error_set(err, EXIT_USAGE, -E2BIG,
			"%zu OEM strings are given, at most %d fit", c->n_oem_strings,
			MACHINE_MAX_OEM);
	m->n_oem_strings = c->n_oem_strings;
	for (size_t i = 0; i < c->n_oem_strings; i++)
		m->oem_strings[i] = c->oem_strings[i];
	return 0;
}

/* ---- 5 ---- */

static int create_platform(struct vm *vm, struct error *err)
{
	const struct terminal_config terminal = {
		.loop = vm->loop,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.key = key_pressed,
		.opaque = vm,
	};
	int ret;

	vm->mmio = bus_create();
	vm->pio = vm->arch->isa == ISA_X86_64 ? bus_create() : NULL;
	vm->irqs = irq_table_create(vm->arch->layout);
	vm->work = work_pool_create(WORK_THREADS);
	vm->displays = displays_create();
	if (!vm->mmio || (!vm->pio && vm->arch->isa == ISA_X86_64) || !vm->irqs || !vm->work ||
		!vm->displays)
		return no_memory(err, "the buses");
	ret = terminal_create(&terminal, &vm->terminal);
	if (ret < 0)
		return error_set(
			err, EXIT_HOST, ret, "cannot open the terminal: %s", strerror(-ret));
	vm->env = (struct device_env){
		.gm = vm->gm,
		.mmio = vm->mmio,
		.pio = vm->pio,
		.layout = vm->arch->layout,
		.irqs = vm->irqs,
		.ops = vm->backend ? vm->backend->ops : NULL,
		.vm = vm->backend_vm,
		.phys_bits = vm->caps.phys_bits,
		.terminal = vm->terminal,
		.work = vm->work,
		.displays = vm->displays,
		.off = env_off,
		.reset = env_reset,
		.mark = env_mark,
		.guest_ns = env_guest_ns,
		.opaque = vm,
	};
	return 0;
}

static struct event_loop *loop_of(const struct vm *vm, const struct config_device *d)
{
	for (size_t i = 0; d->iothread && i < vm->n_iothreads; i++)
		if (strcmp(iothread_name(vm->iothreads[i]), d->iothread) == 0)
			return iothread_loop(vm->iothreads[i]);
	return vm->loop;
}

/* A type that this kind of machine has in another form, unless a plugin is named for it. */
static const struct config_device *as_this_machine(struct vm *vm, const struct config_device *d)
{
	const struct arch_form *form = d->plugin ? NULL : vm->arch->forms;

	while (form && form->type && strcmp(form->type, d->type) != 0)
		form++;
	if (!form || !form->type)
		return d;
	vm->forms[vm->n_forms] = *d;
	vm->forms[vm->n_forms].type = form->as;
	return &vm->forms[vm->n_forms++];
}

static int add_device(struct vm *vm, const struct config_device *d, struct error *err)
{
	const struct tenon_device_class *cls;
	struct tenon_dev *dev = NULL;
	int ret = 0;

	if (isolation_has(vm->isolation, d))
		ret = isolation_front_end(vm->isolation, d, &d, err);
	else
		d = as_this_machine(vm, d);
	if (ret == 0)
		ret = loader_class(&vm->loader, d, &cls, err);
	if (ret == 0)
		ret = device_create(&vm->env, cls, d, loop_of(vm, d), &dev, err);
	if (ret < 0)
		return ret;
	*vm->last_device = dev; /* NOLINT(clang-analyzer-core.NullDereference): prepare() set it */
	vm->last_device = &dev->next;
	return 0;
}

static int attach_one(struct vm *vm, struct tenon_dev *dev, struct error *err)
{
	int ret = device_attach(dev, err);

	if (ret == 0)
		ret = isolation_attached(vm->isolation, dev, err);
	return ret < 0 ? ret : device_describe(dev, &vm->machine, err);
}

/* Names the first for which there is no room. */
static int check_virtio_count(const struct vm *vm, struct error *err)
{
	const uint32_t max = vm->arch->layout->max_virtio;
	char place[PLACE_TEXT_MAX];
	uint32_t n = 0;

	for (const struct tenon_dev *d = vm->devices; d; d = d->next) {
		n += d->virtio != NULL;
		if (n > max)
			return error_set(err, EXIT_USAGE, -E2BIG,
				"%s: \"%s\" is virtio device %u, this machine has room for %u",
				place_text(&d->config->place, place), d->config->name, n, max);
	}
	return 0;
}

static int attach_devices(struct vm *vm, struct error *err)
{
	int ret = create_platform(vm, err);

	vm->forms = calloc(vm->config->n_devices + 1, sizeof(*vm->forms));
	if (ret == 0 && !vm->forms)
		ret = no_memory(err, "the devices");
	if (ret == 0)
		ret = isolation_start(vm->isolation, err);
	for (size_t i = 0; i < vm->config->n_devices && ret == 0; i++)
		ret = add_device(vm, &vm->config->devices[i], err);
	timing_phase(vm->timing, "plugins");
	for (struct tenon_dev *d = vm->devices; d && ret == 0; d = d->next)
		ret = attach_one(vm, d, err);
	if (ret == 0)
		ret = check_virtio_count(vm, err);
	if (ret == 0)
		ret = displays_connect(vm->displays, err);
	timing_phase(vm->timing, "devices");
	return ret;
}

/* Kernels that find no ACPI are told where the windows are. */
static char *device_cmdline(const struct vm *vm)
{
	size_t room = vm->machine.n_nodes * 64 + 1, at = 0;
	char *text = calloc(1, room);

	for (size_t i = 0; text && !vm->machine.acpi && i < vm->machine.n_nodes; i++) {
		const struct machine_node *n = &vm->machine.nodes[i];

		if (n->is_virtio)
			at += (size_t)snprintf(text + at, room - at,
				"%svirtio_mmio.device=%lluK@0x%llx:%u", at ? " " : "",
				(unsigned long long)n->windows[0].size / 1024,
				(unsigned long long)n->windows[0].address, n->irqs[0]);
	}
	return text;
}

int vm_write_boot_image(struct vm *vm, struct error *err)
{
	char *extra = device_cmdline(vm);
	int ret;

	if (!extra)
		return no_memory(err, "the command line");
	guest_memory_forget_claims(vm->gm);
	memset(&vm->loaded, 0, sizeof(vm->loaded));
	ret = payload_check(&vm->payload, err);
	if (ret == 0)
		ret = vm->arch->load(vm->gm, &vm->payload, extra, &vm->loaded, err);
	free(extra);
	if (ret == 0)
		ret = vm->arch->boot_tables(vm->gm, &vm->loaded, &vm->machine, err);
	return ret;
}

/* ---- 6 ---- */

static void vcpu_asks(void *opaque, enum vcpu_request what, uint32_t index, const char *text)
{
	static const enum vm_request map[] = {
		[VCPU_REQUEST_OFF] = VM_OFF,
		[VCPU_REQUEST_RESET] = VM_RESET,
		[VCPU_REQUEST_DEAD] = VM_DEAD,
		[VCPU_REQUEST_FAILED] = VM_FAILED,
	};
	char line[400];

	(void)snprintf(line, sizeof(line), "vcpu %u: %s", index, text);
	vm_ask(opaque, map[what], line);
}

static void first_run(void *opaque)
{
	const struct vm *vm = opaque;

	timing_mark(vm->timing, "first-instruction", -1);
}

static void first_exit(void *opaque)
{
	const struct vm *vm = opaque;

	timing_mark(vm->timing, "first-exit", -1);
}

static size_t guest_says(void *opaque, const void *bytes, size_t size)
{
	const struct vm *vm = opaque;

	return terminal_write(vm->terminal, bytes, size);
}

/* Under the lock, because a device may raise an interrupt while the vCPUs are taken down. */
static void set_vcpu_line(void *opaque, uint32_t index, uint32_t line, bool level)
{
	struct vm *vm = opaque;

	(void)pthread_mutex_lock(&vm->request_lock);
	if (vm->vcpus)
		(void)vcpus_interrupt(vm->vcpus, index, line, level);
	(void)pthread_mutex_unlock(&vm->request_lock);
}

static int create_irqchip(struct vm *vm, struct error *err)
{
	const struct arch_irqchip_sink sink = { set_vcpu_line, vm };

	if (vm->has_irqchip || !vm->arch->irqchip)
		return 0;
	return vm->arch->irqchip->create(vm->mmio, vm->config->vcpus, &sink, &vm->irqchip, err);
}

static void enter_vcpu(void *opaque)
{
	const struct vm *vm = opaque;

	sandbox_enter(vm->sandbox, SANDBOX_VCPU, NULL);
}

static int sink_line(void *opaque, uint32_t number, bool level)
{
	const struct vm *vm = opaque;

	if (vm->irqchip)
		return vm->arch->irqchip->line(vm->irqchip, number, level);
	return vm->backend->ops->irq_line
		       ? vm->backend->ops->irq_line(vm->backend_vm, number, level)
		       : -ENOTSUP;
}

static bool has_pulse(const struct vm *vm)
{
	return vm->irqchip && vm->arch->irqchip->pulse;
}

static int sink_pulse(void *opaque, uint32_t number)
{
	const struct vm *vm = opaque;

	return vm->arch->irqchip->pulse(vm->irqchip, number);
}

static int sink_irqfd(void *opaque, uint32_t number, int fd, bool assign)
{
	const struct vm *vm = opaque;

	if (vm->irqchip)
		return -ENOTSUP;
	return vm->backend->ops->irqfd ? vm->backend->ops->irqfd(vm->backend_vm, number, fd, assign)
				       : -ENOTSUP;
}

static int connect_interrupts(struct vm *vm, struct error *err)
{
	const struct irq_sink sink = {
		.line = sink_line,
		.irqfd = sink_irqfd,
		.pulse = has_pulse(vm) ? sink_pulse : NULL,
		.opaque = vm,
	};
	struct backend_error berr = { "" };
	int ret = 0;

	if (vm->has_irqchip && vm->backend->ops->irqchip_finish)
		ret = vm->backend->ops->irqchip_finish(vm->backend_vm, &berr);
	if (ret < 0)
		return backend_failed(err, ret, "finish the interrupt controller", &berr);
	return irq_table_commit(vm->irqs, &sink, vm->loop, err);
}

static int start_vcpu_threads(struct vm *vm, struct error *err)
{
	const struct vcpus_config config = {
		.arch = vm->arch,
		.ops = vm->backend->ops,
		.vm = vm->backend_vm,
		.gm = vm->gm,
		.loaded = &vm->loaded,
		.machine = &vm->machine,
		.mmio = vm->mmio,
		.pio = vm->pio,
		.irqchip = vm->irqchip,
		.calls = vm->caps.features & BACKEND_CALLS,
		.request = vcpu_asks,
		.first_run = first_run,
		.enter = enter_vcpu,
		.first_exit = first_exit,
		.console = guest_says,
		.opaque = vm,
	};
	struct vcpus *vcpus;
	int ret = vcpus_create(&config, &vcpus, err);

	if (ret < 0)
		return ret;
	(void)pthread_mutex_lock(&vm->request_lock);
	vm->vcpus = vcpus;
	(void)pthread_mutex_unlock(&vm->request_lock);
	return 0;
}

static int create_vcpus(struct vm *vm, struct error *err)
{
	int ret = create_irqchip(vm, err);

	if (ret == 0)
		ret = start_vcpu_threads(vm, err);
	if (ret == 0)
		ret = connect_interrupts(vm, err);
	if (ret == 0)
		vcpus_facts(vm->vcpus, &vm->machine);
	timing_phase(vm->timing, "vcpus");
	return ret;
}

/* ---- the sandbox ---- */

struct seal {
	struct sandbox *sandbox;
	const struct event_loop *loop;
};

static int prepare_sandbox(struct vm *vm, struct error *err)
{
	int ret = sandbox_create(
		vm->config->sandbox, vm->devices, vm->loop, work_is_wanted(), &vm->sandbox, err);

	timing_phase(vm->timing, "sandbox");
	return ret;
}

static int enter_iothread(void *arg)
{
	const struct seal *s = arg;

	sandbox_enter(s->sandbox, SANDBOX_IOTHREAD, s->loop);
	return 0;
}

/* The main thread last: it starts what is sealed before it. */
static int seal(struct vm *vm, struct error *err)
{
	int ret = vm->sandbox && work_is_wanted() ? work_pool_seal(vm->work, vm->sandbox) : 0;

	if (ret < 0)
		return error_set(err, error_exit_code(ret), ret, "cannot start a work thread: %s",
			strerror(-ret));
	for (size_t i = 0; vm->sandbox && i < vm->n_iothreads; i++) {
		struct seal s = { vm->sandbox, iothread_loop(vm->iothreads[i]) };

		(void)loop_call(iothread_loop(vm->iothreads[i]), enter_iothread, &s);
	}
	sandbox_enter(vm->sandbox, SANDBOX_LOOP, NULL);
	sandbox_destroy(vm->sandbox);
	vm->sandbox = NULL;
	timing_phase(vm->timing, "seal");
	return 0;
}

/* ---- all of it ---- */

enum build { BUILD_CHECK, BUILD_CHECK_ASKING, BUILD_RUN };

/* Of the machine as such there is a description without a hypervisor, too. */
static int try_setup_vm(struct vm *vm, struct error *err)
{
	struct error why = { .text = "" };
	int ret = setup_vm(vm, &why);

	if (ret == 0)
		return 0;
	if (vm->backend_vm) {
		*err = why;
		return ret;
	}
	vm->backend = NULL;
	log_msg(LOG_LEVEL_WARN, "described without asking a hypervisor: %s", why.text);
	return 0;
}

static int build(struct vm *vm, enum build what, struct error *err)
{
	int ret = prepare(vm, err);

	if (ret == 0)
		ret = choose_payload(vm, err);
	if (ret == 0)
		ret = create_guest_memory(vm, err);
	if (ret == 0 && what != BUILD_CHECK)
		ret = what == BUILD_RUN ? setup_vm(vm, err) : try_setup_vm(vm, err);
	if (ret == 0)
		ret = setup_boot_tables(vm, err);
	if (ret == 0)
		ret = attach_devices(vm, err);
	if (ret == 0 && what == BUILD_RUN)
		ret = prepare_sandbox(vm, err); /* vCPU threads enter it as they begin */
	if (ret == 0 && vm->backend)
		ret = create_vcpus(vm, err);
	if (ret == 0)
		ret = vm_write_boot_image(vm, err);
	if (ret == 0 && vm->backend)
		ret = vcpus_reset(vm->vcpus, err);
	timing_phase(vm->timing, "boot-image");
	if (ret == 0 && what == BUILD_RUN)
		ret = seal(vm, err);
	if (ret < 0)
		vm_destroy(vm);
	return ret;
}

int vm_build(struct vm *vm, struct error *err)
{
	return build(vm, BUILD_RUN, err);
}

int vm_build_for_check(struct vm *vm, bool ask_hypervisor, struct error *err)
{
	return build(vm, ask_hypervisor ? BUILD_CHECK_ASKING : BUILD_CHECK, err);
}

static void destroy_devices(struct tenon_dev *first)
{
	struct tenon_dev *reversed = NULL;

	while (first) {
		struct tenon_dev *next = first->next;

		first->next = reversed;
		reversed = first;
		first = next;
	}
	while (reversed) {
		struct tenon_dev *next = reversed->next;

		device_destroy(reversed);
		reversed = next;
	}
}

/* A device may still ask for something: not of vCPUs that are gone. */
static void destroy_vcpus(struct vm *vm)
{
	struct vcpus *vcpus;

	(void)pthread_mutex_lock(&vm->request_lock);
	vcpus = vm->vcpus;
	vm->vcpus = NULL;
	(void)pthread_mutex_unlock(&vm->request_lock);
	vcpus_destroy(vcpus);
}

void vm_destroy(struct vm *vm)
{
	destroy_vcpus(vm);
	for (struct tenon_dev *d = vm->devices; d; d = d->next)
		(void)device_quiesce(d, NULL);
	isolation_end(vm->isolation);
	destroy_devices(vm->devices);
	loop_timer_remove(vm->shutdown_timer);
	loop_timer_remove(vm->request_timer);
	work_pool_destroy(vm->work);
	display_hub_destroy(vm->displays);
	vm_wait_for_reader(vm);
	terminal_destroy(vm->terminal);
	irq_table_destroy(vm->irqs);
	if (vm->irqchip)
		vm->arch->irqchip->destroy(vm->irqchip);
	bus_destroy(vm->pio);
	bus_destroy(vm->mmio);
	if (vm->backend)
		vm->backend->ops->vm_destroy(vm->backend_vm);
	guest_memory_destroy(vm->gm);
	payload_close(&vm->payload);
	for (size_t i = 0; i < vm->n_iothreads; i++)
		iothread_destroy(vm->iothreads[i]);
	loader_finish(&vm->loader);
	sandbox_destroy(vm->sandbox);
	isolation_destroy(vm->isolation);
	signals_destroy(vm->signals);
	event_loop_destroy(vm->loop);
	free(vm->machine.nodes);
	free(vm->forms);
	(void)pthread_mutex_destroy(&vm->request_lock);
	timing_phase(vm->timing, "shutdown");
}
