#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kept.sh TENON MODULE: the plugin that was built with a kept SDK, in a machine of today: checked,
# then run on the null backend, whose script drives its registers and its queue as a guest does.
set -uo pipefail
tenon=$1 module=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
die() {
	echo "FAIL: $*" >&2
	exit 1
}
head -c 4096 /dev/zero >firmware
cat >vm.cfg <<CFG
vm: { hypervisor = "null"; };
payload: { firmware = "firmware"; };
devices = (
  { type = "elder"; name = "old"; plugin = "$module"; address = "0xd0010000";
    size = "4K"; names = ( "a", "b" ); },
  { type = "elder-virtio"; plugin = "$module"; }
);
CFG
"$tenon" check vm.cfg >out 2>err </dev/null || die "check: $(cat err)"
grep -qx 'tenon: old: attached' err || die "check: did not attach: $(cat err)"
grep -qx 'tenon: old: detached' err || die "check: did not detach: $(cat err)"
grep -q '0x0000d0010000-.*elder' out || die "check: no window: $(cat out)"
window=$(awk '/virtio device 63/ { v = 1 } v && /virtio-mmio/ { sub(/-.*/, "", $1); print $1; exit }' out)
[ -n "$window" ] || die "check: no virtio window: $(cat out)"
line() { awk -v d="$1:" '$1 == d { v = 1 } v && $1 == "interrupt" { print $2 + 0; exit }' out; } # DEVICE
lines="$(line old) $(line elder-virtio)"
[[ $lines =~ ^[0-9]+\ [0-9]+$ ]] || die "check: no interrupts: $(cat out)"

reg() { printf 'mmio-write %#x 4 %s\n' $((window + $1)) "$2"; } # OFFSET VALUE
{
	echo 'mmio-read 0xd0010000 4 expect 0xe1de8'
	echo 'mmio-read 0xd0010004 4 expect 0'
	echo 'mmio-write 0xd001000c 4 1'
	echo 'mmio-write 0xd0010008 4 1'
	echo "wait-irq ${lines% *}"
	echo 'load 0x14000 4 expect 0x600d'
	# The driver: one queue of 8 entries, one chain of 4 bytes to be filled (Virtio 1.2, 3.1.1)
	printf 'mmio-read %#x 4 expect 0x74726976\n' $((window))
	printf 'mmio-read %#x 4 expect 63\n' $((window + 8))
	printf 'mmio-read %#x 4 expect 0x9030201\n' $((window + 0x100))
	reg 0x70 0 && reg 0x70 1 && reg 0x70 3
	reg 0x24 1 && reg 0x20 1 && reg 0x70 11
	reg 0x30 0 && reg 0x38 8 && reg 0x80 0x10000 && reg 0x90 0x11000 && reg 0xa0 0x12000
	reg 0x44 1 && reg 0x70 15
	echo 'store 0x10000 8 0x13000'    # the descriptor: address,
	echo 'store 0x10008 8 0x200000004' # 4 bytes, for the device to write
	echo 'store 0x11004 2 0'          # its head in the available ring
	echo 'store 0x11002 2 1'          # the ring's index
	reg 0x50 0
	echo "wait-irq ${lines#* }"
	echo 'load 0x12002 2 expect 1'
	echo 'load 0x12008 4 expect 4'
	echo 'load 0x13000 8 expect 0x5a5a5a5a'
	printf 'mmio-read %#x 4 expect 15\n' $((window + 0x70)) # no NEEDS_RESET
	# Reset in place, and the same once more from the start.
	echo reset
	echo 'mmio-read 0xd0010004 4 expect 1'
	echo 'mmio-write 0xd0010008 4 1'
	echo "wait-irq ${lines% *}"
	echo off
} >script
TENON_NULL_SCRIPT=$work/script timeout 60 "$tenon" run vm.cfg >out 2>err </dev/null
rc=$?
[ $rc = 0 ] || die "run: exit code $rc: $(cat err)"
grep -qx 'tenon: old: detached' err || die "run: did not detach: $(cat err)"
echo "the plugin of $(basename "$module" .so) serves a guest of today"
