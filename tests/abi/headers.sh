#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# headers.sh [INCLUDES]: every public header compiles alone, and twice, with both compilers and in
# every language that a plugin may be written in, with no extensions asked for.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
includes=$(realpath "${1:-$here/../../sdk/include}")
warnings=(-Wall -Wextra -pedantic -Werror)

one() { # HEADER
	local compiler language standard
	for compiler in gcc:c:c99 gcc:c:c11 gcc:c:c17 clang:c:c99 clang:c:c11 clang:c:c17 \
		g++:c++:c++11 g++:c++:c++17 clang++:c++:c++11 clang++:c++:c++17; do
		IFS=: read -r compiler language standard <<<"$compiler"
		printf '#include <%s>\n#include <%s>\nextern int nothing_else;\n' "$1" "$1" |
			"$compiler" -fsyntax-only -x "$language" -std="$standard" "${warnings[@]}" \
				-I"$includes" - || {
			echo "headers: <$1> does not compile alone with $compiler as $standard" >&2
			return 1
		}
	done
}

if [ $# -gt 1 ]; then # from below
	for header in "${@:2}"; do one "$header"; done
	exit
fi
cd "$includes"
find tenon -name '*.h' -print0 | sort -z | xargs -0 -r -P "$(nproc)" -n 4 "$here/headers.sh" "$includes"
echo "headers: $(find tenon -name '*.h' | wc -l) compile alone"
