#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# broken.sh TOOL MODULE CHECK TEXT [OPTION...]: the tool must turn CHECK red, with TEXT in its
# sentence, and no other; CHECK "none" must pass.
set -uo pipefail
tool=$1 module=$2 wanted=$3 text=$4
shift 4

out=$("$tool" --timeout 20 "$@" "$module" 2>/dev/null)
rc=$?
echo "$out"
red=$(awk '$1 == "FAILED" { print $2 }' <<<"$out" | sort -u | tr '\n' ' ')
if [ "$wanted" = none ]; then
	[ $rc = 0 ] && [ -z "$red" ] && exit 0
	echo "FAIL: exit code $rc, failed: $red; wanted 0 and none"
	exit 1
fi
[ $rc = 1 ] || { echo "FAIL: exit code $rc, wanted 1" && exit 1; }
[ "$red" = "$wanted " ] || { echo "FAIL: failed: $red; wanted $wanted alone" && exit 1; }
grep '^FAILED' <<<"$out" | grep -qF -- "$text" || { echo "FAIL: no \"$text\"" && exit 1; }
