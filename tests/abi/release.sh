#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# release.sh: what is kept of a release agrees with itself: layout.c and the baseline are those of
# the kept headers, unedited, and speak of every structure in them.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
failures=0
fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}
for kept in "$here"/sdk-*; do
	version=${kept##*/sdk-}
	"$here/abidiff.sh" "$kept" "$here/baseline-$version.abi" || fail "baseline-$version.abi"
	structs=$(sed -n 's/^struct \(tenon_[a-z_]*\) {.*/\1/p' "$kept"/tenon/*.h)
	[ "$(wc -w <<<"$structs")" -ge 24 ] || fail "only these structures: $structs"
	for struct in $structs; do
		grep -qF "sizeof(struct $struct)" "$here/layout.c" || fail "layout.c has no $struct"
		grep -qF "name='$struct'" "$here/baseline-$version.abi" ||
			fail "baseline-$version.abi has no $struct"
	done
done
"$here/layout.sh" "$kept" | diff - "$here/layout.c" >&2 || fail "layout.c is not that of ${kept##*/}"
[ $failures = 0 ] && echo "the release is whole"
exit $((failures != 0))
