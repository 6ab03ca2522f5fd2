/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a measurement needs: a temporary folder with modules and configurations. */
#ifndef TENON_BENCH_SETUP_H
#define TENON_BENCH_SETUP_H

#include <limits.h>
#include <stddef.h>

#define SETUP_LISTED 50 /* modules in the folder that is listed */

struct setup {
	const char *build; /* where bin/, lib/ and tests/ are; borrowed */
	char folder[64];
	char tenon[PATH_MAX], bare[PATH_MAX], first_guest[PATH_MAX], wait_guest[PATH_MAX];
	char trap[PATH_MAX];   /* the module that ends whoever loads it */
	char listed[PATH_MAX]; /* the folder with SETUP_LISTED copies of it */
	unsigned n_own;        /* how many of these six are modules in their own right */
	unsigned memory_mib, cpus;
};

/* 0, or -errno after a sentence on standard error. */
int setup_create(struct setup *s, const char *build, unsigned memory_mib, unsigned cpus);
void setup_destroy(struct setup *s);

/*
 * Writes a configuration with @n_devices devices that boots @guest.  The first six devices come
 * from six modules, those behind them are further instances.
 */
int setup_config(const struct setup *s, const char *guest, unsigned n_devices, char path[PATH_MAX]);

#endif
