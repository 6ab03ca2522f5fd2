#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# generator.sh SOURCE BUILD: what tenon-deps reads from notes, and the two ways in which package
# builders call it: as an rpm generator and from debian/rules.
set -uo pipefail
source=$1 build=$2
. "$source/tests/packages/lib.sh"
deps=$source/sdk/packaging/tenon-deps

module() { # NAME MAJOR MINOR "TYPES": a module that says so
	printf '%s\n' '#include <tenon/abi.h>' '#undef TENON_ABI_MAJOR' '#undef TENON_ABI_MINOR' \
		"#define TENON_ABI_MAJOR $2" "#define TENON_ABI_MINOR $3" '#include <tenon/plugin.h>' \
		'static const struct tenon_device_class *const none[] = { NULL };' \
		"TENON_PLUGIN(\"org.example.$1\", \"1.0\", \"MIT\", NULL, none, \"$4\");" >"$work/$1.c"
	mkdir -p "$work/tree/usr/lib/tenon/$2"
	must cc -shared -fPIC -I"$source/sdk/include" -o "$work/tree/usr/lib/tenon/$2/$1.so" "$work/$1.c"
}
module old 0 1 "tap"
module new 1 3 "disk disk-fast"
old=$work/tree/usr/lib/tenon/0/old.so new=$work/tree/usr/lib/tenon/1/new.so
echo 'not a module' >"$work/tree/usr/lib/tenon/0/text.so"

equal() { # WANTED COMMAND...
	local wanted=$1 got
	shift
	got=$("$@" 2>&1) || fail "$*: exit code $?: $got"
	[ "$got" = "$wanted" ] || fail "$*: '$got', wanted '$wanted'"
}
equal 'tenon-device-tap' "$deps" deb provides "$old"
equal 'tenon-abi-0-1' "$deps" deb requires "$old"
equal $'tenon-device-disk\ntenon-device-disk-fast' "$deps" deb provides "$new"
equal 'tenon-abi-1-3' "$deps" deb requires "$new"
equal 'tenon-device(tap)' "$deps" rpm provides "$old"
equal 'tenon-abi(0) = 0.1' "$deps" rpm requires "$old"
equal 'tenon-abi(1) >= 1.3' "$deps" rpm requires "$new"
equal 'tenon-abi-0-1' "$deps" deb core 0 1
equal $'tenon-abi-1-0\ntenon-abi-1-1\ntenon-abi-1-2' "$deps" deb core 1 2
equal 'tenon-abi(1) = 1.2' "$deps" rpm core 1 2
equal '' "$deps" deb provides "$work/tree/usr/lib/tenon/0/text.so" /bin/ls /nowhere
equal $'tenon:Depends=tenon-abi-0-1, tenon-abi-1-3
tenon:Provides=tenon-device-disk, tenon-device-disk-fast, tenon-device-tap' \
	"$deps" deb substvars "$old" "$new"

# As rpm does it: every file that the pattern matches, one at a time on standard input.
attr=$source/sdk/packaging/tenon.attr
pattern=$(sed -n 's/^%__tenon_path //p' "$attr")
for what in provides requires; do
	command=$(sed -n "s,^%__tenon_$what ,,p" "$attr" | sed "s,%{_datadir}/tenon/packaging,$(dirname "$deps"),")
	find "$work/tree" -type f | grep -E "$pattern" | while read -r file; do
		echo "$file" | $command
	done | sort >"$work/$what"
done
equal $'tenon-device(disk)\ntenon-device(disk-fast)\ntenon-device(tap)' cat "$work/provides"
equal $'tenon-abi(0) = 0.1\ntenon-abi(1) >= 1.3' cat "$work/requires"
echo /usr/lib/x86_64-linux-gnu/tenon/core/kvm.so | grep -qE "$pattern" && fail "a backend matches"

# As debhelper does it, with its own programs replaced by what they would say here.
mkdir -p "$work/dh/debian" "$work/bin"
cp -r "$work/tree" "$work/dh/debian/vendor-disk"
mkdir -p "$work/dh/debian/vendor-doc/usr/share"
printf '#!/bin/sh\necho vendor-disk\necho vendor-doc\n' >"$work/bin/dh_listpackages"
chmod +x "$work/bin/dh_listpackages"
PATH=$work/bin:$PATH must make -C "$work/dh" -f "$source/sdk/packaging/tenon.mk" \
	"TENON_DEPS=$deps" execute_before_dh_gencontrol
equal $'tenon:Depends=tenon-abi-0-1, tenon-abi-1-3
tenon:Provides=tenon-device-disk, tenon-device-disk-fast, tenon-device-tap' \
	cat "$work/dh/debian/vendor-disk.substvars"
[ ! -e "$work/dh/debian/vendor-doc.substvars" ] || fail "a package with no plugin has substvars"

# The tree's own modules.
for file in "$build"/lib/tenon/0/*.so; do
	equal "tenon-device-$(basename "$file" .so)" "$deps" deb provides "$file"
done

finish "generator: as documented"
