/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest boots: a payload is chosen and opened once, and loaded into guest memory at every
 * start (a guest reboot loads it anew).
 */
#ifndef TENON_CORE_PAYLOAD_H
#define TENON_CORE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/backend.h"

struct error;
struct guest_memory;

enum payload_kind {
	PAYLOAD_KERNEL,
	PAYLOAD_BUNDLE,
	PAYLOAD_FIRMWARE,
};

/* How the first vCPU is entered. */
enum boot_protocol {
	BOOT_LINUX64, /* x86-64 Linux 64-bit protocol: RSI = zero page */
	BOOT_PVH,     /* x86-64 PVH: EBX = start_info, 32-bit protected mode */
	BOOT_RESET,   /* firmware at the reset vector */
	BOOT_IMAGE,   /* arm64 and riscv64 Image: a device tree in the architecture's register */
};

/* Which file is mapped. */
struct file_id {
	dev_t device;
	ino_t inode;
};

/* Bytes that stay mapped till payload_close(). */
struct blob {
	const uint8_t *bytes;
	size_t size;
	const char *path; /* for errors */
};

struct payload_config {
	const char *kernel, *initrd, *bundle, *firmware; /* paths or NULL */
	const char *cmdline;                             /* never NULL */
	/* "auto", "linux64" or "pvh": how an ELF kernel with both entries is entered. */
	const char *boot;
};

struct payload {
	enum payload_kind kind;
	struct blob kernel; /* as on disk, or as the bundle holds it; unpacked where wrapped */
	struct blob initrd; /* bytes NULL = none */
	const char *cmdline;
	uint64_t bundle_gpa, bundle_entry; /* PAYLOAD_BUNDLE */
	const char *boot;
	void *handle;       /* the bundle's library */
	void *unpacked;     /* malloc'd kernel bytes, if it was wrapped */
	bool initrd_mapped; /* the initrd is a file of its own */
	struct file_id kernel_file, initrd_file;
};

/* What loading it came to; boot tables are written from this. */
struct loaded {
	enum boot_protocol protocol;
	uint64_t entry; /* guest physical */
	uint64_t kernel_gpa, kernel_size;
	uint64_t initrd_gpa, initrd_size; /* 0 = none */
	uint64_t cmdline_gpa;
	uint32_t cmdline_size; /* with the terminating zero */
	uint64_t fdt_gpa;      /* where the device tree goes; 0 = this machine has none */
	/* x86-64 bzImage: the setup header (offset 0x1f1 of the file), for the zero page. */
	uint8_t setup_header[512];
	uint32_t setup_header_size; /* bytes; 0 = none */
};

/* Opens and checks files, unpacks wrapped kernels.  Errors name the path.  [main] */
int payload_open(
	const struct payload_config *config, struct payload *ret_payload, struct error *err);
/* Before it is read anew: whether its files are as long as they were.  [main] */
int payload_check(const struct payload *payload, struct error *err);
void payload_close(struct payload *payload); /* zeroed is fine [main] */

#endif
