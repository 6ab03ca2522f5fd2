/* SPDX-License-Identifier: Apache-2.0 */
/* The null backend plays its script, fails on demand and writes its log. */
#include "tests/guests/guest.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static const struct backend_module *module;
static const struct backend_ops *ops;

struct scripted {
	char path[64];
	struct backend_vm *vm;
	struct backend_vcpu *vcpu;
	struct vcpu_exit exit;
};

static struct backend_vm_config config_of(enum isa isa)
{
	return (struct backend_vm_config){
		.struct_size = sizeof(struct backend_vm_config), .isa = isa, .vcpus = 1
	};
}

static void make_file(char path[64], const char *text)
{
	static const char template[] = "/tmp/tenon-null-XXXXXX";
	int fd;

	memcpy(path, template, sizeof(template));
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void begin(struct scripted *s, enum isa isa, const char *script)
{
	const struct backend_vm_config config = config_of(isa);
	struct backend_error err = { "" };

	memset(s, 0, sizeof(*s));
	make_file(s->path, script);
	setenv("TENON_NULL_SCRIPT", s->path, 1);
	if (ops->vm_create(&config, &s->vm, &err) < 0)
		fail_msg("%s", err.text);
	(void)ops->irqchip_create(s->vm, &err);
	assert_int_equal(ops->vcpu_create(s->vm, 0, &s->vcpu, &err), 0);
}

static void end(struct scripted *s)
{
	ops->vcpu_destroy(s->vcpu);
	ops->vm_destroy(s->vm);
	unlink(s->path);
	unsetenv("TENON_NULL_SCRIPT");
}

static void step(struct scripted *s, enum vcpu_exit_kind want)
{
	(void)ops->vcpu_run(s->vcpu, &s->exit);
	if (s->exit.kind != want)
		fail_msg("exit %d instead of %d: %s", s->exit.kind, want, s->exit.text);
}

static void exits_come_as_written(void **state)
{
	struct scripted s;
	int i;

	begin(&s, ISA_X86_64,
		"mmio-write 0xd0000000 2 0x12345\n"
		"repeat 2\nrepeat 2\npio-read 0x60 1 expect 0x7\nend\nend\n"
		"reset\noff\ndead\nfail because I say so\n");
	step(&s, VCPU_MMIO);
	assert_true(s.exit.bus.write);
	assert_int_equal(s.exit.bus.address, 0xd0000000);
	assert_int_equal(s.exit.bus.size, 2);
	assert_int_equal(s.exit.bus.value, 0x2345);
	for (i = 0; i < 4; i++) {
		step(&s, VCPU_PIO);
		assert_false(s.exit.bus.write);
		s.exit.bus.value = 0xff07;
	}
	step(&s, VCPU_RESET);
	step(&s, VCPU_OFF);
	step(&s, VCPU_DEAD);
	step(&s, VCPU_FAILED);
	assert_string_equal(s.exit.text, "because I say so");
	/* After the last step it waits for a kick. */
	ops->vcpu_kick(s.vcpu);
	step(&s, VCPU_INTERRUPTED);
	end(&s);
}

static void a_wrong_answer_is_a_failure(void **state)
{
	struct scripted s;

	begin(&s, ISA_X86_64, "\nmmio-read 0x1000 4 expect 5\n");
	step(&s, VCPU_MMIO);
	s.exit.bus.value = 6;
	step(&s, VCPU_FAILED);
	assert_non_null(strstr(s.exit.text, "line 2"));
	assert_non_null(strstr(s.exit.text, "expected 0x5"));
	end(&s);
}

static void memory_is_stored_and_compared(void **state)
{
	struct backend_error err = { "" };
	struct scripted s;
	uint8_t *host;

	host = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(host != MAP_FAILED);
	begin(&s, ISA_X86_64,
		"store 0x8010 4 0x11223344\nload 0x8012 2 expect 0x1122\noff\n"
		"load 0x8010 1 expect 1\nstore 0x8ffd 4 0\n");
	assert_int_equal(ops->mem_map(s.vm, 0x8000, PAGE, host, 0, &err), 0);
	step(&s, VCPU_OFF);
	assert_int_equal(host[0x10], 0x44);
	step(&s, VCPU_FAILED);
	step(&s, VCPU_FAILED);
	assert_non_null(strstr(s.exit.text, "not mapped"));
	end(&s);
	munmap(host, PAGE);
}

static void *raise_irq(void *data)
{
	struct scripted *s = data;

	if (ops->irq_line(s->vm, 9, true) < 0)
		abort();
	return NULL;
}

static void an_interrupt_ends_a_wait(void **state)
{
	struct backend_error err = { "" };
	struct scripted s;
	pthread_t thread;

	begin(&s, ISA_X86_64, "halt\nwait-irq 9\noff\nwait-irq 9\noff\n");
	assert_int_equal(pthread_create(&thread, NULL, raise_irq, &s), 0);
	step(&s, VCPU_OFF);
	pthread_join(thread, NULL);
	/* The line is still high: only another edge counts, and a reset lowers it. */
	assert_int_equal(ops->irq_line(s.vm, 9, true), 0);
	ops->vcpu_kick(s.vcpu);
	step(&s, VCPU_INTERRUPTED);
	assert_int_equal(ops->vm_reset(s.vm, &err), 0);
	assert_int_equal(ops->irq_line(s.vm, 9, true), 0);
	step(&s, VCPU_OFF);
	end(&s);
}

static void without_a_controller_the_core_waits_and_interrupts(void **state)
{
	struct scripted s;

	begin(&s, ISA_RISCV64, "call 0x10 1 2 expect 3\nhalt\nwait-irq 9\noff\n");
	step(&s, VCPU_CALL);
	assert_int_equal(s.exit.call.function, 0x10);
	assert_int_equal(s.exit.call.args[1], 2);
	s.exit.call.ret[0] = 3;
	step(&s, VCPU_HALTED);
	assert_int_equal(ops->irq_line(s.vm, 9, true), -ENOTSUP);
	assert_int_equal(ops->vcpu_interrupt(s.vcpu, 9, true), 0);
	assert_int_equal(ops->vcpu_fence(s.vcpu, BACKEND_FENCE_CODE | BACKEND_FENCE_MEMORY), 0);
	assert_int_equal(ops->vcpu_fence(s.vcpu, 4), -EINVAL);
	step(&s, VCPU_OFF);
	end(&s);
}

static void a_bad_script_is_refused(void **state)
{
	const struct backend_vm_config config = config_of(ISA_X86_64);
	struct backend_error err = { "" };
	struct backend_vm *vm = NULL;
	char path[64];

	make_file(path, "off\nnonsense\n");
	setenv("TENON_NULL_SCRIPT", path, 1);
	assert_int_equal(ops->vm_create(&config, &vm, &err), -EINVAL);
	assert_non_null(strstr(err.text, ":2: unknown step \"nonsense\""));
	unsetenv("TENON_NULL_SCRIPT");
	unlink(path);
}

static void calls_fail_on_demand(void **state)
{
	struct backend_error err = { "" };
	struct backend_caps caps;
	struct scripted s;

	setenv("TENON_NULL_FAIL", "probe:2,vcpu_create:2,vcpu_run", 1);
	/* The module's first probe was in main. */
	assert_int_equal(module->probe(&caps, &err), -EIO);
	assert_non_null(strstr(err.text, "call 2 of probe"));
	begin(&s, ISA_X86_64, "off\n");
	assert_int_equal(ops->vcpu_create(s.vm, 1, &(struct backend_vcpu *){ NULL }, &err), -EIO);
	assert_non_null(strstr(err.text, "vcpu_create"));
	assert_int_equal(ops->vcpu_run(s.vcpu, &s.exit), -EIO);
	assert_int_equal(s.exit.kind, VCPU_FAILED);
	step(&s, VCPU_OFF);
	end(&s);
	unsetenv("TENON_NULL_FAIL");
}

static void each_call_is_logged(void **state)
{
	char path[64], text[1024];
	struct scripted s;
	size_t n;
	FILE *log;

	make_file(path, "");
	setenv("TENON_NULL_LOG", path, 1);
	begin(&s, ISA_X86_64, "mmio-write 0x1000 4 1\n");
	step(&s, VCPU_MMIO);
	end(&s);
	unsetenv("TENON_NULL_LOG");
	log = fopen(path, "r");
	assert_non_null(log);
	n = fread(text, 1, sizeof(text) - 1, log);
	text[n] = '\0';
	(void)fclose(log);
	unlink(path);
	assert_string_equal(text,
		"vm_create isa=1 vcpus=1\nirqchip_create\nvcpu_create 0\n"
		"vcpu_run 0 exit=0 address=0x1000 size=4 write=1\nvcpu_destroy 0\nvm_destroy\n");
}

static void the_isa_can_be_chosen(void **state)
{
	const struct backend_vm_config config = config_of(ISA_X86_64);
	struct backend_error err = { "" };
	struct backend_caps caps;
	struct backend_vm *vm = NULL;

	setenv("TENON_NULL_ISA", "riscv64", 1);
	assert_int_equal(module->probe(&caps, &err), 0);
	assert_int_equal(caps.isas, 1u << ISA_RISCV64);
	assert_int_equal(caps.speed, 0);
	assert_false(caps.features & BACKEND_IRQCHIP);
	assert_int_equal(ops->vm_create(&config, &vm, &err), -ENOTSUP);
	setenv("TENON_NULL_ISA", "vax", 1);
	assert_int_equal(module->probe(&caps, &err), -EINVAL);
	assert_non_null(strstr(err.text, "\"vax\""));
	unsetenv("TENON_NULL_ISA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_fail_on_demand), /* first: it counts calls of the probe */
		cmocka_unit_test(exits_come_as_written),
		cmocka_unit_test(a_wrong_answer_is_a_failure),
		cmocka_unit_test(memory_is_stored_and_compared),
		cmocka_unit_test(an_interrupt_ends_a_wait),
		cmocka_unit_test(without_a_controller_the_core_waits_and_interrupts),
		cmocka_unit_test(a_bad_script_is_refused),
		cmocka_unit_test(each_call_is_logged),
		cmocka_unit_test(the_isa_can_be_chosen),
	};
	struct backend_caps caps;

	module = backend_load("null");
	ops = module->ops;
	if (!backend_usable(module, &caps))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
