#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sandbox.sh TENON KERNEL PLUGIN: what a hostile plugin tries on each kind of thread of the VM's
# process is forbidden and said by name; what is declared works, and no more than that.
kernel=$(realpath "$2")
plugin=$(realpath "$3")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/../run/lib.sh"

echo 'pio-write 0x9200 1 1' >script
export TENON_NULL_SCRIPT=script

# try CODE NAME CLASS ATTEMPT WHERE [SETTING [OPTION...]]
try() {
	local code=$1 name=$2 device="$3,plugin=$plugin,name=evil,attempt=$4,where=$5${6:+,$6}"
	shift 5
	expect "$code" "$name" "$tenon" run --kernel "$kernel" --hypervisor null \
		--device "$device" "${@:2}"
}

# ---- every kind of thread ----

declare -A call=([open]=openat [remove]=unlink [connect]=socket [socket]=socket [exec]=execve
	[fork]=clone [ptrace]=ptrace [mmap-exec]=mmap [mprotect-exec]=mprotect
	[kill-core]=kill [handler]=rt_sigaction [memory-of-another]=openat)
declare -A place=([vcpu]='on a vcpu thread' [loop]='on the main loop'
	[timer]='on the main loop' [work]='on a work thread' [iothread]='on an iothread')

for where in vcpu loop timer work iothread; do
	for what in "${!call[@]}"; do
		thread=$where extra=
		[ $where != iothread ] || thread=timer extra=iothread=one
		try 1 "$what, $where" hostile "$what" $thread "$extra"
		says "$what, $where" "tenon: sandbox: \"evil\" made the system call ${call[$what]} \
${place[$where]}, which is forbidden there"
		one_sentence "$what, $where"
	done
	thread=$where extra=
	[ $where != iothread ] || thread=timer extra=iothread=one
	# The C library has signals blocked meanwhile: an error is all that can be told.
	try 0 "spawn, $where" hostile spawn $thread "${extra:+$extra,}target=/bin/true"
	says "spawn, $where" 'tenon: evil: spawn: Operation not permitted'
	try 0 "thread, $where" hostile thread $thread "$extra"
	# The main loop and the pool, which this plugin asks for, have one filter.
	case $where in
	vcpu | iothread) says "thread, $where" 'tenon: evil: thread: Operation not permitted' ;;
	*) says "thread, $where" 'tenon: evil: thread: it worked' ;;
	esac
	try 0 "nothing, $where" hostile nothing $thread "$extra"
	says "nothing, $where" 'tenon: evil: nothing: it worked'
done
# What a class declares is its loop's, never a vCPU's.
try 1 "a declared call on a vcpu" hostile-all open vcpu
says "a declared call on a vcpu" 'system call openat on a vcpu thread'

# ---- what is declared ----

allowed() { # ATTEMPT [SETTING]: it works, or the kernel says why not
	try 0 "declared $1" hostile-all "$1" loop "${2:-}"
	says "declared $1" "tenon: evil: $1: ${3:-it worked}"
}
mkdir files other
echo x >files/a
echo x >other/a
denied='Permission denied'
allowed socket
allowed thread
allowed open "target=$work/files/a,both=files"
allowed write "target=$work/files/a,both=files"
allowed open "target=$work/files/a,both=files/a"
allowed create "target=$work/files/b,both=files" "$denied"
allowed open "target=$work/files/a,reads=files"
allowed write "target=$work/files/a,reads=files" "$denied"
allowed create "target=$work/files/b,creates=files/b"
allowed remove "target=$work/files/b,creates=files/b"
allowed open "target=$work/files/a,attaches=files/a" "$denied"
allowed open "target=$work/other/a,both=files" "$denied"
allowed remove "target=$work/files/a,both=files" "$denied"
allowed exec "target=$tenon,both=$tenon" "$denied"
allowed connect '' 'Connection refused'
try 1 "ptrace is never declared" hostile-all ptrace loop
says "ptrace is never declared" 'system call ptrace on the main loop'
try 1 "no code is made" hostile-all mmap-exec loop

# ---- the other modes ----

for where in vcpu loop work; do
	try 0 "log, $where" hostile open $where '' --set vm.sandbox=log
	says "log, $where" "tenon: sandbox: \"evil\" made the system call openat ${place[$where]}, \
which \"on\" would forbid"
	says "log, $where" 'tenon: evil: open: it worked'
done
try 0 "off" hostile open loop '' --set vm.sandbox=off
says "off" 'tenon: evil: open: it worked'
[ "$(wc -l <err)" = 1 ] || fail "off: '$(cat err)'"
try 2 "no such mode" hostile open loop '' --set vm.sandbox=maybe

# ---- our own devices, on the host's side ----

# What they make they remove, in folders of others; what they start late they still start.
mkdir made
truncate -s 1M disk.img second.img
cat >devices.cfg <<CFG
vm: { hypervisor = "null"; };
payload: { kernel = "$kernel"; };
devices = (
	{ type = "console"; folder = "made"; ports = ( "name=a,pty=link", "name=b,socket=socket,listen",
		"name=c,file=log", "name=d,pipe=pipe" ); },
	{ type = "block"; path = "disk.img"; },
	{ type = "block"; path = "second.img"; read_only = true; engine = "threads"; iothread = "io"; },
	{ type = "net"; backend = "user"; },
	{ type = "vsock"; socket = "made/vsock"; },
	{ type = "rng"; source = "/dev/urandom"; },
	{ type = "serial"; output = "file"; path = "made/serial"; },
	{ type = "rtc"; }, { type = "bootmark"; }, { type = "power"; }
);
CFG
for mode in on log; do
	printf '%s\n' 'pio-write 0x3f8 1 0x41' 'pio-write 0x70 1 0' 'pio-read 0x71 1' \
		'pio-write 0x71 1 0x10' 'pio-write 0x606 1 1' 'pio-write 0x3f8 1 0x42' \
		'pio-write 0x604 1 0x34' >script
	expect 0 "all devices, $mode" "$tenon" run devices.cfg --set vm.sandbox=$mode
	# shellcheck disable=SC2119 # a function of lib.sh without arguments
	silent
	left=$(echo made/*)
	[ "$left" = 'made/log made/serial' ] || fail "$mode: left: $left"
	[ "$(cat made/serial)" = AB ] || fail "$mode: the serial port wrote '$(cat made/serial)'"
	rm made/*
done

# ---- tenon check ----

shown() {
	grep -qxF "    $1" out || fail "check: no '$1' in '$(cat out)'"
}
expect 0 "check" "$tenon" check --kernel "$kernel" --device \
	"hostile-all,plugin=$plugin,both=files,reads=other,creates=new,attaches=gone"
shown 'home: in process'
shown 'sandbox: needs files, network, threads, io_uring, processes, devices, getpriority(), personality()'
shown "sandbox: files  read, write"
shown "sandbox: other  read"
shown "sandbox: new  read, write, create, remove"
shown 'sandbox: /nonexistent/own  remove'
! grep -q 'sandbox: .*gone' out || fail "check: what is attached is shown"
expect 0 "check of little" "$tenon" check --kernel "$kernel" --device rng
shown 'sandbox: needs nothing'

finish
