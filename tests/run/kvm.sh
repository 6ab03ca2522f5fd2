#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# kvm.sh TENON KERNEL FIRST_GUEST FIRMWARE: the program and hand-written kernels on real KVM.
kernel=$(realpath "$2")
first=$(realpath "$3")
firmware=$(realpath "$4")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

"$tenon" run --kernel "$first" --hypervisor kvm --memory 64M >out 2>err </dev/null
if [ $? = 3 ]; then
	echo "SKIP: $(cat err)"
	exit 77
fi

# boot CODE NAME LETTER [OPTION...]
boot() {
	local code=$1 name=$2 letter=$3
	shift 3
	expect "$code" "$name" "$tenon" run --kernel "$kernel" --hypervisor kvm --memory 64M \
		--append "$letter" --device rng,irq=10 --device power,irq=11 "$@"
}

for cpus in 1 3; do
	expect 0 "the 64-bit entry" "$tenon" run --kernel "$first" --hypervisor kvm \
		--memory 64M --cpus $cpus --set payload.boot=linux64
	silent "the 64-bit entry"
	expect 0 "the PVH entry" "$tenon" run --kernel "$first" --hypervisor kvm \
		--memory 5G --cpus $cpus --set payload.boot=pvh
	silent "the PVH entry"
done

boot 0 "power off" o && silent "power off"
boot 4 "a triple fault" t
says "a triple fault" 'tenon: the guest died: vcpu 0: triple fault'
says "a triple fault" 'tenon: vcpu 0: rip=00000000001'
boot 0 "reset by the power plugin" r -v
[ "$(grep -c 'the guest restarts' err)" = 1 ] || fail "reset by the power plugin: $(cat err)"
boot 0 "reset by the keyboard's line" k -v
[ "$(grep -c 'the guest restarts' err)" = 1 ] || fail "reset by the keyboard's line: $(cat err)"
boot 0 "reset and exit" r --set vm.on_reboot=exit -v
grep -q 'the guest restarts' err && fail "reset and exit: $(cat err)"
boot 0 "random bytes by an interrupt" g && silent "random bytes by an interrupt"
boot 0 "random bytes, polled" p && silent "random bytes, polled"
expect 0 "random bytes from an I/O thread" "$tenon" run --kernel "$kernel" --hypervisor kvm \
	--memory 64M --append g --device rng,irq=10,iothread=fast
boot 0 "accesses of all sizes" m && silent "accesses of all sizes"
boot 0 "many processors of which one runs" g --cpus 8

# Firmware at the reset vector; its own memory is read-only to it.
expect 0 "firmware" "$tenon" run --set "payload.firmware=$firmware" --hypervisor kvm --memory 64M \
	--device serial
printf 'firmware\nfirmware\nm\n' | cmp -s - out || fail "firmware: it said: $(cat out)"

# SeaBIOS says who it is, and how far it comes on a machine without PCI; then it waits for ever.
seabios() { # IMAGE
	local bios=/usr/share/seabios/$1 pid line seen=
	[ -r "$bios" ] || fail "$1: package seabios is not there"
	mkfifo words
	timeout 20 "$tenon" run --set "payload.firmware=$bios" --hypervisor kvm --memory 64M \
		--set vm.shutdown_timeout=0 --device debugcon </dev/null >words 2>err &
	pid=$!
	while read -r -t 20 line; do
		case $line in
		"SeaBIOS (version"*) seen=banner ;;
		"Detected non-PCI system") seen=$seen+machine && break ;;
		esac
	done <words
	pkill -TERM -P $pid
	wait $pid
	rm words
	ran=$((ran + 1))
	[ "$seen" = banner+machine ] || fail "$1: it said \"$seen\": $(cat err)"
	sanitizer_is_silent err "$1"
}
seabios bios.bin
seabios bios-256k.bin

# The power button ends a guest that listens, time one that does not, a second signal at once.
signalled() { # NAME LETTER SIGNALS [OPTION...]
	local name=$1 letter=$2 signals=$3 pid rc
	shift 3
	mkfifo terminal
	timeout 20 "$tenon" run --kernel "$kernel" --hypervisor kvm --memory 64M \
		--append "$letter" --device serial --device rng,irq=10 --device power,irq=11 "$@" \
		</dev/null >terminal 2>err &
	exec 4<terminal
	read -r -n 1 -t 20 <&4 || fail "$name: the guest does not run: $(cat err)"
	pid=$(pgrep -P $!)
	for ((i = 0; i < signals; i++)); do
		kill -TERM "$pid"
		# The queue holds one signal of a kind.
		while [ -d "/proc/$pid" ] && grep -q '^ShdPnd:.*4...$' "/proc/$pid/status"; do :; done
	done
	wait $!
	rc=$?
	exec 4<&-
	rm terminal
	ran=$((ran + 1))
	[ $rc = 0 ] || fail "$name: exit code $rc: $(cat err)"
	sanitizer_is_silent err "$name"
}
signalled "the power button" w 1 && silent "the power button"
signalled "a busy guest" f 1 --set vm.shutdown_timeout=1
says "a busy guest" 'did not shut down in 1 s'
signalled "a busy guest and two signals" f 2 --set vm.shutdown_timeout=3600
silent "a busy guest and two signals"

finish
