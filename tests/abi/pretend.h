/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Included before everything else, makes a file of the core or of a plugin believe in another
 * version of the interface: PRETEND_MAJOR and PRETEND_MINOR.
 */
#ifndef TENON_TESTS_ABI_PRETEND_H
#define TENON_TESTS_ABI_PRETEND_H

#include <tenon/abi.h>

#ifdef PRETEND_MINOR
#undef TENON_ABI_MAJOR
#undef TENON_ABI_MINOR
#undef TENON_PLUGIN_SYMBOL
#define TENON_ABI_MAJOR PRETEND_MAJOR
#define TENON_ABI_MINOR PRETEND_MINOR

#define PRETEND_SYMBOL__(major) tenon_plugin_v##major
#define PRETEND_SYMBOL_(major)  PRETEND_SYMBOL__(major)
#define TENON_PLUGIN_SYMBOL     PRETEND_SYMBOL_(PRETEND_MAJOR)
#endif

#endif
