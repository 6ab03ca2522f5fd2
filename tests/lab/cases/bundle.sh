# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64 aarch64 riscv64
# A shared library that holds a kernel and its initrd.
. /lab/caselib.sh
[ -e /lab/bundle.so ] ||
	tenon bundle --kernel /lab/vmlinuz --initrd /lab/initrd.img --output /lab/bundle.so ||
	fail "no bundle could be made"
LAB_CONFIG=/lab/bundle.conf
check_guest
[ "$(uname -m)" != x86_64 ] || has '^check initrd: 0x'
