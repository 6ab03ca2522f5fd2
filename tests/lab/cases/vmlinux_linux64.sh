# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# An ELF kernel, entered in 64-bit mode with a zero page.
. /lab/caselib.sh
check_guest --set payload.kernel=/lab/vmlinux --set payload.boot=linux64 --set vm.vcpus=2
has '^check cpus: 2$'
has '^check initrd: 0x'
