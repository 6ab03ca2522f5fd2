#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh TENON CONF STAND-IN: the files that people start from describe machines that can be built:
# `tenon check` accepts each with a kernel and an initrd beside it, and with both on the command line.
# STAND-IN serves the disk that one of them wants served.
set -uo pipefail

tenon=$(realpath "$1")
conf=$(realpath "$2")
stand_in=$(realpath "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0 checked=0

# The least that is a kernel: ELF for x86-64, one segment at 1 MiB that halts.
make_kernel() {
	printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\76\0\1\0\0\0\0\0\20\0\0\0\0\0'
	printf '\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\100\0\70\0\1\0\0\0\0\0\0\0'
	printf '\1\0\0\0\5\0\0\0\170\0\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0\0\20\0\0\0\0\0'
	printf '\3\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\364\353\375'
}

accepted() { # FILE ARGUMENT...
	if ! "$stand_in" "$work/disk.sock" block "$tenon" check "$@" >"$work/out" 2>"$work/err" || [ -s "$work/err" ]; then
		echo "FAIL: check $*: $(cat "$work/err")" >&2
		failures=$((failures + 1))
	fi
	checked=$((checked + 1))
}

make_kernel >"$work/vmlinuz"
echo initrd >"$work/initrd.img"
cp "$conf"/*.cfg "$work/"
# The disks that they name, as whoever uses them makes them.
truncate -s 8M "$work/disk.img" "$work/data.img"
for file in "$work"/*.cfg; do
	accepted "$file"
	accepted "$file" --kernel "$work/vmlinuz" --initrd "$work/initrd.img"
done

[ $checked -gt 0 ] || {
	echo "FAIL: there are no files in '$conf'" >&2
	exit 1
}
[ $failures = 0 ] && echo "$checked machines are as described"
exit $((failures != 0))
