/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for macOS's Hypervisor framework: its functions by their names, and behind them a
 * script of exits instead of a processor.  It checks how it is called, and what it is told.
 *
 * Environment, read by hv_vm_create():
 *   HVF_SCRIPT  the file with the exits; without one, each vCPU waits until it has to exit
 *   HVF_LOG     a file to which calls append a line
 *   HVF_FAIL    a function that fails with HV_ERROR; NAME:CODE fails with 0xfae940CODE
 *   HVF_ALSO    a library with what newer versions have (read when the stand-in is loaded)
 *
 * A script has a step a line; '#' begins a comment, numbers are as in C.  REG is x0 to x30, xzr,
 * pc, cpsr, or a system register's number.
 *   vcpu N                      what follows is for the vCPU with this affinity (0 at first)
 *   set REG VALUE               what the guest's instructions would have done
 *   expect REG VALUE            or this was not what they would have found
 *   store ADDRESS SIZE VALUE    in memory; a failure where that is not mapped, or not writable
 *   load ADDRESS SIZE VALUE
 *   write ADDRESS SIZE REG      exits; so do all that follow
 *   read ADDRESS SIZE REG [signed] [wide]
 *   msr NUMBER REG [undefined]  undefined: the guest gets an exception for it
 *   mrs NUMBER REG [undefined]
 *   hvc [NUMBER], smc [NUMBER]
 *   wfi, wfe
 *   abort SYNDROME ADDRESS      any exception
 *   exit REASON                 any reason
 *   timer NS, timer-off         sets up the virtual timer, takes it down
 *   wait-irq, wait-fiq, wait-timer    until there is one, inside of the guest
 *   no-irq, has-irq, has-timer  none is pending; one is, the timer was due, without waiting
 *   spin                        until it has to exit, and again after it
 *   until N REG VALUE           goes back N steps unless the register has this value
 *   maybe                       the machine may end before the rest
 * What was left of the script when the machine is destroyed is a failure.
 */
#ifndef TENON_TESTS_HVF_STANDIN_H
#define TENON_TESTS_HVF_STANDIN_H

#include <pthread.h>

#include <Hypervisor/Hypervisor.h>

#define STANDIN_VCPUS 16u
#define STANDIN_REGS  36u /* HV_REG_*; one more stands for xzr */
#define STANDIN_XZR   35u
#define STANDIN_SYS   0x100u /* system registers come after the others */
#define VTIMER_OFFSET 5000000000ull

enum step_kind {
	STEP_SET,
	STEP_EXPECT,
	STEP_STORE,
	STEP_LOAD,
	STEP_WRITE,
	STEP_READ,
	STEP_MSR,
	STEP_MRS,
	STEP_HVC,
	STEP_SMC,
	STEP_WFI,
	STEP_WFE,
	STEP_ABORT,
	STEP_EXIT,
	STEP_TIMER,
	STEP_TIMER_OFF,
	STEP_WAIT_IRQ,
	STEP_WAIT_FIQ,
	STEP_WAIT_TIMER,
	STEP_NO_IRQ,
	STEP_HAS_IRQ,
	STEP_HAS_TIMER,
	STEP_SPIN,
	STEP_UNTIL,
	STEP_MAYBE,
};

struct step {
	enum step_kind kind;
	unsigned line;
	uint64_t number; /* address, syndrome, reason, nanoseconds */
	uint64_t size, value;
	uint32_t reg;
	bool is_signed, is_wide, is_undefined;
};

struct program {
	struct step *steps;
	size_t n, at;
	bool may_end;
};

/* What must have become of the program counter when the vCPU runs again. */
enum pc_check { PC_ANY, PC_NEXT, PC_VECTOR };

struct standin_vcpu {
	bool used;
	pthread_t owner;
	hv_vcpu_exit_t exit;
	uint64_t regs[STANDIN_REGS];
	uint64_t *sys; /* by their numbers */
	bool pending[2];
	bool vtimer_masked, cancelled, ran;
	uint64_t old_pc;
	enum pc_check check;
};

/* ---- standin.c ---- */

extern pthread_mutex_t standin_lock; /* everything */
extern pthread_cond_t standin_changed;

void standin_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the process. */
void standin_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Whether @name is to fail; with what. */
bool standin_fails(const char *name, hv_return_t *ret);
/* NULL unless all of it is mapped. */
void *standin_memory(uint64_t ipa, uint64_t size, bool write);
uint64_t standin_counter(void); /* CNTVCT_EL0, in nanoseconds */

/* ---- standin_script.c ---- */

void standin_read_script(const char *path);
struct program *standin_program(uint64_t affinity);
void standin_finish_script(void);

/* ---- standin_play.c ---- */

/* To the next exit; the lock is held. */
void standin_play(struct standin_vcpu *vcpu);

#endif
