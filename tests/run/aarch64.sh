#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aarch64.sh TENON: an aarch64 machine on any host, on the null backend: device types in this
# machine's form, the device tree, and what does not fit.
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

# An Image: a header of 64 bytes (text_offset 0, image_size 1 MiB), then nothing.
{
	printf '\x4d\x5a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0'
	head -c 32 /dev/zero
	printf 'ARM\x64\0\0\0\0'
	head -c 4032 /dev/zero
} >Image
cat >vm.cfg <<'CFG'
vm: { memory = "256M"; hypervisor = "null"; };
payload: { kernel = "Image"; cmdline = "hello"; };
devices = ( { type = "rtc"; }, { type = "power"; }, { type = "rng"; } );
CFG

expect 0 "check" "$tenon" check vm.cfg --dump-dtb vm.dtb
silent "check"
grep -q 'rtc: pl031' out || fail "the clock is not this machine's: $(cat out)"
grep -q 'power: power' out || fail "the power button is not there: $(cat out)"
if command -v dtc >/dev/null; then
	dtc -I dtb -O dts vm.dtb >vm.dts 2>said || fail "dtc cannot read the tree: $(cat said)"
	[ ! -s said ] || fail "dtc warns: $(cat said)"
	grep -qF 'compatible = "arm,pl031\0arm,primecell"' vm.dts || fail "the clock has not both names"
	grep -q 'clock-names = "apb_pclk"' vm.dts || fail "the clock's bus has no clock"
	grep -q 'compatible = "gpio-keys"' vm.dts || fail "the power button is no key"
fi

# A plugin that is named is taken as it is; the clock of a PC needs ports.
cat >pc.cfg <<'CFG'
vm: { memory = "256M"; hypervisor = "null"; };
payload: { kernel = "Image"; };
devices = ( { type = "rtc"; plugin = "PLUGIN"; } );
CFG
sed -i "s|PLUGIN|${tenon%/bin/*}/lib/tenon/0/rtc.so|" pc.cfg
expect 3 "the clock of a PC" "$tenon" check pc.cfg
one_sentence "the clock of a PC"

expect 2 "too little memory" "$tenon" run vm.cfg --memory 63M
says "too little memory" "from 64M to 1023G is wanted"
expect 3 "too many vCPUs" "$tenon" run vm.cfg --cpus 513
says "too many vCPUs" "513 vcpus are wanted"

finish
