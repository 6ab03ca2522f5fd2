#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# null.sh TENON KERNEL: whole machines on the null backend, which plays a script of exits.
kernel=$(realpath "$2")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

off='pio-write 0x604 1 0x34'
reset='pio-write 0x606 1 1'

# play CODE NAME [OPTION...]: runs the script on standard input; the backend's calls are in `log`
play() {
	local code=$1 name=$2
	shift 2
	cat >script
	rm -f log
	TENON_NULL_SCRIPT=script TENON_NULL_LOG=${log-log} expect "$code" "$name" \
		"$tenon" run --kernel "$kernel" --hypervisor null "$@"
}

calls() {
	grep -cE -- "$1" log
}

# Whatever was made was taken down, in order, once.
balanced() {
	[ "$(calls '^vcpu_create')" = "$(calls '^vcpu_destroy')" ] || fail "$1: vCPUs are left"
	[ "$(calls '^vm_destroy')" = 1 ] || fail "$1: the machine is left"
	[ "$(tail -1 log)" = vm_destroy ] || fail "$1: $(tail -1 log) after the machine's end"
}

# ---- the steps ----

play 0 "power off" <<<"$off" && silent "power off" && balanced "power off"
order=$(grep -nE '^(vm_create|mem_map|irqchip_create|vcpu_create|irqchip_finish|vcpu_run)' log |
	sed 's/^[0-9]*:\([a-z_]*\).*/\1/' | uniq | tr '\n' ' ')
[ "$order" = 'vm_create mem_map irqchip_create vcpu_create irqchip_finish vcpu_run ' ] ||
	fail "the steps came as: $order"

play 0 "another value than the one for off" <<<"pio-write 0x604 1 0x30
pio-write 0x604 1 0x14
pio-read 0x604 1 expect 0
$off"
play 0 "off by the hypervisor" <<<off
play 0 "nothing happens after off" <<<"$off
dead"

# ---- reset ----

play 0 "an empty command line" --append '' <<<"load 0x20000 1 expect 0
$off"
play 0 "reset in place" --append hello <<SCRIPT
load 0x20000 4 expect 0x6c6c6568
load 0x100000 1 expect 0x48
store 0x100000 8 0
store 0x20000 8 0
store 0xe0000 8 0
store 0x7000 8 0x1234
mmio-write 0xd0001070 4 3
mmio-read 0xd0001070 4 expect 3
$reset
mmio-read 0xd0001070 4 expect 0
load 0x20000 4 expect 0x6c6c6568
load 0x100000 1 expect 0x48
load 0xe0000 8 expect 0x2052545020445352
load 0x7000 2 expect 0
$off
SCRIPT
balanced "reset in place"
[ "$(calls '^vm_reset')" = 1 ] || fail "reset in place: the machine was not reset"
[ "$(calls '^vcpu_reset')" = 1 ] || fail "reset in place: the vCPU was not reset"
# RIP is general register 16: the entry, twice
[ "$(calls '^vcpu_set_regs 0 0x01000010=0x100000')" = 2 ] ||
	fail "reset in place: the vCPU was not at the entry twice"

play 0 "many resets of many vCPUs" --cpus 4 <<SCRIPT
repeat 20
pio-write 0x64 1 0xfe
end
$off
vcpu 1
repeat 10000
pio-read 0x80 1
end
vcpu 2
repeat 10000
mmio-read 0xd0000000 4
end
SCRIPT
balanced "many resets of many vCPUs"
[ "$(calls '^vcpu_reset')" = 80 ] || fail "many resets: $(calls '^vcpu_reset') vCPU resets"

play 0 "on_reboot = exit" --set vm.on_reboot=exit <<<"$reset"
[ "$(calls '^vcpu_reset')" = 0 ] || fail "on_reboot = exit: the vCPU was reset"
balanced "on_reboot = exit"

# ---- the end of a guest ----

