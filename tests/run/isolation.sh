#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# isolation.sh TENON KERNEL: devices in processes of their own, on real KVM: they work, they die and
# come back, they are given up, and what is wrong with them is said where it was written.
kernel=$(realpath "$2")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

"$tenon" run --kernel "$kernel" --append o --hypervisor kvm --memory 64M \
	--device power,irq=11 >out 2>err </dev/null
if [ $? = 3 ]; then
	echo "SKIP: $(cat err)"
	exit 77
fi

# boot CODE NAME LETTER [OPTION...]
boot() {
	local code=$1 name=$2 letter=$3
	shift 3
	expect "$code" "$name" "$tenon" run --kernel "$kernel" --hypervisor kvm --memory 64M \
		--append "$letter" --device power,irq=11 "$@"
}
rng="rng,irq=10,isolation=process"

boot 0 "random bytes by an interrupt" g --device "$rng" && silent "random bytes by an interrupt"
boot 0 "random bytes, polled" p --device "$rng" && silent "random bytes, polled"
boot 0 "reset in place" r --device "$rng" -v
[ "$(grep -c 'the guest restarts' err)" = 1 ] || fail "reset in place: $(cat err)"
boot 0 "random bytes from an I/O thread" g --device "$rng,iothread=fast"

# What is wrong is said by the process, with the place that a person knows.
boot 2 "an image that is not there" o --device block,path=/nowhere,isolation=process
says "an image that is not there" 'block: cannot open "/nowhere": No such file or directory'
one_sentence "an image that is not there"
mkdir sub
cat >sub/vm.cfg <<-END
	vm: { memory = "64M"; hypervisor = "kvm"; };
	payload: { kernel = "$kernel"; cmdline = "o"; };
	devices = (
	    { type = "power"; },
	    { type = "block"; isolation = "process";
	      pth = "disk.img"; } );
END
expect 2 "an unknown setting" "$tenon" run sub/vm.cfg
says "an unknown setting" 'sub/vm.cfg:6: block: unknown setting "pth" for block (did you mean "path"?)'
sed -i 's/pth/path/' sub/vm.cfg
expect 2 "an image beside the file" "$tenon" run sub/vm.cfg
says "an image beside the file" 'sub/vm.cfg:5: block: cannot open "sub/disk.img"'
boot 2 "a device that is no virtio device" o --device serial,isolation=process
says "a device that is no virtio device" "only virtio devices are served"
boot 2 "a type that is not there" o --device gadget,isolation=process
says "a type that is not there" 'unknown device type "gadget"'

# Where each lives is shown; what reaches the machine itself stays.
truncate -s 1M sub/disk.img
sed -i 's/ isolation = "process";//; s/memory/isolation = "process"; memory/' sub/vm.cfg
expect 0 "a default for all" "$tenon" check sub/vm.cfg
[ "$(grep -c 'home: a process of its own' out)" = 1 ] || fail "a default for all: $(cat out)"
sed -n '/^  block/,/^  [a-z]/p' out | grep -q 'home: a process of its own' || fail "the disk: $(cat out)"

# waiting NAME [OPTION...]: a guest that waits; `vm` and `child` are the two processes
guest=w
waiting() {
	mkfifo terminal
	timeout 30 "$tenon" run --kernel "$kernel" --hypervisor kvm --memory 64M --append $guest \
		--device serial --device power,irq=11 --device "$rng" "${@:2}" \
		</dev/null >terminal 2>err &
	exec 4<terminal
	read -r -n 1 -t 20 <&4 || fail "$1: the guest does not run: $(cat err)"
	vm=$(pgrep -P $!)
	find_child "$1"
}
find_child() {
	local i keeper
	for ((i = 0; i < 2000; i++)); do
		keeper=$(pgrep -P "$vm") && child=$(pgrep -P "$keeper") && return
		sleep 0.01
	done
	fail "$1: the device has no process"
}
killed() { # NAME TEXT: and waits for what is said of it
	local i
	kill -KILL "$child"
	for ((i = 0; i < 2000; i++)); do
		grep -qF -- "$2" err && return
		sleep 0.01
	done
	fail "$1: no '$2' in '$(cat err)'"
}
ended() { # NAME
	local rc
	kill -TERM "$vm"
	wait %%
	rc=$?
	exec 4<&-
	rm terminal
	ran=$((ran + 1))
	[ $rc = 0 ] || fail "$1: exit code $rc: $(cat err)"
	! kill -0 "$child" 2>/dev/null || fail "$1: the device's process is left"
	sanitizer_is_silent err "$1"
}

waiting "a process that is killed"
before=$child
# What they are can be seen: one keeps the others, one is the device named rng.
name_of() { # PID: its program's name, and its arguments
	printf '%s|%s' "$(cat "/proc/$1/comm")" "$(tr '\0' ' ' <"/proc/$1/cmdline" | sed 's/ *$//')"
}
[ "$(name_of "$(pgrep -P "$vm")")" = "tenon: keeper|tenon: keeper" ] ||
	fail "names: the keeper is $(name_of "$(pgrep -P "$vm")")"
case $(name_of "$child") in
"tenon rng|tenon serve rng --name rng "*) ;;
*) fail "names: the device is $(name_of "$child")" ;;
esac
killed "a process that is killed" "its process was killed by signal 9 (KILL); another is started in 10 ms"
find_child "a process that is killed"
[ "$child" != "$before" ] || fail "a process that is killed: it is the same one"
ended "a process that is killed"

waiting "a process that is given up" --set vm.restart_limit=0
killed "a process that is given up" "the device is given up"
ended "a process that is given up"

# A driver that uses it all the same finds a dead device, and may do to it what it likes.
guest=d
waiting "a dead device" --set vm.restart_limit=0
killed "a dead device" "the device is given up"
wait %% || fail "a dead device: exit code $?: $(cat err)"
exec 4<&-
rm terminal
ran=$((ran + 1))
grep -q "is lost for good" err || fail "a dead device: $(cat err)"
guest=w

# Nothing outlives the VM, however it ends.
waiting "a VM that is killed"
kill -KILL "$vm"
wait %% 2>/dev/null
exec 4<&-
rm terminal
for ((i = 0; i < 2000; i++)); do
	kill -0 "$child" 2>/dev/null || break
	sleep 0.01
done
! kill -0 "$child" 2>/dev/null || fail "a VM that is killed: the device's process is left"
ran=$((ran + 1))
finish
