#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh SOURCE BUILD: installs the build tree into a prefix under DESTDIR, moves that to
# another place, and uses what is there as a third party does: the program, pkg-config and CMake.
set -uo pipefail
source=$1 build=$2
. "$source/tests/packages/lib.sh"

# Part by part, each with its own files alone; together they are everything.
part() { # COMPONENT FILE...: installs it; of it, these must be there
	local component=$1 file
	shift
	rm -rf "$work/part"
	must env DESTDIR="$work/part" cmake --install "$build" --prefix /opt/parts --component "$component"
	for file; do
		find "$work/part/opt/parts" -path "*/$file" | grep -q . || fail "component $component lacks $file"
	done
	(cd "$work/part" && find . -type f) | sort >>"$work/parts"
}
part core bin/tenon share/man/man1/tenon.1 share/man/man5/tenon.conf.5
part backend-emu 'tenon/core/emu.so'
part backend-kvm 'tenon/core/kvm.so'
part backend-null 'tenon/core/null.so'
part dev include/tenon/tenon.h 'libtenon-testkit.a' 'pkgconfig/tenon.pc' \
	'cmake/Tenon/TenonConfig.cmake' share/tenon/packaging/tenon-deps
part doc share/doc/tenon/examples/minimal.cfg
for plugin in "$source"/plugins/*/; do
	part "plugin-$(basename "$plugin")" "tenon/0/$(basename "$plugin").so"
done
must env DESTDIR="$work/whole" cmake --install "$build" --prefix /opt/parts
[ -z "$(sort "$work/parts" | uniq -d)" ] || fail "in two components: $(sort "$work/parts" | uniq -d)"
(cd "$work/whole" && find . -type f) | sort | diff <(sort "$work/parts") - >&2 ||
	fail "the components are not the whole"
[ "$(ls "$work/whole")" = opt ] || fail "outside the prefix: $(ls "$work/whole")"

# Moved: it finds its modules beside itself, and has each once.
prefix=$work/moved
mv "$work/whole/opt/parts" "$prefix"
tenon=$prefix/bin/tenon
"$tenon" plugins >"$work/list" || fail "tenon plugins"
for plugin in "$source"/plugins/*/; do
	[ "$(grep -c "$prefix/.*/$(basename "$plugin")\.so" "$work/list")" = 1 ] ||
		fail "$(basename "$plugin") is not listed once: $(cat "$work/list")"
done
machine rng serial
shows 'rng: rng (virtio device 4)' "$tenon" check "$work/vm.cfg"
ln -s "$tenon" "$work/link" # through a link as well
shows 'rng: rng (virtio device 4)' "$work/link" check "$work/vm.cfg"

# pkg-config
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name tenon.pc)")
export PKG_CONFIG_PATH
query() { pkg-config "$@" | sed 's/ *$//'; }
equal() { [ "$1" = "$2" ] || fail "$3: '$1', wanted '$2'"; }
number() { awk -v n="TENON_ABI_$1" '$2 == n { print $3 }' "$source/sdk/include/tenon/abi.h"; }
equal "$(query --variable=abi_major tenon)" "$(number MAJOR)" abi_major
equal "$(query --variable=abi_minor tenon)" "$(number MINOR)" abi_minor
equal "$(realpath "$(query --variable=plugindir tenon)")" \
	"$(dirname "$(find "$prefix" -name rng.so)")" plugindir
equal "$(query --libs tenon)" "" "pkg-config --libs tenon"
must pkg-config --exact-version 0.1.0 tenon
# shellcheck disable=SC2046 # words
must cc -std=gnu17 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -Wl,-z,defs,-z,now \
	-o "$work/still.so" "$source/tests/packages/consumer/still.c" $(pkg-config --cflags tenon)
# shellcheck disable=SC2046 # words
must cc -o "$work/still_test" "-DTENON_TESTKIT_PLUGIN=\"$work/still.so\"" \
	"$source/tests/packages/consumer/still_test.c" $(pkg-config --cflags --libs tenon-testkit)
shows 'ok 1' "$work/still_test"
shows 'type = "still": lies still' "$tenon" plugins "$work/still.so"

# CMake, from nothing but the prefix
must cmake -S "$source/tests/packages/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix"
must cmake --build "$work/consumer"
shows 'tests passed' ctest --test-dir "$work/consumer"
must cmake --install "$work/consumer" --prefix "$prefix"
machine still
shows 'devices:' "$tenon" check "$work/vm.cfg"
grep -q 'still: here' "$work/err" || fail "the installed device did not speak: $(cat "$work/err")"
for plugin in still still-cpp; do
	file=$(find "$work/consumer" -name "$plugin.so")
	equal "$(nm -D --defined-only "$file" | awk '{ print $3 }')" tenon_plugin_v0 "exports of $plugin"
	readelf -dW "$file" | grep -q 'BIND_NOW\|FLAGS.*NOW' || fail "$plugin is not bound at load"
	readelf -lW "$file" | grep -q GNU_RELRO || fail "$plugin is not relro"
done

# Other versions are not found, nor components that there are none of.
wants() { # RESULT REQUEST...
	local wanted=$1
	shift
	mkdir -p "$work/ask"
	# shellcheck disable=SC2016 # for CMake
	printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(ask C)' \
		"find_package(Tenon $*)" 'message(STATUS "found=${Tenon_FOUND}")' >"$work/ask/CMakeLists.txt"
	cmake -S "$work/ask" -B "$work/ask/build" --fresh -DCMAKE_PREFIX_PATH="$prefix" \
		>"$work/ask/log" 2>&1
	grep -qx -- "-- found=$wanted" "$work/ask/log" ||
		fail "find_package(Tenon $*): wanted $wanted: $(cat "$work/ask/log")"
}
wants 1 0.1
wants 1 0.1 COMPONENTS sdk testkit
wants 0 0.0
wants 0 0.2
wants 0 1.0
wants 0 0.1 COMPONENTS toaster
mv "$(find "$prefix" -name libtenon-testkit.a)" "$work/"
wants 0 0.1 COMPONENTS testkit
wants 1 0.1 COMPONENTS sdk

finish "install: $(wc -l <"$work/parts") files, moved and used"
