#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# conformance.sh TOOL TABLE MODULE...: the table of statements and the suite agree.  Every test that
# the table names is one, was run on the modules and passed by at least one of them; every test is
# named in the table; every row says by what a statement is looked after, or why it is not.
set -euo pipefail
tool=$1 table=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

: >"$work/all"
for module in "$@"; do
	"$tool" --json --only conformance "$module" >"$work/out" || fail "$module does not pass"
	sed -n 's/^ *{ "name": "\([a-z0-9_]*\)", "verdict": "\([a-z]*\)".*/\1 \2/p' "$work/out" \
		>>"$work/all"
done
cut -d' ' -f1 "$work/all" | sort -u >"$work/suite"
awk '$2 == "passed" { print $1 }' "$work/all" | sort -u >"$work/passed"

# Rows that are tested name tests alone; in the others names are for reading.
grep '^| [0-9]' "$table" >"$work/rows"
grep -v '| not applicable: [^|]* |$' "$work/rows" >"$work/tested"
while read -r row; do
	[[ $row =~ \|\ (\`[a-z0-9_]+\`(,\ )?)+\ \|$ ]] || fail "a row that names no test: $row"
done <"$work/tested"
sed 's/.*| \([^|]*\) |$/\1/' "$work/tested" | grep -o '`[a-z0-9_]*`' | tr -d '`' | sort -u \
	>"$work/named"

while read -r name; do fail "\"$name\" is in the table and is no test"; done \
	< <(comm -13 "$work/suite" "$work/named")
while read -r name; do fail "\"$name\" is a test and not in the table"; done \
	< <(comm -23 "$work/suite" "$work/named")
while read -r name; do fail "\"$name\" was passed by no device"; done \
	< <(comm -23 "$work/suite" "$work/passed")
[ "$(wc -l <"$work/suite")" -ge 40 ] || fail "the suite has $(wc -l <"$work/suite") tests"
echo "$(wc -l <"$work/rows") statements, $(wc -l <"$work/tested") of them tested," \
	"by $(wc -l <"$work/suite") tests on $# modules"
[ $failures = 0 ]
