#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage.sh TOOL PAGE GOOD SETTINGS: what the tool says to command lines, which settings it makes up,
# that it leaves nothing behind, and that its page names its checks and options, and no others.
set -uo pipefail
tool=$1 page=$2 good=$3 settings=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work/tmp
mkdir "$TMPDIR"
failures=0
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# run CODE TEXT ARGUMENT...: the exit code, and TEXT somewhere in the output
run() {
	local code=$1 text=$2 rc
	shift 2
	"$tool" "$@" >"$work/out" 2>"$work/err" </dev/null
	rc=$?
	[ $rc = "$code" ] || fail "$*: exit code $rc, wanted $code: $(cat "$work/out" "$work/err")"
	cat "$work/out" "$work/err" | grep -qF -- "$text" ||
		fail "$*: no '$text' in: $(cat "$work/out" "$work/err")"
}

run 2 'a FILE is missing'
run 2 'more than one FILE' a b
run 2 'No such file' "$work/nothing.so"
run 2 'unrecognized option' --nothing "$good"
run 2 'unknown check in "elf,toaster"' --only elf,toaster "$good"
run 2 '"soon" is no number of seconds' --timeout soon "$good"
echo text >"$work/text.so"
run 1 'it is not an ELF file' "$work/text.so"
head -c 100 "$good" >"$work/short.so"
run 1 'headers' "$work/short.so"
run 0 'ABI 0.' --version
run 0 'id org.tenon.probe' --dump "$good"
run 0 '"id": "org.tenon.probe"' --dump --json "$good"
run 0 '2 passed, 0 failed' --only elf,note "$good"
run 1 'wanted TYPE.KEY=VALUE' --only keys --set nonsense "$good"
run 1 'the plugin has no such class' --only keys --set toaster.level=3 "$good"
run 1 'the class has no such setting' --only keys --set probe.heat=3 "$good"
run 0 '1 passed' --only create --set probe.level=4 "$good"
run 1 'wanted a number from 1 to 5' --only create --set probe.level=7 "$good"

# What is required is made up, as far as it can be; what cannot is said.
run 1 'no value could be made up for pipe; give --set' --only create "$settings"
grep -qF 'no value could be made for pipe: give --set' "$work/out" || fail "$(cat "$work/out")"
run 0 'number=7, most=9, room=4K, choice=one, flag=true, mac=52:54:00:12:34:56' \
	--only create,attach --set probe.pipe=2 --set 'probe.names=("a", "b\"c")' "$settings"
run 0 "\"made_settings\": { \"probe\": \"path=$TMPDIR/" --json --only create --set probe.pipe=2 "$settings"
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/out" || fail "no JSON"
fi
[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls "$TMPDIR")"

# The page
"$tool" --list | awk '{ print $1 }' | sort >"$work/checks"
sed -n '/^\.Ss Checks of the file/,/^\.Sh/s/^\.It Cm //p' "$page" | tr -d ',' | tr -s ' ' '\n' | sort \
	>"$work/named"
diff "$work/checks" "$work/named" || fail "the checks (<) and the page (>) differ"
"$tool" --help | grep -o -- '--[a-z]*' | sort -u >"$work/options"
sed -n 's/^\.It Fl \(.*\)/\1/p' "$page" | grep -o -- '-[a-z]*' | sed 's/^/-/' | sort -u >"$work/named"
diff "$work/options" "$work/named" || fail "the options (<) and the page (>) differ"
[ $failures = 0 ]
