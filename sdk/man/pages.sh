#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pages.sh INCLUDES MANPAGES: the pages of section 3 and the headers name the same things, both ways:
# every member of every public structure, every function and macro of the test kit.
set -uo pipefail
includes=$1 pages=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# "STRUCTURE MEMBER" for each member in the headers; struct_size is said once, in words.
for header in "$includes"/tenon/*.h; do
	[ "${header##*/}" = testkit.h ] && continue
	cc -w -fpreprocessed -E -P "$header" | tr '\n' ' ' | sed 's/[{}]/;&;/g' | awk 'BEGIN { RS = ";" }
		/struct tenon_[a-z_]+ *$/ { name = $NF; next }
		$1 == "{" { inside = name != ""; next }
		$1 == "}" { inside = 0; name = ""; next }
		inside && /\(\*/ { sub(/^[^(]*\(\*/, ""); sub(/\).*/, ""); print name, $0; next }
		inside && NF {
			sub(/\[.*/, "")
			n = split($0, part, ",")
			for (i = 1; i <= n; i++) { sub(/.*[ *]/, "", part[i]); print name, part[i] }
		}'
done | grep -vE '^tenon_note | struct_size$' | sort >"$work/headers"

for page in "$pages"/*.3; do
	awk '$1 == ".Ss" { name = $2 == "struct" ? $3 : "" }
		$1 == ".Sh" { name = "" }
		/^\.It Xo/ { item = 1 }
		name != "" && $1 == ".Fn" && item { print name, $2; item = 0 }
		name != "" && /^\.It Vt / { sub(/\[.*/, "", $NF); print name, $NF }' "$page"
done | sort >"$work/pages"
[ "$(wc -l <"$work/headers")" -gt 120 ] || fail "only $(wc -l <"$work/headers") members found"
diff "$work/headers" "$work/pages" >"$work/diff" ||
	fail "headers (<) and pages (>) differ: $(grep '^[<>]' "$work/diff")"

# The test kit: what is exported, and the macros that do not end in an underscore.
kit=$includes/tenon/testkit.h
{
	cc -w -fpreprocessed -E -P "$kit" | sed -nE 's/^TK_API [^(]*\b(tk_[a-z_]+)\(.*/\1/p'
	sed -nE 's/^#define (TK_[A-Z0-9_]*[A-Z0-9])\b.*/\1/p' "$kit"
} | grep -vxE 'tk_check_[a-z]+|TK_API' | sort -u >"$work/headers"
awk '/^\.It Xo/ { item = 1 }
	$1 == ".Fn" && item { print $2; item = 0 }
	$1 == ".It" && ($2 == "Fn" || $2 == "Dv") { print $3 }' "$pages/tenon-testkit.3" |
	sort -u >"$work/pages"
[ "$(wc -l <"$work/headers")" -gt 100 ] || fail "only $(wc -l <"$work/headers") names in the kit"
diff "$work/headers" "$work/pages" >"$work/diff" ||
	fail "testkit.h (<) and its page (>) differ: $(grep '^[<>]' "$work/diff")"

# A page for each service, and each page is reached from another.
while read -r id; do
	[ -e "$pages/tenon-$id.3" ] || fail "there is no page for the service $id"
done < <(sed -n 's/^#define TENON_SVC_[A-Z]* "tenon\.\(.*\)\/.*/\1/p' "$includes"/tenon/*.h)
n=0
for page in "$pages"/*.[37]; do
	n=$((n + 1))
	name=$(basename "$page")
	grep -lq "^\.Xr ${name%.*} ${name##*.}" "$pages"/*.[37] || fail "no page refers to $name"
done
[ $failures = 0 ] && echo "pages: $n agree with the headers"
exit $((failures != 0))
