#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# hvf.sh TENON NEWER: the backend for macOS inside of the real program, against a stand-in for the
# framework that plays scripts of exits (standin.h); NEWER has what macOS 15 adds to it.
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/../run/lib.sh"
newer=$2

# An Image: a header of 64 bytes (text_offset 0, image_size 1 MiB, flags 10), then nothing.
{
	head -c 16 /dev/zero
	printf '\0\0\x10\0\0\0\0\0\x0a\0\0\0\0\0\0\0'
	head -c 24 /dev/zero
	printf 'ARM\x64\0\0\0\0'
	head -c 4032 /dev/zero
} >Image
cat >vm.cfg <<'CFG'
vm: { memory = "256M"; hypervisor = "hvf"; };
payload: { kernel = "Image"; cmdline = "hello"; };
devices = ( { type = "goldfish"; } );
CFG

# play CODE NAME [OPTION...]: runs the script on standard input; what the framework was told is in
# `log`.  Of the stand-in's own failures the code is 70.
play() {
	local code=$1 name=$2
	shift 2
	cat >script
	rm -f log
	HVF_SCRIPT=script HVF_LOG=log expect "$code" "$name" "$tenon" run vm.cfg "$@"
}

called() { # REGEX
	grep -qE -- "$1" log || fail "no call is '$1': $(cat log)"
}

not_called() { # REGEX
	! grep -qE -- "$1" log || fail "a call is '$1': $(cat log)"
}

# What a kernel does with the interrupt controller, for vCPU $1: everything in group 1, the
# virtual timer and SGIs enabled, one priority, the mask open.
gic_up() {
	local own=$((0x10000000 + 0x20000 * $1))
	cat <<SCRIPT
set x20 2
write 0x08000000 4 x20
set x20 0
write $((own + 0x14)) 4 x20
set x20 0xffffffff
write $((own + 0x10080)) 4 x20
set x20 0x0800ffff
write $((own + 0x10100)) 4 x20
set x20 0xf0
msr 0xc230 x20
set x20 1
msr 0xc667 x20
SCRIPT
}

psci() { # FUNCTION [ARGUMENT...]: by HVC
	local n=0 value
	for value in "$@"; do
		echo "set x$n $value"
		n=$((n + 1))
	done
	echo hvc
}

off=$(psci 0x84000008)
reset=$(psci 0x84000009)
iar1=0xc660 eoir1=0xc661 sgi1r=0xc65d

# ---- the machine ----

play 0 "power off" <<SCRIPT && silent "power off"
expect pc 0x40200000
expect cpsr 0x3c5
expect x0 0x40000000
expect 0xc005 0x80000000
load 0x40000000 4 0xedfe0dd0
$off
SCRIPT
called '^hv_vm_map 0x40000000 0x10000000 7$'
called '^hv_vm_destroy$'

play 0 "a reset in place" <<SCRIPT && silent "a reset in place"
store 0x40000000 4 0
set x7 5
set 0xc600 0x1234
set 0xc080 0
set 0xe208 77
$reset
expect pc 0x40200000
expect x0 0x40000000
expect x7 0
expect 0xc600 0
expect 0xc080 0x30d00980
expect 0xe208 0
expect 0xc005 0x80000000
load 0x40000000 4 0xedfe0dd0
$off
SCRIPT

# ---- accesses of every width with every register ----

# IPRIORITYR keeps the upper five bits of each byte.
{
	for size in 1 2 4 8; do
		value=0x1827354855667788
		wanted=$((0x1820304850607088 & (size == 8 ? -1 : (1 << 8 * size) - 1)))
		for reg in {0..30}; do
			echo "set x$reg $value"
			echo "write 0x08000440 $size x$reg"
			echo "read 0x08000440 $size x$reg wide"
			echo "expect x$reg $wanted"
		done
		echo "write 0x08000440 $size xzr"
		echo "set x0 99"
		echo "read 0x08000440 $size x0"
		echo "expect x0 0"
		echo "set x1 $value"
		echo "write 0x08000440 $size x1"
		echo "read 0x08000440 $size xzr"
	done
	echo "$off"
} >widths
play 0 "accesses of every width with every register" <widths &&
	silent "accesses of every width with every register"

play 0 "signs are extended" <<SCRIPT
set x1 0xfffffffffffffff8
write 0x08000440 8 x1
set x2 0
read 0x08000440 1 x2 signed wide
expect x2 0xfffffffffffffff8
read 0x08000440 1 x2 signed
expect x2 0xfffffff8
read 0x08000440 2 x2 signed wide
expect x2 0xfffffffffffff8f8
read 0x08000440 4 x2 signed wide
expect x2 0xfffffffff8f8f8f8
read 0x08000440 4 x2
expect x2 0xf8f8f8f8
set x1 0x70
write 0x08000440 1 x1
read 0x08000440 1 x2 signed wide
expect x2 0x70
$off
SCRIPT

play 0 "where nothing is" <<SCRIPT
set x1 1
write 0x3ffff000 8 x1
read 0x3ffff000 2 x1 wide
expect x1 0xffff
abort 0x92000100 0x3ffff000
expect pc 0x4020000c
$off
SCRIPT

