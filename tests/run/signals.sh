#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# signals.sh TENON KERNEL MODULES: signals ask for the end, and the terminal is as it was on every way out.
image=$(realpath "$2")
modules=$(realpath "$3")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

# Its name tells our programs from others that run meanwhile.
cp "$image" kernel
kernel=$work/kernel
off='pio-write 0x604 1 0x34'
# The guest says that it runs, and the backend's log is a pipe: no time is guessed.
here='pio-write 0x80 1 1'
mkfifo log
exec 3<>log

# begin [OPTION...]: starts the script on standard input and waits till the guest runs
begin() {
	cat >script
	rm -f out err
	TENON_NULL_SCRIPT=script TENON_NULL_LOG=log timeout 20 "$tenon" run --kernel "$kernel" \
		--hypervisor null --device power,irq=11 "$@" >out 2>err </dev/null 3>&- &
	until_log 'address=0x80 '
	pid=$(pgrep -P $!)
	started=$SECONDS
	ran=$((ran + 1))
}

until_log() {
	local line
	while read -r -t 20 line <&3; do
		[[ $line == *$1* ]] && return
	done
	fail "the backend's log never said '$1': $(cat err screen 2>/dev/null)"
	finish # nothing that follows could be trusted
}

# ended CODE NAME: it ends, and this is how
ended() {
	until_log vm_destroy
	wait $!
	local rc=$?
	[ $rc = "$1" ] || fail "$2: exit code $rc, wanted $1; it said '$(cat err)'"
	sanitizer_is_silent err "$2"
	[ $((SECONDS - started)) -lt 10 ] || fail "$2: took $((SECONDS - started)) s"
}

for signal in TERM INT HUP; do
	begin <<<"$here
wait-irq 11
$off"
	kill -$signal "$pid"
	ended 0 "a guest that listens to SIG$signal"
	silent "a guest that listens to SIG$signal"
done

begin --set vm.shutdown_timeout=1 <<<"$here"
kill -TERM "$pid"
ended 0 "a guest that does not listen"
says "a guest that does not listen" \
	'tenon: the guest did not shut down in 1 s and is stopped'
one_sentence "a guest that does not listen"

begin --set vm.shutdown_timeout=3600 <<<"$here"
kill -TERM "$pid"
until_log 'irq_line gsi=11 level=0'
kill -TERM "$pid"
ended 0 "a second signal"
silent "a second signal"

begin --set vm.shutdown_timeout=0 <<<"$here"
kill -TERM "$pid"
ended 0 "no time to shut down"
silent "no time to shut down"

# A guest that reboots when it is asked to shut down is stopped all the same.
begin --set vm.shutdown_timeout=1 <<<"$here
wait-irq 11
pio-write 0x606 1 1"
kill -TERM "$pid"
ended 0 "a guest that reboots instead"
says "a guest that reboots instead" 'is stopped'

# Guests that do nothing but keep the VMM busy.
for flood in 'pio-read 0x64 1' 'pio-write 0x604 1 0' 'mmio-write 0xd0000050 4 0' \
	'mmio-write 0xd0000070 4 0' 'mmio-write 0xd0000108 4 0x41' 'mmio-read 0xe0000000 8'; do
	begin --cpus 2 --device console --set vm.shutdown_timeout=3600 <<<"$here
repeat 100000000
$flood
end
vcpu 1
repeat 100000000
$flood
end"
	kill -TERM "$pid"
	until_log 'gsi=11 level=1'
	kill -TERM "$pid"
	ended 0 "a flood of '$flood'"
done

# The machine is built anew from the files: one that was cut short is seen before it is read.
cp "$kernel" short
kernel_was=$kernel kernel=$(realpath short)
begin <<<"$here
wait-irq 11
pio-write 0x606 1 1"
: >short
kill -TERM "$pid"
ended 2 "a kernel that was cut short"
says "a kernel that was cut short" 'bytes while it was in use'
kernel=$kernel_was

printf 'payload: { kernel = "%s"; };\nvm: { hypervisor = "null"; platform_devices = false; };\n' \
	"$kernel" >bare.cfg
printf '%s\n' "$here" >script
TENON_NULL_SCRIPT=script TENON_NULL_LOG=log timeout 20 "$tenon" run bare.cfg >out 2>err </dev/null \
	3>&- &
until_log 'address=0x80 '
started=$SECONDS
kill -TERM "$(pgrep -P $!)"
ended 0 "no power button"
says "no power button" 'the machine has no power button: the guest is stopped'

# ---- the terminal ----

# The shell on a terminal of its own starts the program, whose serial port makes it raw; the guest
# sends a letter when it runs; what the terminal is afterwards is what the shell sees.
cat >on_terminal <<'SCRIPT'
stty sane
stty -a >before
TENON_NULL_SCRIPT=script TENON_NULL_LOG=log timeout --foreground 20 "$tenon" run \
	--kernel "$kernel" --hypervisor null --device serial,input=true --device power,irq=11 \
	--device "stages,plugin=$modules/stages.so" --set vm.shutdown_timeout=3600
echo $? >code
stty -a >after
SCRIPT

# terminal CODE NAME ACTION: ACTION is given the terminal in raw mode and the program's id
terminal() {
	local code=$1 name=$2 tty
	shift 2
	rm -f before after code
	tenon=$tenon kernel=$kernel modules=$modules script -qec 'bash on_terminal' /dev/null \
		>screen 2>&1 </dev/null 3>&- &
	until_log 'address=0x80 '
	pid=$(pgrep -f "^$tenon run --kernel $kernel" | tail -1)
	tty=/proc/$pid/fd/0
	stty -a <"$tty" | grep -q -- '-icanon' || fail "$name: the terminal is not raw"
	"$@"
	wait $!
	ran=$((ran + 1))
	cmp -s before after || fail "$name: the terminal is not as it was: $(diff before after)"
	[ "$(cat code)" = "$code" ] || fail "$name: exit code $(cat code), wanted $code: $(cat screen)"
	sanitizer_is_silent screen "$name"
}

# shellcheck disable=SC2317 # called by name
send() {
	kill "-$1" "$pid"
}


ulimit -c 0
cat >script <<<"$here
wait-irq 11
$off"
terminal 0 "power off on a terminal" send TERM
terminal 0 "a hang-up on a terminal" send HUP
cat >script <<<"$here
wait-irq 11
dead"
terminal 4 "death on a terminal" send TERM
cat >script <<<"$here"
terminal 131 "SIGQUIT on a terminal" send QUIT
terminal 140 "SIGUSR2 on a terminal" send USR2
terminal 142 "SIGALRM on a terminal" send ALRM
if [ -z "${SANITIZED:-}" ]; then # they have handlers of their own
	terminal 134 "SIGABRT on a terminal" send ABRT
	terminal 139 "SIGSEGV on a terminal" send SEGV
	# A device that faults on the vCPU's thread; the button says when.
	cat >script <<<"$here
wait-irq 11
pio-write 0x9100 1 1"
	terminal 139 "a fault of a vCPU's thread" send TERM
fi

finish