play 4 "the guest dies" <<<dead && balanced "the guest dies"
says "the guest dies" 'tenon: the guest died: vcpu 0: the script says that the guest died'
says "the guest dies" 'tenon: vcpu 0: rip=0000000000100000'
play 1 "the hypervisor cannot go on" <<<'fail no more paper' && balanced "cannot go on"
says "the hypervisor cannot go on" 'tenon: vcpu 0: no more paper'
says "the hypervisor cannot go on" 'tenon: vcpu 0: rip='
play 1 "an unknown exit" <<<'exit 99' && balanced "an unknown exit"
says "an unknown exit" 'tenon: vcpu 0: the hypervisor reported an unknown exit'
says "an unknown exit" 'cs.base='
# What goes wrong first is what is told; only one vCPU's registers belong to it.
play 4 "two vCPUs die" --cpus 2 <<<'dead
vcpu 1
dead'
[ "$(grep -c 'the guest died' err)" = 1 ] || fail "two vCPUs die: $(cat err)"
play 0 "calls and system registers that nobody knows" <<<"call 0x84000000 1 2 expect 0xffffffffffffffff
$off"

# ---- the reader of the output ----

# What was written is kept for a reader who comes late, more than a pipe holds; a signal ends that.
print_much() { # FIFO: the machine, which has ended its work when its vCPU is gone
	printf 'repeat 100000\npio-write 0x3f8 1 0x41\nend\n%s\n' "$off" >script
	rm -f log
	TENON_NULL_SCRIPT=script TENON_NULL_LOG=log "$tenon" run --kernel "$kernel" \
		--hypervisor null --device serial </dev/null >"$1" 2>err &
	pid=$!
	exec 5<"$1"
	for ((i = 0; i < 20000; i++)); do
		! grep -q '^vcpu_destroy' log 2>/dev/null || break
	done
	ran=$((ran + 1))
}

mkfifo output
print_much output
[ "$(wc -c <&5)" = 100000 ] || fail "a slow reader: output is lost"
wait "$pid" || fail "a slow reader: exit code $?"
silent "a slow reader"
print_much output
kill -TERM "$pid"
wait "$pid" || fail "nobody reads: exit code $?"
silent "nobody reads"
exec 5<&-

# ---- registers ----

play 0 "accesses of all sizes" <<SCRIPT && silent "accesses of all sizes"
mmio-read 0xd0000000 4 expect 0x74726976
mmio-read 0xd0000000 1 expect 0
mmio-read 0xd0000000 2 expect 0
mmio-read 0xd0000000 8 expect 0
mmio-read 0xd0000002 4 expect 0
mmio-write 0xd0000070 1 3
mmio-write 0xd0000070 2 3
mmio-write 0xd0000070 8 3
mmio-write 0xd0000071 4 3
mmio-read 0xd0000070 4 expect 0
mmio-read 0xd0000ffc 4 expect 0
mmio-read 0xd0000ffd 4 expect 0xffffffff
mmio-read 0xd0001ffc 8 expect 0xffffffffffffffff
mmio-write 0xd0001ffc 8 1
mmio-read 0xcfffffff 2 expect 0xffff
mmio-read 0xe0000000 1 expect 0xff
mmio-read 0xe0000000 8 expect 0xffffffffffffffff
mmio-read 0xffffffffffffffff 1 expect 0xff
mmio-read 0xfffffffffffffffc 8 expect 0xffffffffffffffff
mmio-write 0xfffffffffffffffc 8 1
pio-read 0x9000 1 expect 0xff
pio-read 0x9000 4 expect 0xffffffff
pio-read 0x607 2 expect 0xffff
pio-read 0xffff 4 expect 0xffffffff
pio-write 0x9000 4 1
mmio-write 0xd0000050 4 0xffffffff
mmio-write 0xd0000050 4 2
mmio-write 0xd0000050 2 0
mmio-write 0xd0000030 4 0xffffffff
mmio-write 0xd0000038 4 0xffffffff
mmio-write 0xd0000044 4 1
mmio-write 0xd0000070 4 0xffffffff
mmio-write 0xd0000070 4 0
$off
SCRIPT

# ---- many of everything ----

for ((i = 0; i < 64; i++)); do
	echo "vcpu $i"
	printf 'repeat 20\nmmio-read 0xd0000000 4 expect 0x74726976\nend\n'
