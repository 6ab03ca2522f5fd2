# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: Apache-2.0
# What the scripts of this folder share; sourced.  Each gets the program, and works in a folder of
# its own that is gone afterwards.
set -uo pipefail

tenon=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
ran=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# Whether a sanitizer spoke: its reports are failures whatever the exit code was.
sanitizer_is_silent() {
	if grep -qE 'Sanitizer|runtime error:' "$1"; then
		fail "$2: $(cat "$1")"
		return 1
	fi
}

# expect CODE NAME COMMAND...: runs it for 20 seconds at most with nothing on standard input;
# standard output and error are left in `out` and `err`.
expect() {
	local code=$1 name=$2 rc
	shift 2
	timeout 20 "$@" >out 2>err </dev/null
	rc=$?
	ran=$((ran + 1))
	sanitizer_is_silent err "$name" || return 1
	[ "$rc" = "$code" ] || {
		fail "$name: exit code $rc, wanted $code; it said '$(cat err)'"
		return 1
	}
}

# says NAME TEXT: the last one said this
says() {
	grep -qF -- "$2" err || fail "$1: no '$2' in '$(cat err)'"
}

# one_sentence NAME: the last one said one line, no more and no less
one_sentence() {
	[ "$(wc -l <err)" = 1 ] || fail "$1: $(wc -l <err) lines: '$(cat err)'"
	grep -qE '^tenon: [^ ]' err || fail "$1: not a sentence of tenon's: '$(cat err)'"
}

silent() {
	[ ! -s err ] || fail "$1: said '$(cat err)'"
}

finish() {
	[ "$ran" -gt 0 ] || fail "nothing was run"
	[ $failures = 0 ] && echo "$ran runs, all as wanted"
	exit $((failures != 0))
}
