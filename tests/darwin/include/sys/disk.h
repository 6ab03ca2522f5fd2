/* SPDX-License-Identifier: Apache-2.0 */
/* What disks answer. */
#ifndef TENON_DARWIN_SYS_DISK_H
#define TENON_DARWIN_SYS_DISK_H

#include <stdint.h>

#define DKIOCSYNCHRONIZE          0x20006416UL
#define DKIOCGETBLOCKSIZE         0x40046418UL
#define DKIOCGETBLOCKCOUNT        0x40086419UL
#define DKIOCGETPHYSICALBLOCKSIZE 0x4004644dUL

#endif
