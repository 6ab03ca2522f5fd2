# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share: a scratch folder, ways to fail, a machine to check.
# shellcheck shell=bash
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

finish() { # TEXT
	[ $failures = 0 ] && echo "$1"
	exit $((failures != 0))
}

# must COMMAND...: shows what it printed when it fails, and ends the test
must() {
	"$@" >"$work/must.log" 2>&1 </dev/null && return
	cat "$work/must.log" >&2
	echo "FAIL: $*" >&2
	exit 1
}

# machine TYPE...: writes vm.cfg, a machine that can be checked, with these devices
machine() {
	local type
	head -c 4096 /dev/zero >"$work/firmware"
	{
		echo 'payload: { firmware = "firmware"; };'
		echo 'devices = ('
		for type; do echo "  { type = \"$type\"; }"; done | sed '$!s/$/,/'
		echo ');'
	} >"$work/vm.cfg"
}

# says TEXT COMMAND...: the command fails and prints exactly one line, in which TEXT occurs
says() {
	local text=$1
	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null && fail "$* succeeded; wanted: $text"
	[ "$(wc -l <"$work/err")" = 1 ] || fail "$*: not one sentence: $(cat "$work/err")"
	grep -qF -- "$text" "$work/err" || fail "$*: said '$(cat "$work/err")', wanted '$text'"
}

# shows TEXT COMMAND...: the command succeeds and prints TEXT
shows() {
	local text=$1
	shift
	"$@" >"$work/out" 2>"$work/err" </dev/null || fail "$*: $(cat "$work/err")"
	grep -qF -- "$text" "$work/out" || fail "$*: no '$text' in: $(cat "$work/out")"
}