done >many
echo "$off" >>many
play 0 "64 vCPUs" --cpus 64 <many && balanced "64 vCPUs"
[ "$(calls '^vcpu_create')" = 64 ] || fail "64 vCPUs: $(calls '^vcpu_create') were made"
play 3 "65 vCPUs" --cpus 65 <<<"$off" && one_sentence "65 vCPUs"
says "65 vCPUs" '--cpus 65: 65 vcpus are wanted, this host can run 64'

devices() {
	echo "payload: { kernel = \"$kernel\"; }; vm: { hypervisor = \"null\"; };"
	echo 'devices = ('
	for ((i = 1; i < $1; i++)); do
		echo '{ type = "rng"; },'
	done
	echo '{ type = "rng"; } );'
}
devices 64 >64.cfg
devices 65 >65.cfg
echo "mmio-read 0xd003f000 4 expect 0x74726976
mmio-read 0xd003f008 4 expect 4
$off" >script
TENON_NULL_SCRIPT=script TENON_NULL_LOG=log expect 0 "64 devices" "$tenon" run 64.cfg
[ "$(calls '^doorbell.*assign=1')" = 64 ] || fail "64 devices: not as many doorbells"
TENON_NULL_SCRIPT=script expect 2 "65 devices" "$tenon" run 65.cfg && one_sentence "65 devices"
says "65 devices" '65.cfg:67: "rng64" is virtio device 65, this machine has room for 64'
expect 0 "64 devices, checked" "$tenon" check 64.cfg
grep -q 'rng63: rng' out || fail "64 devices, checked: $(cat out)"

play 0 "two devices of one plugin" --device rng,name=a --device rng,name=b <<SCRIPT
mmio-write 0xd0000070 4 1
mmio-read 0xd0001070 4 expect 0
mmio-read 0xd0000070 4 expect 1
$off
SCRIPT

play 0 "I/O threads" --device rng,iothread=one --device rng,iothread=two --device rng,iothread=one \
	<<SCRIPT && balanced "I/O threads"
mmio-write 0xd0000070 4 1
mmio-write 0xd0001050 4 0
$reset
mmio-write 0xd0002070 4 1
mmio-write 0xd0002070 4 0
$off
SCRIPT
play 2 "the terminal on an I/O thread" --device console,iothread=one <<<"$off" &&
	one_sentence "the terminal on an I/O thread"

# A guest that asks for more than the loop can do finds no queue that grows.
flood() {
	for ((i = 0; i < 8; i++)); do
		printf 'vcpu %d\nrepeat %d\nmmio-write 0xd0000108 4 0x41\nend\n' $i "$1"
	done
	echo "$off"
}
resident() {
	sed -n 's/.*max-resident kib=//p' err
}
flood 10 >few
log=
play 0 "a few characters" --cpus 8 --timing <few
before=$(resident)
flood 20000 >many
play 0 "a flood of characters" --cpus 8 --timing <many
after=$(resident)
unset log
# The sanitizers keep what is freed and remember every access.
[ -n "${SANITIZED:-}" ] || [ $((after - before)) -lt 1024 ] ||
	fail "a flood of characters: $before KiB before, $after KiB after"

# ---- what the backend cannot do ----

