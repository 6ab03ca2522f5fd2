#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cli.sh TENON: `tenon serve` from its command line to its exit code: what is wrong is one sentence,
# what is right says nothing, and a signal or the front end's going ends it with 0.
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/../run/lib.sh"

refused() { # CODE SENTENCE ARGUMENT...: the sentence is a pattern of bash
	local code=$1 sentence=$2
	shift 2
	expect "$code" "tenon $*" "$tenon" "$@"
	[[ $(cat err) == "tenon: "$sentence ]] ||
		fail "tenon $*: said '$(cat err)', wanted 'tenon: $sentence'"
	[ ! -s out ] || fail "tenon $*: printed '$(cat out)'"
	[ ! -S s ] || fail "tenon $*: left a socket"
}

truncate -s 1M disk.img
disk=(serve block --socket s path=disk.img)

# ---- the command line ----
refused 2 'nothing to serve: give the TYPE of a device; *' serve
refused 2 'wanted one of --socket PATH and --fd N; *' serve rng
refused 2 'wanted one of --socket PATH and --fd N; *' serve rng --socket s --fd 3
refused 2 '*"-1"; wanted the number of an open descriptor' serve rng --fd -1
refused 2 'descriptor 99 is no unix stream socket; *' serve rng --fd 99
refused 2 '"disk.img" is there already, and no socket' serve rng --socket disk.img
refused 2 'cannot listen on "none/s": No such file or directory' serve rng --socket none/s
refused 2 "the socket's path has 200 bytes, *" serve rng --socket "$(printf '%0200d' 0)"

# ---- the device ----
refused 2 'serve blok: unknown device type "blok" (did you mean "block"?)' serve blok --socket s
refused 2 'serve block: block: "path" is missing: *' serve block --socket s
refused 2 'serve block: block: unknown setting "paht" for block (did you mean "path"?)' "${disk[@]}" paht=x
refused 2 'serve block: one: "queues" is "99"; *' "${disk[@]}" queues=99 --name one
refused 2 'serve block: wanted KEY=VALUE, not "=x"' "${disk[@]}" =x
refused 2 'serve block: block: cannot open "none": *' serve block --socket s path=none
refused 2 'serve block: "address" is about a place in a machine, *' "${disk[@]}" address=0x1000
refused 2 'serve block: *"9/"*' "${disk[@]}" name=9/
for type in power rtc; do
	refused 2 "serve $type: $type: there is no machine here *" serve "$type" --socket s
done

refused 2 "serve input: input: there is no machine here whose screens *" serve input --socket s kind=keyboard

# ---- settings from a descriptor ----
given() { # CODE SENTENCE TEXT ARGUMENT...
	local code=$1 sentence=$2 text=$3
	shift 3
	printf '%s' "$text" >settings
	exec 7<settings
	refused "$code" "$sentence" "$@" --settings-fd 7
	exec 7<&-
}
given 2 'settings:2: the settings are of another type than "rng"' $'\ntype = "block";' serve rng --socket s
given 2 'settings:1: disk: "queues" is *' 'queues = 99; name = "disk"; path = "disk.img";' \
	serve block --socket s
given 2 'settings:1: *' 'path = ' serve block --socket s
given 2 'settings:1: "irq" is about a place in a machine, *' 'irq = 5;' serve rng --socket s

# ---- running ----
listens() { # PID: a socket may be there that somebody left
	until [ -S s ] && socat -u OPEN:/dev/null UNIX-CONNECT:s 2>/dev/null; do
		kill -0 "$1" 2>/dev/null || return 1
	done
}
start() { # ARGUMENT...
	"$tenon" "$@" >out 2>err </dev/null &
	pid=$!
	listens "$pid" || fail "tenon $*: does not listen: $(cat err)"
}
ends() { # WHAT
	local rc=0
	wait "$pid" || rc=$?
	ran=$((ran + 1))
	[ "$rc" = 0 ] || fail "$1: exit code $rc: $(cat err)"
	[ -z "$(cat out err)" ] || fail "$1: said '$(cat out err)'"
	[ ! -e s ] || fail "$1: left its socket"
}
for signal in TERM INT; do
	start "${disk[@]}"
	refused_here=$("$tenon" "${disk[@]}" 2>&1 path= lock=false || true)
	kill -"$signal" "$pid"
	ends "SIG$signal"
done
[[ $refused_here == *"given more than once"* ]] || fail "two paths: said '$refused_here'"

start "${disk[@]}"
[[ $("$tenon" serve rng --socket s 2>&1) == 'tenon: somebody listens on "s" already' ]] ||
	fail "a second listener is let in"
kill -KILL "$pid"
wait "$pid" 2>/dev/null
start "${disk[@]}" # in place of what the killed one left
kill -TERM "$pid"
ends "after a kill"

printf 'path = "disk.img"; lock = true;' >settings
exec 7<settings
start serve block --socket s --settings-fd 7 serial=x
kill -TERM "$pid"
ends "settings from a descriptor"
exec 7<&-

# A front end that comes and goes: the next is waited for, or with --once not.
start serve rng --socket s
for _ in 1 2; do timeout 5 socat -u OPEN:/dev/null UNIX-CONNECT:s || fail "no connection"; done
kill -TERM "$pid"
ends "two front ends"
start serve rng --socket s --once # asking whether it listens is a front end
ends "--once"

# A connection that is given: it ends with it, and with a sentence where the peer talks nonsense.
timeout 10 socat -u OPEN:/dev/null EXEC:"$tenon serve rng --fd 0" >out 2>err ||
	fail "--fd: socat ended with $?"
[ ! -s err ] || fail "--fd: said '$(cat err)'"
printf 'nonsense that is long enough' | timeout 10 socat -t5 - EXEC:"$tenon serve rng --fd 0" >out 2>err
[[ $(cat err) == "tenon: rng: the front end sent a message of "* ]] || fail "nonsense: said '$(cat err)'"
[ "$failures" = 0 ] && echo "$ran runs"
exit "$failures"