# ---- calls ----

play 0 "calls by HVC and SMC" <<SCRIPT
set x0 0x84000000
hvc
expect x0 0x10001
expect pc 0x40200004
set x0 0x84000000
smc
expect x0 0x10001
expect pc 0x40200008
set x0 0x84000000
hvc 1
expect x0 0xffffffffffffffff
set x0 0xc600ff01
set x1 7
set x3 9
hvc
expect x0 0xffffffffffffffff
expect x1 7
expect x3 9
$off
SCRIPT

# ---- system registers ----

play 0 "system registers" <<SCRIPT
set x1 0xf8
msr 0xc230 x1
mrs 0xc230 x2
expect x2 0xf8
msr 0xc230 xzr
mrs 0xc230 x2
expect x2 0
mrs 0xc230 xzr
set x3 5
mrs 0x8004 x3
expect x3 0
set 0xc600 0x40280000
mrs 0xc012 x3 undefined
expect x3 0
set pc 0x40200100
msr $iar1 x1 undefined
$off
SCRIPT

# ---- an interrupt of a device: the clock's alarm, line 0 ----

play 0 "an interrupt of a device" <<SCRIPT
$(gic_up 0)
set x1 1
write 0x08000084 4 x1
write 0x08000104 4 x1
no-irq
set x1 0
write 0x2000000c 4 x1
set x1 1
write 0x20000008 4 x1
write 0x20000010 4 x1
wait-irq
mrs $iar1 x5
expect x5 32
no-irq
write 0x2000001c 4 x1
msr $eoir1 x5
no-irq
mrs $iar1 x5
expect x5 1023
$off
SCRIPT

play 0 "an interrupt of group 0" <<SCRIPT
$(gic_up 0)
set x1 3
write 0x08000000 4 x1
set x1 0xffff7fff
write 0x10010080 4 x1
set x1 1
msr 0xc666 x1
set x1 0x8000
write 0x10010200 4 x1
wait-fiq
no-irq
mrs 0xc640 x5
expect x5 15
msr 0xc641 x5
$off
SCRIPT

# ---- the virtual timer ----

timer_line="expect x5 27"
play 0 "timer interrupts" <<SCRIPT && silent "timer interrupts"
$(gic_up 0)
timer 1000000
wait-timer
wait-irq
mrs $iar1 x5
$timer_line
timer 2000000
msr $eoir1 x5
no-irq
wait-irq
mrs $iar1 x5
$timer_line
timer-off
msr $eoir1 x5
no-irq
$off
SCRIPT
[ "$(grep -c '^hv_vcpu_set_vtimer_mask 0$' log)" = 2 ] || fail "timer interrupts: $(cat log)"

play 0 "a timer that stays due" <<SCRIPT
$(gic_up 0)
timer 0
wait-irq
mrs $iar1 x5
msr $eoir1 x5
wait-irq
mrs $iar1 x5
$timer_line
$off
SCRIPT
not_called '^hv_vcpu_set_vtimer_mask 0$'

play 0 "waiting until the timer is due" <<SCRIPT && silent "waiting until the timer is due"
$(gic_up 0)
timer 3000000
wfi
has-timer
has-irq
mrs $iar1 x5
$timer_line
timer-off
msr $eoir1 x5
timer 0
wfi
wait-irq
wfe
$off
SCRIPT

# ---- four vCPUs: each is started, waits, is woken by an SGI, answers with one, goes off ----

{
	gic_up 0
	psci 0xc4000004 1
	echo "expect x0 1"
	for cpu in 1 2 3; do
		psci 0xc4000003 "$cpu" $((0x40200000 + 0x100 * cpu)) $((0x77 + cpu))
		echo "expect x0 0"
		psci 0xc4000004 "$cpu" # on, or about to be
		echo wait-irq
		echo "mrs $iar1 x5"
		echo "expect x5 $cpu"
		echo "msr $eoir1 x5"
		psci 0xc4000003 "$cpu" 0x40200000
		echo "expect x0 0xfffffffffffffffc"
		echo "set x6 $((8 << 24 | 1 << cpu))"
		echo "msr $sgi1r x6"
		echo wait-irq
		echo "mrs $iar1 x5"
		echo "expect x5 9"
		echo "msr $eoir1 x5"
		echo no-irq
		psci 0xc4000004 "$cpu" 0
		echo "until 4 x0 1"
	done
	psci 0xc4000003 4 0x40200000
	echo "expect x0 0xfffffffffffffffe"
	echo "$off"
	for cpu in 1 2 3; do
		echo "vcpu $cpu"
		echo "expect pc $((0x40200000 + 0x100 * cpu))"
		echo "expect x0 $((0x77 + cpu))"
		echo "expect cpsr 0x3c5"
		echo "expect 0xc005 $((0x80000000 + cpu))"
		gic_up "$cpu"
		echo "set x6 $((cpu << 24 | 1))"
		echo "msr $sgi1r x6"
		echo wfi
		echo has-irq
		echo "mrs $iar1 x5"
		echo "expect x5 8"
		echo "msr $eoir1 x5"
		echo "set x6 $((9 << 24 | 1))"
		echo "msr $sgi1r x6"
		echo "set x0 0x84000002"
		echo smc
	done
} >four
for _ in 1 2 3; do
	play 0 "four vCPUs" --cpus 4 <four && silent "four vCPUs"
