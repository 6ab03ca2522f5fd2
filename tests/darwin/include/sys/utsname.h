/* SPDX-License-Identifier: Apache-2.0 */
/* uname(3). */
#ifndef TENON_DARWIN_SYS_UTSNAME_H
#define TENON_DARWIN_SYS_UTSNAME_H

struct utsname {
	char sysname[256], nodename[256], release[256], version[256], machine[256];
};

int uname(struct utsname *ret_names);

#endif
