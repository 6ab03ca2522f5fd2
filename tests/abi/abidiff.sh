#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# abidiff.sh INCLUDES [BASELINE]: builds the reference plugin with the headers under INCLUDES and
# compares it with the baseline of the last release.  Anything but growth at the end of a table is
# printed, and the exit code is not 0.
# abidiff.sh --write INCLUDES BASELINE: makes a baseline, at a release.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

reference() { # INCLUDES
	cc -std=c17 -g -gdwarf-4 -shared -fPIC -fvisibility=hidden -I"$1" -o "$work/reference.so" \
		-ffile-prefix-map="$here/=" "$here/reference.c" # no paths in the baseline
}

if [ "${1:-}" = --write ]; then
	reference "$2"
	abidw --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$3" "$work/reference.so"
	exit
fi
baseline=${2:-$here/baseline-0.1.abi}
reference "$1"
abidiff --no-show-locs --suppressions "$here/append-only.supp" "$baseline" "$work/reference.so"

# Without the suppression, type by type: nothing but growth, and that behind the old end.
abidiff --leaf-changes-only --no-show-locs "$baseline" "$work/reference.so" >"$work/leaves" || true
awk '
	/^$/ || /^(Leaf changes|Changed leaf types) summary/ { next }
	/^Removed\/Changed\/Added .* 0 Removed, [01] Changed, 0 Added/ { next }
	/^1 Changed variable:$/ || /tenon_plugin_v[0-9]+. was changed/ { next }
	/size of symbol changed from/ || /type of variable changed:$/ { next }
	/^.struct tenon_[a-z_]+.* changed:$/ || /data member insertions?:$/ { next }
	/type size changed from [0-9]+ to/ { end = $5; next }
	/, at offset [0-9]+ \(in bits\)/ {
		match($0, /at offset [0-9]+/)
		if (substr($0, RSTART + 10, RLENGTH - 10) + 0 >= end + 0) next
	}
	{ bad = 1 }
	END { exit bad }' "$work/leaves" || {
	cat "$work/leaves"
	exit 4
}
