# shellcheck shell=dash disable=SC3045
# SPDX-License-Identifier: Apache-2.0
# What a case is written with.  A case boots a guest, talks with it over its console line by line,
# and ends the first time something is not as it should be.  All waiting is for output: a guest that
# says nothing for LAB_SILENCE seconds has failed, however slow the machine is.
LAB_SILENCE=${LAB_SILENCE:-60}
LAB_HYPERVISOR=${LAB_HYPERVISOR:-kvm}
lab_dir=/tmp/$LAB_CASE
lab_log=$lab_dir/console lab_messages=$lab_dir/messages
lab_pid=''
lab_cr=$(printf '\r')

fail() { # REASON
	echo "$*" >/tmp/reason
	[ -z "$lab_pid" ] || kill -9 "$lab_pid" 2>/dev/null
	[ ! -s "$lab_messages" ] || sed 's/^/  tenon: /' "$lab_messages"
	[ ! -s "$lab_log" ] || tail -n 25 "$lab_log" | sed 's/^/  guest: /'
	exit 1
}

skip() { # REASON
	echo "$*" >/tmp/reason
	exit 77
}

# Starts tenon; its console is read with expect and written with type_line.
boot() { # ARGUMENT of `tenon run`, after the lab's own file...
	rm -f "$lab_dir/in" "$lab_dir/out"
	mkfifo "$lab_dir/in" "$lab_dir/out"
	: >"$lab_log"
	exec 3<>"$lab_dir/in"
	[ -z "${LAB_ISOLATION:-}" ] || set -- --set "vm.isolation=$LAB_ISOLATION" "$@"
	tenon run "${LAB_CONFIG:-/lab/vm.conf}" "$@" <"$lab_dir/in" >"$lab_dir/out" \
		2>"$lab_messages" 3>&- &
	lab_pid=$!
	exec 4<"$lab_dir/out"
}

# The next line of the console, in $line.  Fails at the end of the console and after silence.
next_line() { # [SECONDS]
	line=''
	IFS= read -r -t "${1:-$LAB_SILENCE}" line <&4 || [ -n "$line" ] || return 1
	line=${line%"$lab_cr"}
	echo "$line" >>"$lab_log"
	[ -z "$LAB_VERBOSE" ] || echo "  | $line"
}

# Reads on until a line matches the shell pattern; the line is in $line.
expect() { # PATTERN [SECONDS]
	while next_line "${2:-}"; do
		# shellcheck disable=SC2254
		case $line in $1) return ;; esac
	done
	if kill -0 "$lab_pid" 2>/dev/null; then
		: >/tmp/silent
		fail "waited for '$1'"
	else
		fail "the guest ended while '$1' was awaited"
	fi
}

type_line() {
	printf '%s\n' "$*" >&3
}

# Types a command at a guest in serve mode and waits till it is done.
command_done() { # COMMAND
	type_line "$1"
	expect 'serve: done *'
	[ "$line" = 'serve: done 0' ] || fail "'$1' failed in the guest"
}

# Reads the console to its end and takes tenon's exit code, into $lab_status.
run_out() {
	while next_line; do :; done
	(sleep "$LAB_SILENCE" && kill -9 "$lab_pid") 2>/dev/null 3>&- 4<&- &
	lab_guard=$!
	wait "$lab_pid"
	lab_status=$?
	kill "$lab_guard" 2>/dev/null
	lab_pid=''
	exec 3>&- 4<&-
	[ $lab_status != 137 ] || : >/tmp/silent
	[ $lab_status != 137 ] || fail "the console is silent and tenon did not end"
}

ends_with() { # STATUS
	run_out
	[ "$lab_status" = "$1" ] || fail "tenon ended with $lab_status, wanted $1"
}

# Whether some line of the console so far matches the regular expression.
has() { # REGEX
	grep -qE -- "$1" "$lab_log" || fail "no line of the console matches '$1'"
}

# As has, but to ask.
has_line() { # REGEX
	grep -qE -- "$1" "$lab_log"
}

has_not() { # REGEX
	! grep -qE -- "$1" "$lab_log" || fail "the console says: $(grep -m 1 -E -- "$1" "$lab_log")"
}

# The kernel's warnings about the machine.  Left out: what it says of an emulated processor; that
# /dev/console has no driver yet when process 1 starts (hvc0 is a module's); and one complaint that is
# QEMU's fault: it does not intercept XSETBV, so a guest in a guest reads a stale size of the XSAVE
# area from CPUID leaf 13.
no_warnings() {
	bad=$(sed -n 's/^check warning: //p' "$lab_log" |
		sed '/XSAVE consistency problem/,/end trace/d' |
		grep -iE 'ACPI|BIOS|firmware|SMBIOS|DMI|e820|MADT|APIC|TSC|WARNING:|Call Trace|Unknown kernel' |
		grep -vE 'Speculative|SRSO|Spectre|Unstable clock|initial console' | head -n 1)
	[ -z "$bad" ] || fail "the kernel warns: $bad"
}

# Boots a guest in check mode to its orderly end; what it printed is there for has().
check_guest() { # ARGUMENT...
	boot "$@"
	ends_with 0
	has '^check end: ok$'
	no_warnings
}
