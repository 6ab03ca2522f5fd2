#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stock.sh SOURCE TENON LOOK COMPARE RENDERER: Debian's riscv64 kernel on the emulator binds its virtio-gpu
# driver to the card; a program with plain DRM ioctls draws a picture that a viewer sees pixel for
# pixel; then the viewer asks for another size, the guest hears of it and draws once more.  Exits 77
# where there is no cross compiler.
set -uo pipefail
source=$1 tenon=$2 look=$3 compare=$4 renderer=$5
command -v riscv64-linux-gnu-gcc >/dev/null || {
	echo "skipped: there is no riscv64-linux-gnu-gcc; install gcc-riscv64-linux-gnu"
	exit 77
}
work=$(mktemp -d)
guest=''
trap '[ -z "$guest" ] || kill -9 $guest 2>/dev/null; rm -rf "$work"' EXIT

give_up() {
	echo "FAIL: $*; the console said:"
	tail -n 20 "$work/log"
	cat "$work/err"
	exit 1
}

assets=$("$source/tests/lab/assets" riscv64) || exit 1
riscv64-linux-gnu-gcc -O2 -Wall -Werror -static -D_GNU_SOURCE -o "$work/drawer" \
	"$source/tests/gpu/drawer.c" || exit 1
"$source/tests/lab/mkinitramfs" --arch riscv64 --module virtio-gpu --program "$work/drawer" \
	"$work/initrd.img" || exit 1
cat >"$work/vm.cfg" <<-CFG
	vm: { hypervisor = "emu"; memory = "256M"; };
	payload: { kernel = "$assets/vmlinuz"; initrd = "$work/initrd.img";
		cmdline = "console=hvc0 quiet panic=-1 fbcon=map:9 tenon.mode=serve"; };
	devices = ( { type = "console"; },
		{ type = "gpu"; width = 1024; height = 768; renderer = "$renderer"; },
		{ type = "look"; plugin = "$look"; path = "$work/picture"; width = 848; height = 480; } );
CFG

: >"$work/log"
mkfifo "$work/in" "$work/out" "$work/never"
exec {never}<>"$work/never"
"$tenon" run "$work/vm.cfg" <"$work/in" >"$work/out" 2>"$work/err" &
guest=$!
exec {to}>"$work/in" {from}<"$work/out"

expect() { # PATTERN
	local line
	while IFS= read -r -t 120 -u "$from" line; do
		line=${line%$'\r'}
		printf '%s\n' "$line" >>"$work/log"
		# shellcheck disable=SC2053
		[[ $line != $1 ]] || return 0
	done
	give_up "waited for '$1'"
}

# A line on standard error says that nothing is there to be seen.
picture() { # WIDTH HEIGHT
	local tries=0
	rm -f "$work/picture"
	kill -USR1 "$guest"
	until [ -e "$work/picture" ]; do
		[ $((tries++)) -lt 200 ] || give_up "there is no picture"
		[ ! -s "$work/err" ] || give_up "there is no picture"
		read -r -t 0.1 -u "$never" || :
	done
	"$compare" "$work/picture" "$1" "$2" || give_up "the picture is wrong"
}

expect 'serve: ready'
echo "dmesg | grep 'features: [+-]virgl'; ls /dev/dri; drawer" >&"$to"
if [ "$renderer" = virgl ]; then expect '*features: +virgl*'; else expect '*features: -virgl*'; fi
expect 'card0*'
expect 'drawn 1024 768'
picture 1024 768
expect 'drawn 848 480'
picture 848 480
echo enough >&"$to"
expect 'serve: done 0'
echo poweroff >&"$to"
wait "$guest"
rc=$?
guest=''
[ $rc = 0 ] || give_up "tenon ended with $rc"
[ ! -s "$work/err" ] || give_up "tenon complained"
! grep -q 'ERROR' "$work/log" || give_up "the driver complained"
