/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the sandbox, for each other. */
#ifndef TENON_CORE_SANDBOX_PARTS_H
#define TENON_CORE_SANDBOX_PARTS_H

#include <linux/filter.h>

#include "core/sandbox.h"

/* ---- sandbox_calls.c: which system calls a need stands for ---- */

struct sandbox_grant {
	enum sandbox_kind kind;
	uint64_t needs;
	const char *const **lists; /* of further names; each ends with NULL */
	size_t n_lists;
	bool logs; /* nothing is to be refused */
};

/* A condition: the argument masked is, or is not, a value. */
struct sandbox_rule {
	const char *name;
	int argument; /* -1 = always */
	uint64_t mask, value;
	bool differs;
	int error; /* given in place of the call; 0 = the call is made */
};

/*
 * Calls @each for every rule of @grant, until one returns an error: first what a vCPU's thread,
 * with these needs, has too; then the rest.
 */
int sandbox_rules_base(const struct sandbox_grant *grant,
	int (*each)(void *arg, const struct sandbox_rule *rule), void *arg);
int sandbox_rules_more(const struct sandbox_grant *grant,
	int (*each)(void *arg, const struct sandbox_rule *rule), void *arg);
/* "sockets", ... for one bit; NULL if it has no name. */
const char *sandbox_need_name(uint64_t bit);
/* "read" for 0, ...; NULL if this build has no name for it.  Async-signal-safe. */
const char *sandbox_call_name(long number);

/* ---- sandbox_filter.c: system call filters ---- */

struct sandbox_filter {
	struct sock_filter *insns; /* owned */
	unsigned short n;
};

/* @ret_vcpu: the filter of vCPUs, which this one begins with; NULL = not wanted. */
int sandbox_filter_build(struct sandbox_filter *ret_filter, const struct sandbox_grant *grant,
	enum sandbox_mode mode, struct sandbox_filter *ret_vcpu, struct error *err);
void sandbox_filter_free(struct sandbox_filter *filter);
/*
 * For the calling thread, or with @all for all that there are.  no_new_privs must be set.  0 or
 * -errno.
 */
int sandbox_filter_load(const struct sandbox_filter *filter, enum sandbox_mode mode, bool all,
	enum sandbox_kind kind);

/* ---- sandbox_landlock.c: files ---- */

/* A ruleset's descriptor; -errno where the host has none of it. */
int sandbox_landlock_create(
	const struct sandbox_path *paths, size_t n, uint64_t needs, bool scoped);
/* The version of Landlock that the kernel has, or -errno. */
int sandbox_landlock_abi(void);
int sandbox_landlock_enter(int ruleset); /* this thread */

/* ---- sandbox_privileges.c ---- */

/* no_new_privs, and all capabilities but @keep (a bit each) for this thread.  0 or -errno. */
int sandbox_drop_privileges(uint64_t keep);

/* ---- sandbox_report.c ---- */

/* The handler of SIGSYS. */
int sandbox_report_arm(void);
/* This process is @device's, which lives as long; the calling thread is one of it. */
void sandbox_report_child(const char *device);
/* Mode "log": starts the thread that reads reports; once. */
int sandbox_report_listen(void);
/* Hands a listener's descriptor to it. */
void sandbox_report_add(int listener, enum sandbox_kind kind);

/* A sanitizer's own threads and checks need more than any device: such a build has no sandbox. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_BUILT 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
	__has_feature(memory_sanitizer)
#define SANDBOX_BUILT 0
#else
#define SANDBOX_BUILT 1
#endif
#else
#define SANDBOX_BUILT 1
#endif

#endif
