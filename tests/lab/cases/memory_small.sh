# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# 128 MiB: the kernel finds nearly all of it.
. /lab/caselib.sh
check_guest --set vm.memory=128M
has '^check iomem: 00100000-07ffffff : System RAM$'
has '^check memory_kib: [6-9][0-9]{4}|^check memory_kib: 1[0-3][0-9]{4}$'
