#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packages.sh SOURCE BUILD: makes the Debian packages from the build tree and lives with them, each
# unpacked into a root that has nothing else: what they hold and say of themselves, what `tenon`
# says while one is missing, and why a module does not load.
set -uo pipefail
source=$1 build=$2
. "$source/tests/packages/lib.sh"
deps=$source/sdk/packaging/tenon-deps
table=$source/core/packages.def

must cpack --config "$build/CPackConfig.cmake" -G DEB -B "$work/deb"
rm -rf "$work/deb/_CPack_Packages"
must ls "$work"/deb/tenon_*.deb "$work"/deb/tenon-dev_*.deb "$work"/deb/tenon-doc_*.deb

field() { dpkg-deb -f "$deb" "$1"; } # NAME: of the package at hand

# Its description, its checksums, its files: what a distribution looks at first.
sane() {
	local root=$work/one file
	rm -rf "$root"
	must dpkg-deb -R "$deb" "$root"
	for file in Package Version Architecture Maintainer Description Section Installed-Size; do
		[ -n "$(field $file)" ] || fail "$name has no field $file"
	done
	(cd "$root" && find . -type f ! -path './DEBIAN/*' | sed 's,^\./,,' | sort) >"$work/files"
	awk '{ print $2 }' "$root/DEBIAN/md5sums" | sort | diff - "$work/files" >&2 ||
		fail "$name: md5sums does not list every file"
	(cd "$root" && md5sum --quiet -c DEBIAN/md5sums) || fail "$name: md5sums differ"
	grep -vE '^usr/(bin|include|lib|share)/' "$work/files" >&2 && fail "$name: odd places"
	grep -qx "usr/share/doc/$name/copyright" "$work/files" || fail "$name: no copyright"
	[ -s "$work/files" ] || fail "$name is empty"
	# The owner is in the archive, not on this disk.
	dpkg-deb -c "$deb" >"$work/listing"
	grep -vE '^[-d]rw[-x]r-[-x]r-[-x] root/root ' "$work/listing" >&2 && fail "$name: odd rights"
	while read -r file; do
		case $(head -c 4 "$root/$file" | tr -d '\0') in $'\x7fELF') elf "$root/$file" ;; esac
	done <"$work/files"
}

elf() { # FILE: nothing in it leads back to where it was built
	readelf -d "$1" 2>/dev/null | grep -E 'RPATH|RUNPATH' >&2 && fail "$1 has a run path"
	readelf -SW "$1" | grep -q '\.debug_info' && fail "$1 is not stripped"
	grep -qaF "$source/" "$1" && fail "$1 names the source tree: $(strings -a "$1" | grep -F "$source/" | head -3)"
}

# What it brings is what it says: modules, device types, and the table that the core was built with.
agrees() {
	local root=$work/one type modules requires
	modules=$(find "$root/usr" -path '*/tenon/[0-9]*/*.so')
	# shellcheck disable=SC2086 # paths of our own
	for type in $([ -z "$modules" ] || "$deps" deb provides $modules); do
		field Provides | tr -d ' ' | tr , '\n' | grep -qx "$type" || fail "$name does not provide $type"
		grep -qF "PACKAGE_DEVICE(\"${type#tenon-device-}\", \"$name\")" "$table" ||
			fail "core/packages.def does not say that $name brings ${type#tenon-device-}"
	done
	if [ -n "$modules" ] && [ "$name" != tenon ]; then
		# shellcheck disable=SC2086 # paths of our own
		requires=$("$deps" deb requires $modules)
		field Depends | grep -qF "$requires" ||
			fail "$name does not need the interface that its modules were built for"
	fi
	find "$root/usr" -path '*/tenon/core/*.so' -printf '%f\n' >"$work/backends"
	while read -r type; do
		grep -qF "PACKAGE_BACKEND(\"${type%.so}\", \"$name\")" "$table" ||
			fail "core/packages.def does not say that $name brings the backend ${type%.so}"
	done <"$work/backends"
}

made=0
for deb in "$work"/deb/*.deb; do
	made=$((made + 1))
	name=$(field Package)
	sane
	agrees
done

deb=$(ls "$work"/deb/tenon_*.deb)
abi=$(awk '/define TENON_ABI_M/ { printf "-%s", $3 }' "$source/sdk/include/tenon/abi.h")
field Provides | grep -qE "(^|, )tenon-abi$abi(,|$)" || fail "tenon does not provide tenon-abi$abi"
for need in libc6 libconfig9 libltdl7; do
	field Depends | grep -qE "(^|, )$need( |,|$)" || fail "tenon does not depend on $need"
done

# Every device of the table, while its module is not there, names its package; once the package is
# unpacked, it does not.
mkdir "$work/root"
must dpkg -x "$deb" "$work/root"
tenon=$work/root/usr/bin/tenon
cp -r "$work/root" "$work/bare"
rm "$work"/bare/usr/lib*/tenon/[0-9]*/*.so "$work"/bare/usr/lib*/*/tenon/[0-9]*/*.so 2>/dev/null
n=0
while IFS='"' read -r _ type _ package _; do
	machine "$type"
	says "device type \"$type\" is not installed (package $package brings it)" \
		"$work/bare/usr/bin/tenon" check "$work/vm.cfg"
	n=$((n + 1))
	[ -d "$source/plugins/$type" ] || continue
	cp -r "$work/root" "$work/with"
	must dpkg -x "$work/deb/$package"_*.deb "$work/with"
	"$work/with/usr/bin/tenon" check "$work/vm.cfg" 2>&1 | grep 'not installed' >&2 &&
		fail "$package does not bring $type"
	rm -rf "$work/with"
done < <(grep '^PACKAGE_DEVICE' "$table")
[ "$n" -ge 10 ] || fail "only $n device types in $table"

# A heavy module, as a package of its own that is not there at first.
type='' package=''
while IFS='"' read -r _ t _ p _; do
	[ -d "$source/plugins/$t" ] || { type=$t package=$p && break; }
done < <(grep '^PACKAGE_DEVICE.*"tenon-' "$table")
[ -n "$type" ] || { type=heavy package=tenon-heavy; }
machine rng "$type"
if [ "$package" != tenon-heavy ]; then
	says "vm.cfg:4: device type \"$type\" is not installed (package $package brings it)" \
		"$tenon" check "$work/vm.cfg"
fi
mkdir "$work/dev"
must dpkg -x "$work"/deb/tenon-dev_*.deb "$work/dev"
must cmake -S "$source/tests/packages/standin" -B "$work/standin" -DTYPE="$type" \
	-DPACKAGE="$package" -DCMAKE_PREFIX_PATH="$work/dev/usr" -DCMAKE_INSTALL_LIBDIR=lib
must cmake --build "$work/standin"
must cpack --config "$work/standin/CPackConfig.cmake" -G DEB -B "$work/heavy"
deb=$(ls "$work"/heavy/*.deb)
[ "$(field Depends)" = "tenon-abi$abi" ] || fail "$package depends on '$(field Depends)'"
must dpkg -x "$deb" "$work/root"
shows "$type: $type" "$tenon" check "$work/vm.cfg"

# The library that it needs goes: the dynamic linker's own words.
rm "$work/root/usr/lib/libheavy.so"
says "libheavy.so: cannot open shared object file: No such file or directory" \
	"$tenon" check "$work/vm.cfg"
shows "$type" "$tenon" plugins # listing runs no code of it, so that it can still be seen

finish "packages: $made made, $n device types with their packages"
