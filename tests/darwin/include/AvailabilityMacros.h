/* SPDX-License-Identifier: Apache-2.0 */
/* Which macOS is asked for at least: 11, the first on Apple silicon. */
#ifndef TENON_DARWIN_AVAILABILITYMACROS_H
#define TENON_DARWIN_AVAILABILITYMACROS_H

#define MAC_OS_X_VERSION_10_7         1070
#define MAC_OS_X_VERSION_MIN_REQUIRED 110000

#endif
