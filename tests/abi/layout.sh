#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# layout.sh INCLUDES: prints layout.c for these headers, at a release.  The facts come from the
# debugging information of a program that uses every structure, and from the preprocessor.
set -euo pipefail
includes=$1
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -std=c17 -g -gdwarf-4 -c -I"$includes" -o "$work/reference.o" "$here/reference.c"

cat <<'HEAD'
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything is in the public structures of the SDK, and what its constants are, as released.
 * Made by layout.sh at a release and never edited: what does not compile here has broken modules
 * that are in use.  A table that begins with its own size may grow, nothing else may.
 */
#include <tenon/tenon.h>

_Static_assert(sizeof(void *) == 8, "the numbers are those of 64-bit hosts");
HEAD
readelf --debug-dump=info "$work/reference.o" | awk '
	function value(line) { sub(/.*: /, "", line); gsub(/[ \t]+$/, "", line); return line }
	/Abbrev Number/ {
		depth = $1; gsub(/[<>]/, " ", depth); split(depth, part, " "); depth = part[1]
		tag = /DW_TAG_structure_type/ ? "s" : /DW_TAG_member/ ? "m" : ""
		if (tag == "s") { struct = ""; struct_depth = depth }
		else if (depth <= struct_depth) struct = ""
		member = ""
	}
	/DW_AT_name/ && tag == "s" { struct = value($0); if (struct !~ /^tenon_/) struct = "" }
	/DW_AT_name/ && tag == "m" { member = value($0) }
	/DW_AT_byte_size/ && tag == "s" { bytes = value($0) }
	/DW_AT_name/ && tag == "s" && struct { sizes[struct] = bytes; order[++n] = struct }
	/DW_AT_byte_size/ && tag == "s" && struct { sizes[struct] = bytes }
	/DW_AT_data_member_location/ && tag == "m" && struct {
		lines[struct] = lines[struct] sprintf( \
			"_Static_assert(offsetof(struct %s, %s) == %s, \"\");\n", struct, member, value($0))
		if (member == "struct_size") grows[struct] = 1
	}
	END {
		for (i = 1; i <= n; i++) {
			s = order[i]
			if (!(s in lines)) continue
			printf "\n_Static_assert(sizeof(struct %s) %s %s, \"\");\n%s", s,
				s in grows ? ">=" : "==", sizes[s], lines[s]
		}
	}'
echo
printf '#include <tenon/tenon.h>\n' | cc -std=c17 -E -dM -I"$includes" - |
	awk '$2 ~ /^TENON_/ && $2 !~ /\(|_H$|^TENON_ABI_MINOR$|^TENON_SVC_/ { print $2 }' | sort >"$work/names"
# Those that are numbers, by what a compiler makes of them.  The services' ids are text: the plugin
# that is built with each kept SDK asks for them.
while read -r name; do
	printf '#include <tenon/tenon.h>\n#include <stdio.h>\nint main(void) { return printf("%%lld", (long long)(%s)) < 0; }\n' \
		"$name" >"$work/one.c"
	cc -w -I"$includes" -o "$work/one" "$work/one.c" 2>/dev/null || continue
	printf '_Static_assert((long long)(%s) == %s, "");\n' "$name" "$("$work/one")"
done <"$work/names"
