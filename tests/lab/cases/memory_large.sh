# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# lab-memory: 7168
# 5 GiB, on both sides of the hole below 4 GiB; every page counted once.
. /lab/caselib.sh
check_guest --set vm.memory=5G
has '^check iomem: 100000000-[0-9a-f]+ : System RAM$'
kib=$(sed -n 's/^check memory_kib: //p' "$lab_log")
[ "$kib" -gt 4900000 ] || fail "the guest has $kib KiB of 5 GiB"
