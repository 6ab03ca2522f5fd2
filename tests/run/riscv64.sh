#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# riscv64.sh TENON: whole riscv64 machines on any host, on the null backend, which plays a script of
# exits and has no interrupt controller: calls to the firmware, the PLIC, device types in this
# machine's form, and the device tree.
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

# An Image: a header of 64 bytes (text_offset 2 MiB, image_size 1 MiB), then nothing.
{
	printf '\x4d\x5a\0\0\0\0\0\0\0\0\x20\0\0\0\0\0\0\0\x10\0\0\0\0\0'
	head -c 32 /dev/zero
	printf 'RSC\x05\0\0\0\0'
	head -c 4032 /dev/zero
} >Image
cat >vm.cfg <<'CFG'
vm: { memory = "256M"; hypervisor = "null"; };
payload: { kernel = "Image"; cmdline = "hello"; };
devices = ( { type = "rtc"; }, { type = "power"; } );
CFG

# play CODE NAME [OPTION...]: runs the script on standard input; the backend's calls are in `log`
play() {
	local code=$1 name=$2
	shift 2
	cat >script
	rm -f log
	TENON_NULL_SCRIPT=script TENON_NULL_LOG=log expect "$code" "$name" "$tenon" run vm.cfg "$@"
}

called() { # REGEX
	grep -qE -- "$1" log || fail "no call is '$1'"
}

off='call 0x5352535400000000 0 0'
reset='call 0x5352535400000000 1 0'

# ---- calls to the firmware ----

play 0 "power off" <<<"$off" && silent "power off"
called '^vcpu_set_regs 0 0x31000020=0x80200000$'
called '^vcpu_set_regs 0 0x3100000b=0x8fe00000$'
play 0 "reset in place" <<SCRIPT
load 0x8fe00000 4 expect 0xedfe0dd0
store 0x8fe00000 4 0
$reset
load 0x8fe00000 4 expect 0xedfe0dd0
$off
SCRIPT
called '^vcpu_reset 0$'
play 0 "the console" <<SCRIPT
store 0x80300000 4 0x21696821
call 0x4442434e00000000 4 0x80300000 0 expect 0
call 0x4442434e00000002 0x2e expect 0
$off
SCRIPT
[ "$(cat out)" = '!hi!.' ] || fail "the console printed '$(cat out)'"
play 0 "calls that there are not" <<SCRIPT
call 0x1234567800000000 expect 0xfffffffffffffffe
call 0xffffffffffffffff expect 0xfffffffffffffffe
call 0x4442434e00000000 1 0x1000 0 expect 0xfffffffffffffffd
call 0x48534d00000000 1 0x80200000 0 expect 0xfffffffffffffffd
$off
SCRIPT

# ---- the PLIC, and a clock that raises source 1 ----

play 0 "an interrupt by the PLIC" <<SCRIPT
mmio-write 0x0c000004 4 3
mmio-read 0x0c000004 4 expect 3
mmio-write 0x0c002000 4 2
mmio-write 0x1000000c 4 0
mmio-write 0x10000008 4 1
mmio-write 0x10000010 4 1
wait-irq 9
mmio-read 0x0c200004 4 expect 1
mmio-write 0x1000001c 4 1
mmio-write 0x0c200004 4 1
mmio-read 0x0c001000 4 expect 0
$off
SCRIPT
called '^vcpu_interrupt 0 line=9 level=1$'
called '^vcpu_interrupt 0 line=9 level=0$'
play 0 "a reset of the PLIC" <<SCRIPT
mmio-write 0x0c000004 4 3
$reset
mmio-read 0x0c000004 4 expect 0
$off
SCRIPT

# ---- the machine as it is told ----

expect 0 "check" "$tenon" check vm.cfg --dump-dtb null.dtb
silent "check"
grep -q 'rtc: goldfish' out || fail "the clock is not this machine's: $(cat out)"
grep -q 'power: button' out || fail "the power button is not this machine's: $(cat out)"
expect 2 "a device tree that cannot be written" \
	"$tenon" check vm.cfg --dump-dtb /nowhere/tree
one_sentence "a device tree that cannot be written"
if command -v dtc >/dev/null; then
	dtc -I dtb -O dts -o tree.dts null.dtb 2>warnings || fail "dtc: $(cat warnings)"
	[ ! -s warnings ] || fail "dtc warns: $(cat warnings)"
	grep -q 'bootargs = "hello"' tree.dts || fail "the command line is not in the tree"
fi
expect 3 "a hypervisor of another kind" env TENON_NULL_ISA=x86_64 "$tenon" run vm.cfg
one_sentence "a hypervisor of another kind"

expect 2 "too little memory" "$tenon" run vm.cfg --memory 63M
says "too little memory" "from 64M to 1024G is wanted"
expect 3 "too many vCPUs" "$tenon" run vm.cfg --cpus 256
says "too many vCPUs" "256 vcpus are wanted"

finish
