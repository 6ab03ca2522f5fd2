# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: riscv64
# U-Boot, as firmware in S-mode, comes to its prompt, reads the device tree, finds virtio devices,
# and powers the machine off.
. /lab/caselib.sh
[ -e /lab/u-boot.bin ] || skip "there is no U-Boot; install the package u-boot-qemu on the machine"
LAB_CONFIG=/lab/firmware_uboot.conf
boot
expect 'U-Boot 20*'
expect 'DRAM:*256 MiB*'
# Any key stops its count; a line that it is not ready for is lost.
n=0
until has_line 'ran: riscv'; do
	[ $n -lt 40 ] || fail "U-Boot has no prompt"
	type_line 'echo ran: ${arch}'
	next_line 2 || true
	n=$((n + 1))
done
type_line 'fdt addr ${fdtcontroladdr} && fdt print /cpus/cpu@0 riscv,isa'
expect 'riscv,isa = "rv64*'
type_line 'poweroff'
ends_with 0