done

# A vCPU that went off starts again, from its reset state.
play 0 "off and on again" --cpus 2 <<SCRIPT && silent "off and on again"
$(gic_up 0)
$(psci 0xc4000003 1 0x40200100 1)
expect x0 0
$(psci 0xc4000004 1 0)
until 4 x0 1
$(psci 0xc4000003 1 0x40200200 2)
expect x0 0
$(psci 0xc4000004 1 0)
until 4 x0 1
$off
vcpu 1
set 0xc600 0x5000
set x9 9
set x0 0x84000002
hvc
expect pc 0x40200200
expect x0 2
expect x9 0
expect 0xc600 0
set x0 0x84000002
hvc
SCRIPT

# ---- leaving, wherever the vCPUs are ----

for where in spin wfi "timer 100000000000
wfi"; do
	play 0 "the end while vCPU 1 is at $where" --cpus 2 <<SCRIPT
$(gic_up 0)
$(psci 0xc4000003 1 0x40200100 1)
wait-irq
$off
vcpu 1
maybe
set x6 0x01000001
msr $sgi1r x6
$where
spin
SCRIPT
	called '^hv_vm_destroy$'
done
play 0 "a reset while vCPU 1 is in the guest" --cpus 2 <<SCRIPT
$(gic_up 0)
$(psci 0xc4000003 1 0x40200100 1)
wait-irq
$reset
expect pc 0x40200000
no-irq
read 0x08000000 4 x1
expect x1 0x50
$(psci 0xc4000004 1 0)
expect x0 1
$off
vcpu 1
set x6 0x01000001
msr $sgi1r x6
spin
SCRIPT
# Asked from outside, once the guest runs.
rm -f log
mkfifo log
echo spin >script
HVF_SCRIPT=script HVF_LOG=log timeout 20 "$tenon" run vm.cfg --set vm.shutdown_timeout=0 \
	>out 2>err </dev/null &
while read -r line; do
	[ "$line" != hv_vcpu_run ] || kill "$!"
done <log
wait "$!"
rc=$?
ran=$((ran + 1))
[ "$rc" = 0 ] || fail "a stop from outside: exit code $rc, $(cat err)"
sanitizer_is_silent err "a stop from outside"

# ---- exits that a guest should not cause ----

play 1 "an unknown reason" <<<'exit 3'
says "an unknown reason" "macOS stopped it for a reason that is not known: 3 (at 0x40200000)"
says "an unknown reason" "pc=0000000040200000"
play 1 "an unknown exception" <<<'abort 0xf2000000 0'
says "an unknown exception" "an exception of class 0x3c, syndrome 0xf2000000"
play 1 "an access that tells nothing" <<<'abort 0x92000046 0x20000000'
says "an access that tells nothing" \
	"an access to 0x20000000 by an instruction that cannot be decoded for it"
play 4 "instructions from nowhere" <<<'abort 0x82000006 0x1234'
says "instructions from nowhere" "it fetches instructions from 0x1234, where there is no memory"

# ---- the framework fails ----

for call in hv_vm_create hv_vm_map hv_vcpu_create hv_vcpu_set_sys_reg hv_vm_get_max_vcpu_count; do
	HVF_FAIL=$call play 3 "$call fails" </dev/null
	one_sentence "$call fails"
	says "$call fails" "the framework failed"
done
HVF_FAIL=hv_vcpu_run play 1 "hv_vcpu_run fails" </dev/null
says "hv_vcpu_run fails" "macOS cannot run it: the framework failed"
HVF_FAIL=hv_vm_create:007 play 3 "no entitlement" </dev/null
says "no entitlement" "signed with the entitlement com.apple.security.hypervisor"
play 3 "too many vCPUs" --cpus 17 </dev/null
says "too many vCPUs" "17 vcpus are wanted"

# ---- macOS 15: the framework's own interrupt controller ----

export HVF_ALSO=$newer
play 0 "the framework's controller" <<SCRIPT && silent "the framework's controller"
set x1 0
write 0x2000000c 4 x1
set x1 1
write 0x20000008 4 x1
write 0x20000010 4 x1
write 0x2000001c 4 x1
no-irq
timer 0
wfi
wait-timer
no-irq
$reset
$off
SCRIPT
called '^hv_gic_create 0x8000000 0x10000000$'
called '^hv_gic_set_spi 32 1$'
called '^hv_gic_set_spi 32 0$'
called '^hv_gic_reset$'
HVF_FAIL=hv_gic_create:00f play 0 "a controller that is not supported" <<SCRIPT
read 0x08000000 4 x1
expect x1 0x50
$off
SCRIPT
HVF_FAIL=hv_gic_create play 3 "a controller that fails" </dev/null
one_sentence "a controller that fails"
says "a controller that fails" "cannot create the interrupt controller: the framework failed"

finish