broken() { # OPERATION CODE TEXT [SCRIPT]
	export TENON_NULL_FAIL=$1
	play "$2" "failing $1" --cpus 2 <<<"${4:-$off}" && one_sentence "failing $1"
	says "failing $1" "$3"
	unset TENON_NULL_FAIL
	case $1 in
	probe* | vm_create*) ;;
	*) balanced "failing $1" ;;
	esac
}
asked='the null backend was asked to fail call'
rm -f log
broken probe 3 "hypervisor \"null\": $asked 1 of probe"
broken vm_create 3 "cannot create the VM: $asked 1 of vm_create"
broken mem_map 3 "cannot map the guest's memory: $asked 1 of mem_map"
broken irqchip_create 3 "cannot create the interrupt controller: $asked"
broken irqchip_finish 3 "cannot finish the interrupt controller: $asked"
broken irqfd 3 'cannot connect it to the hypervisor: Input/output error'
broken irqfd:3 3 'cannot connect it to the hypervisor: Input/output error'
broken cpuid_supported 3 'cannot ask the hypervisor for CPUID: Input/output error'
export TENON_NULL_FAIL=vcpu_create
play 3 "one vCPU less" --cpus 8 <<<"$off" && one_sentence "one vCPU less"
[ "$(calls '^vcpu_destroy')" = 7 ] || fail "one vCPU less: $(calls '^vcpu_destroy') of 7 ended"
unset TENON_NULL_FAIL
broken vcpu_set_cpuid 3 "cannot set its CPUID: $asked 1 of vcpu_set_cpuid"
broken vcpu_set_cpuid:2 3 "cannot set its CPUID: $asked 2 of vcpu_set_cpuid"
broken vcpu_set_regs 3 "cannot set its start state: $asked 1 of vcpu_set_regs"
broken vcpu_set_msrs:2 3 "cannot set its start state: $asked 2 of vcpu_set_msrs"
broken vm_reset 3 "cannot reset the machine: $asked" "$reset"
broken vcpu_reset:2 3 "cannot reset it: $asked 2 of vcpu_reset" "$reset"
broken vcpu_set_regs:4 3 "cannot set its start state: $asked" "$reset"
# Ordinary answers: the core traps and forwards.
export TENON_NULL_FAIL=doorbell:1,doorbell:2,irq_line:1
play 0 "no doorbells, no lines" <<<"$off" && silent "no doorbells, no lines"
export TENON_NULL_FAIL=vcpu_run
play 1 "a run that fails" <<<"$off" && says "a run that fails" "$asked 1 of vcpu_run"
unset TENON_NULL_FAIL

# ---- files and streams ----

for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
	echo "$off" >script
	rc=$(eval "TENON_NULL_SCRIPT=script timeout 20 '$tenon' run --kernel '$kernel' \
		--hypervisor null $closed; echo \$? >&9" 9>&1 >/dev/null)
	[ "$rc" = 0 ] || fail "run $closed: exit code $rc"
done
printf '%s\nrepeat 100\npio-write 0x3f8 1 0x41\nend\n%s\n' "$reset" "$off" >script
{
	echo first
	TENON_NULL_SCRIPT=script "$tenon" run --kernel "$kernel" --hypervisor null -v \
		--device serial </dev/null
	echo last
} >all 2>&1
[ "$(tr '\n' ' ' <all)" = "first tenon: the guest restarts $(printf 'A%.0s' {1..100})last " ] ||
	fail "a file on standard output: '$(cat all)'"
TENON_NULL_SCRIPT=script timeout 20 "$tenon" run --kernel "$kernel" --hypervisor null \
	</dev/null 2>err | true
[ "${PIPESTATUS[0]}" = 0 ] || fail "a reader that went away: '$(cat err)'"
TENON_NULL_SCRIPT=script expect 0 "a full disk" \
	bash -c '"$0" run --kernel "$1" --hypervisor null >/dev/full' "$tenon" "$kernel"
TENON_NULL_SCRIPT=script expect 0 "a log file" \
	"$tenon" run --kernel "$kernel" --hypervisor null -v --log-file messages
[ -s messages ] || fail "a log file: nothing in it"

# Descriptors run out at every place where one is made.
echo "$off" >script
done_at=0
for ((limit = 4; limit < 80 && done_at == 0; limit++)); do
	(
		ulimit -n $limit
		TENON_NULL_SCRIPT=script exec timeout 20 "$tenon" run --kernel "$kernel" \
			--hypervisor null
	) >out 2>err </dev/null
	rc=$?
	ran=$((ran + 1))
	sanitizer_is_silent err "$limit descriptors" || break
	case $rc in
	0) done_at=$limit ;;
	3) one_sentence "$limit descriptors" ;;
	127) ;; # not even the program's own libraries
	*) fail "$limit descriptors: exit code $rc: '$(cat err)'" ;;
	esac
done
[ $done_at -gt 10 ] || fail "descriptors: done with $done_at"

finish
