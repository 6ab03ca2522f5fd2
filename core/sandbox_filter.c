/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System call filters: libseccomp makes the program once for each kind of thread, every thread of
 * the kind loads the same one.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/sandbox_parts.h"

/* ---- making one ---- */

struct building {
	scmp_filter_ctx context;
	bool logs;
};

static int add_rule(void *arg, const struct sandbox_rule *rule)
{
	const struct building *b = arg;
	scmp_filter_ctx context = b->context;
	int number = seccomp_syscall_resolve_name(rule->name);
	uint32_t action =
		rule->error && !b->logs ? SCMP_ACT_ERRNO((uint16_t)rule->error) : SCMP_ACT_ALLOW;
	struct scmp_arg_cmp where = { .arg = (unsigned)rule->argument };
	int ret;

	if (number < 0)
		return 0; /* not of this architecture; names of a class were checked before */
	if (rule->argument < 0) {
		ret = seccomp_rule_add(context, action, number, 0);
	} else {
		/* libseccomp has "differs" without a mask alone: of 32 bits that is enough. */
		where.op = rule->differs ? SCMP_CMP_NE : SCMP_CMP_MASKED_EQ;
		where.datum_a = rule->differs ? rule->value : rule->mask;
		where.datum_b = rule->differs ? 0 : rule->value;
		ret = seccomp_rule_add_array(context, action, number, 1, &where);
	}
	return ret == -EEXIST ? 0 : ret;
}

/* The program's bytes go through a file, which is the only way out. */
static int take_program(scmp_filter_ctx context, struct sandbox_filter *ret_filter)
{
	int fd = memfd_create("tenon-filter", MFD_CLOEXEC), ret;
	off_t size;

	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(context, fd);
	size = lseek(fd, 0, SEEK_END);
	if (ret == 0 && (size <= 0 || size % (off_t)sizeof(struct sock_filter) ||
				size / (off_t)sizeof(struct sock_filter) > BPF_MAXINSNS))
		ret = -EIO;
	if (ret == 0) {
		ret_filter->insns = malloc((size_t)size);
		if (!ret_filter->insns)
			ret = -ENOMEM;
		else if (pread(fd, ret_filter->insns, (size_t)size, 0) != size)
			ret = -EIO;
		ret_filter->n = (unsigned short)((size_t)size / sizeof(struct sock_filter));
	}
	(void)close(fd);
	return ret;
}

static int check_names(const struct sandbox_grant *grant, struct error *err)
{
	for (size_t i = 0; i < grant->n_lists; i++)
		for (const char *const *name = grant->lists[i]; *name; name++)
			if (seccomp_syscall_resolve_name(*name) == __NR_SCMP_ERROR)
				return error_set(err, EXIT_HOST, -EINVAL,
					"the sandbox: there is no system call \"%s\", which a "
					"device class lists",
					*name);
	return 0;
}

int sandbox_filter_build(struct sandbox_filter *ret_filter, const struct sandbox_grant *grant,
	enum sandbox_mode mode, struct sandbox_filter *ret_vcpu, struct error *err)
{
	struct sandbox_filter filter = { NULL, 0 };
	struct building b = { .logs = grant->logs };
	int ret = check_names(grant, err);

	if (ret < 0)
		return ret;
	b.context = seccomp_init(mode == SANDBOX_LOG ? SCMP_ACT_NOTIFY : SCMP_ACT_TRAP);
	if (!b.context)
		return error_set(err, EXIT_HOST, -ENOMEM, "out of memory for the sandbox");
	/* Another architecture's calls have other numbers; a search beats a walk. */
	ret = seccomp_attr_set(b.context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (ret == 0)
		ret = seccomp_attr_set(b.context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (ret == 0)
		ret = sandbox_rules_base(grant, add_rule, &b);
	if (ret == 0 && ret_vcpu)
		ret = take_program(b.context, ret_vcpu);
	if (ret == 0)
		ret = sandbox_rules_more(grant, add_rule, &b);
	if (ret == 0)
		ret = take_program(b.context, &filter);
	seccomp_release(b.context);
	if (ret < 0) {
		sandbox_filter_free(&filter);
		return error_set(err, error_exit_code(ret), ret,
			"cannot make the sandbox's filter: %s", strerror(-ret));
	}
	*ret_filter = filter;
	return 0;
}

void sandbox_filter_free(struct sandbox_filter *filter)
{
	free(filter->insns);
	*filter = (struct sandbox_filter){ NULL, 0 };
}

/* ---- loading one ---- */

int sandbox_filter_load(const struct sandbox_filter *filter, enum sandbox_mode mode, bool all,
	enum sandbox_kind kind)
{
	struct sock_fprog program = { .len = filter->n, .filter = filter->insns };
	unsigned long flags = mode == SANDBOX_LOG ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	long ret;

	if (all && mode != SANDBOX_LOG)
		flags |= SECCOMP_FILTER_FLAG_TSYNC;
	ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (ret < 0)
		return -errno;
	if (ret > 0 && (flags & SECCOMP_FILTER_FLAG_TSYNC))
		return -ESRCH; /* the thread that could not be reached */
	if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)
		sandbox_report_add((int)ret, kind);
	return 0;
}
