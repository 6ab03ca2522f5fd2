#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# settings.sh TENON PLUGINS: each module has a manual page and each page a module, and both have the
# same types and settings: what `tenon plugins NAME` prints of a setting stands in the page's item.
set -uo pipefail

tenon=$(realpath "$1")
folder=$(realpath "$2")
failures=0 compared=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# "NAME DETAILS" of each setting.
of_module() { # NAME
	"$tenon" plugins "$1" | sed -n 's/^  \([a-z0-9_]\{1,\}\) \{1,\}\([^ ].*\)$/\1 \2/p' | sort
}

of_page() { # PAGE
	sed -n 's/^\.It Ic \([a-z0-9_]*\) No (\(.*\))$/\1 \2/p' "$1" | sort
}

compare() { # NAME PAGE
	local module page type
	module=$("$tenon" plugins "$1" 2>&1) || {
		fail "$2: there is no module $1: $module"
		return
	}
	while read -r type; do
		grep -qF "type = \\(dq$type\\(dq" "$2" || fail "$2 does not speak of the type \"$type\""
	done < <(sed -n 's/^type = "\(.*\)":.*/\1/p' <<<"$module")
	module=$(of_module "$1")
	page=$(of_page "$2")
	[ "$module" = "$page" ] ||
		fail "$2 (<) and the module (>) differ: $(diff <(echo "$page") <(echo "$module") | grep '^[<>]')"
	compared=$((compared + $(grep -c . <<<"$module")))
}

for page in "$folder"/*/tenon-*.7; do
	name=${page##*/tenon-}
	compare "${name%.7}" "$page"
done
while read -r _ _ _ path; do
	name=${path##*/} name=${name%.so}
	[ -e "$folder/$name/tenon-$name.7" ] || fail "the module $path has no page $name/tenon-$name.7"
done < <("$tenon" plugins | tail -n +2 | grep "/tenon/")

[ $compared -gt 0 ] || fail "no setting was compared"
[ $failures = 0 ] && echo "$compared settings are in module and manual"
exit $((failures != 0))
