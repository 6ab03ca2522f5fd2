/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between vcpu.c, which has the threads, and vcpu_host.c, which serves what the guest's calls to
 * its firmware ask of them.
 */
#ifndef TENON_CORE_VCPU_PRIVATE_H
#define TENON_CORE_VCPU_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "core/error.h"
#include "core/machine.h"
#include "core/vcpu.h"

enum wanted { PARKED, RUNNING, ENDED };

struct vcpu {
	struct vcpus *vcpus;
	uint32_t index;
	pthread_t thread;
	bool has_thread;
	struct backend_vcpu *backend; /* under vcpus->lock till the first parking */
	unsigned epoch;               /* the last one that was seen */
	bool exited;                  /* once at least; its own thread's */
	struct arch_host host;        /* what its calls may ask for; constant */

	/* Under vcpus->lock. */
	enum arch_vcpu_power power;
	uint64_t lines;                                 /* its inputs that are up */
	bool interrupted;                               /* one came up since the vCPU halted last */
	struct backend_reg start_regs[ARCH_START_REGS]; /* of the start that is due */
	size_t n_start_regs;
};

struct vcpus {
	struct vcpus_config config;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* wanted, epoch, power, interrupted */
	pthread_cond_t settled; /* parked, done */
	enum wanted wanted;
	unsigned epoch;
	uint32_t n, parked, done;
	bool ran;
	int failed; /* the first -errno of a creation or reset */
	struct error err;
	struct backend_cpuid *cpuid; /* what the hypervisor supports */
	size_t n_cpuid;
	struct backend_reg facts[MACHINE_MAX_FACTS]; /* what the first vCPU is */
	size_t n_facts;
	struct vcpu vcpu[];
};

/* Has the VM stop, and this vCPU's thread with it.  [vcpu] */
void vcpu_request(struct vcpu *v, enum vcpu_request what, const char *text);

/* vcpu_host.c */
void vcpu_host_init(struct vcpu *v);
/* In which state a reset leaves it.  The lock is held. */
void vcpu_host_reset(struct vcpu *v);
/*
 * Called by its own thread before it enters the guest: waits while the vCPU is stopped or
 * suspended, and carries out a start that is due.  True when it is to run, false when it is to
 * park, or its start failed.
 */
bool vcpu_host_ready(struct vcpu *v);

#endif
