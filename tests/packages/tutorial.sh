#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tutorial.sh SOURCE BUILD: does what tenon-tutorial(7) says, word for word, in an empty folder, with
# nothing of Tenon in reach but an installed tree: the files that it shows are written, its commands
# run, and what it shows of their output must be there, line by line and in that order.
set -uo pipefail
source=$1 build=$2
. "$source/tests/packages/lib.sh"
must cmake --install "$build" --prefix "$work/prefix"
page=$(find "$work/prefix" -name tenon-tutorial.7)
[ -n "$page" ] || fail "the page is not installed"

# One bash script from the page: a literal block is a session when it begins with "$ ", else it is
# the file that the text before it names.
awk '
	function plain(line) { gsub(/\\e/, "\\", line); sub(/^\\&/, "", line); return line }
	/^\.Pa [^ ]+ :$/ { file = $2 }
	/^\.Bd -literal/ { block = 1; first = 1; next }
	/^\.Ed/ {
		if (block && !session) { print "END_OF_FILE"; files++; file = "" }
		block = session = 0
		next
	}
	!block { next }
	first {
		first = 0
		session = /^\$ /
		if (!session && file == "") { print "exit 99 # a block that is neither"; exit }
		if (!session) print "cat >" file " <<\"END_OF_FILE\""
	}
	session && /^\$ / { print "run " quote(plain(substr($0, 3))); commands++; next }
	session { print "shows_line " quote(plain($0)); next }
	{ print plain($0) }
	function quote(s) { gsub(/\047/, "\047\\\047\047", s); return "\047" s "\047" }
	END { print "[ " files + 0 " = 4 ] && [ " commands + 0 " -ge 10 ] || exit 98" }
' "$page" >"$work/steps"

# Each command in this very shell, so that cd and export last.
cat >"$work/script" <<'HEAD'
set -uo pipefail
run() {
	command=$1
	eval "$command" >"$log" 2>&1 || { echo "FAIL: $command: $(cat "$log")" >&2; exit 1; }
	cp "$log" "$log.rest"
}
shows_line() { # the next line that has it; what is before it is done with
	n=$(grep -nF -m 1 -- "$1" "$log.rest" | cut -d : -f 1)
	[ -n "$n" ] || { echo "FAIL: $command: no line '$1' in: $(cat "$log")" >&2; exit 1; }
	sed -i "1,${n}d" "$log.rest"
}
HEAD
cat "$work/steps" >>"$work/script"
mkdir "$work/empty"
(
	cd "$work/empty" || exit 1
	log=$work/log PATH=$work/prefix/bin:$PATH CMAKE_PREFIX_PATH=$work/prefix \
		PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name tenon.pc)") \
		bash "$work/script"
) || fail "the tutorial ends with exit code $?"
finish "tutorial: $(grep -c '^run ' "$work/steps") commands, word for word"
