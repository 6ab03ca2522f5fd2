/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which package brings what: so that "not installed" can say what to install.
 */
#ifndef TENON_CORE_PACKAGES_H
#define TENON_CORE_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>

/* The package, or NULL where nobody is known to bring it. */
const char *package_of_device(const char *type);
const char *package_of_backend(const char *name);

/* Whether devices of this type live in the VM's process even where all others do not. */
bool package_is_platform(const char *type);

/* The sentence for a device type that no installed plugin has, after "FILE:LINE: ".
 * @known: the types that are installed, for a suggestion. */
void package_unknown_device(
	const char *type, const char *const *known, size_t n_known, char *text, size_t size);
void package_unknown_backend(
	const char *name, const char *const *known, size_t n_known, char *text, size_t size);

#endif
