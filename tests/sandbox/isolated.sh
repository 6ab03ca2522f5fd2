#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# isolated.sh TENON KERNEL PLUGIN: what a hostile device tries in a process of its own, on real KVM:
# each attempt fails and is said by name, and the VM lives on, without the device where that had to
# die of it.
kernel=$(realpath "$2")
plugin=$(realpath "$3")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/../run/lib.sh"

# try NAME LETTER ATTEMPT: the guest's kernel does what LETTER says, and must come to its end
try() {
	expect 0 "$1" "$tenon" run --kernel "$kernel" --hypervisor kvm --memory 64M --append "$2" \
		--device power,irq=11 --set vm.restart_limit=0 --device \
		"hostile-rng,plugin=$plugin,name=evil,attempt=$3,target=/etc/passwd,irq=10,isolation=process"
}

"$tenon" run --kernel "$kernel" --append o --hypervisor kvm --memory 64M --device power,irq=11 \
	>out 2>err </dev/null
if [ $? = 3 ]; then
	echo "SKIP: $(cat err)"
	exit 77
fi

try "nothing" p nothing
says "nothing" 'evil: nothing: it worked'

# It dies of these, and the guest finds a dead device.
declare -A call=([open]=openat [write]=openat [create]=openat [remove]=unlink [connect]=socket
	[exec]=execve [fork]=clone [ptrace]=ptrace [mmap-exec]=mmap [mprotect-exec]=mprotect
	[kill-core]=kill [memory-of-another]=openat)
for what in "${!call[@]}"; do
	try "$what" d1 "$what"
	says "$what" "the system call ${call[$what]}"
	says "$what" 'evil: its process'
	says "$what" 'the device is given up'
	! grep -q 'it worked' err || fail "$what: $(cat err)"
done
try "a wild write" d1 wild
says "a wild write" 'evil: its process was killed by signal 11 (SEGV)'

# It lives on after these.
try "outside of guest memory" p outside
says "outside of guest memory" 'evil: outside: Bad address'
try "spawn" p spawn
says "spawn" 'evil: spawn: Operation not permitted'

finish
