# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# lab-memory: 7168
# With more than 4 GiB of memory, an initrd goes above 4 GiB where the kernel's header allows it.
. /lab/caselib.sh
check_guest --set vm.memory=5G
has '^check initrd: 0x[0-9a-f]*[1-9a-f][0-9a-f]{8} '
