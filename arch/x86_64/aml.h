/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small builder of ACPI machine language (ACPI 6.4, chapter 20): terms are appended to a buffer,
 * and those that hold others are opened and closed.
 *
 *	at = aml_device(b, "COM1");
 *	aml_name(b, "_UID");
 *	aml_int(b, 0);
 *	aml_close(b, at);
 *
 * Mistakes in what is asked for (a name that is none) fail the buffer with -EINVAL.
 */
#ifndef TENON_ARCH_X86_64_AML_H
#define TENON_ARCH_X86_64_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"

/* A path: segments of one to four of A-Z, 0-9 and '_', joined by '.', perhaps after '\'. */
void aml_path(struct bytes *b, const char *path);

/* Values. */
void aml_int(struct bytes *b, uint64_t value);
void aml_string(struct bytes *b, const char *text);
void aml_id(struct bytes *b, const char *hid); /* "PNP0501" as a number, "LNRO0005" as text */
void aml_buffer(struct bytes *b, const void *from, size_t size);

/* Name(@path, ...): the value follows. */
void aml_name(struct bytes *b, const char *path);

/* Terms that hold others; each returns what aml_close() wants. */
size_t aml_scope(struct bytes *b, const char *path);
size_t aml_device(struct bytes *b, const char *path);
size_t aml_method(struct bytes *b, const char *path, uint8_t n_args, bool serialized);
size_t aml_package(struct bytes *b, uint8_t n_elements);
size_t aml_if_arg0_is(struct bytes *b, uint64_t value);
void aml_close(struct bytes *b, size_t at);

void aml_notify(struct bytes *b, const char *path, uint8_t value);

/* Resource templates: opened, filled with descriptors, closed. */
size_t aml_resources(struct bytes *b);
void aml_resources_close(struct bytes *b, size_t at);
/* Registers of a device: as Memory32Fixed below 4 GiB, as QWordMemory above. */
void aml_memory(struct bytes *b, uint64_t base, uint64_t size);
/* Ports, at most 255. */
void aml_io(struct bytes *b, uint64_t base, uint64_t size);
void aml_interrupt(struct bytes *b, uint32_t gsi, bool level, bool shared);

#endif
