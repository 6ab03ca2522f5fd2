#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# qemu.sh BUILD SOURCE: QEMU (emulating, so anywhere) boots a stock kernel on a disk, an entropy
# source, a network and a vsock that `tenon serve` lends it.  What the guest wrote must be in the
# image, and what was in the image must have reached the guest; and when the process that serves the
# disk is killed in the middle of it and another takes its place, nothing may be lost.
set -euo pipefail
build=$1 source=$2
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lab/lib.sh
. "$source/tests/lab/lib.sh"
lab_need qemu-system-x86_64 qemu-system-x86
lab_need cpio cpio
lab_need modprobe kmod

tenon=$build/bin/tenon
work=$(mktemp -d)
pids=()
finish() {
	kill "${pids[@]}" 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap finish EXIT
fail() {
	echo "serve: $*" >&2
	tail -n 40 "$work"/*.log >&2
	exit 1
}

# ---- the guest's userland ----
assets=$("$source/tests/lab/assets" x86_64)
lab_new_tree "$work/tree" "$assets"
lab_add_modules "$work/tree" "$assets" virtio_pci virtio_blk virtio-rng virtio_net \
	vmw_vsock_virtio_transport
cp "$source/tests/lab/guest/init" "$work/tree/init"
cp "$source"/tests/lab/guest/*.sh "$here/guest.sh" "$work/tree/etc/"
chmod 755 "$work/tree/init"
cc -std=c17 -D_GNU_SOURCE -O2 -static -o "$work/tree/bin/sockets" "$source/tests/lab/guest/sockets.c"
lab_pack "$work/tree" "$work/initrd"

# ---- what is lent ----
truncate -s 16M "$work/disk.img"
head -c 65536 /dev/urandom | dd of="$work/disk.img" conv=notrunc status=none
head=$(head -c 65536 "$work/disk.img" | sha256sum | cut -d' ' -f1)

serve() { # NAME TYPE KEY=VALUE...
	local name=$1 type=$2
	shift 2
	"$tenon" serve "$type" --socket "$work/$name.sock" "$@" >"$work/$name.out" 2>>"$work/$name.log" &
	pid=$!
	pids+=("$pid")
}
# There is no file to wait for but the socket's own.
listens() { # NAME
	timeout 10 bash -c "until [ -S '$work/$1.sock' ]; do read -rt 0.01 <> <(:) || :; done" ||
		fail "'$1' does not listen"
}
serve_disk() { serve disk block path="$work/disk.img" serial=lent-disk; }

serve_disk
disk=$pid
serve rng rng
rng=$pid
serve net net backend=user
net=$pid
serve vsock vsock cid=42 socket="$work/vs"
vsock=$pid
"$work/tree/bin/sockets" serve "unix:$work/vs_5000" >"$work/host.log" 2>&1 &
pids+=($!)
for name in disk rng net vsock; do listens $name; done

# ---- the boot ----
# vectors=0: QEMU 7.2 crashes where it emulates and a vhost network has message-signalled interrupts.
mkfifo "$work/serial"
timeout 100 qemu-system-x86_64 -accel tcg -cpu max -M q35 -m 256 -smp 2 -nodefaults -no-user-config \
	-display none -no-reboot -serial stdio -monitor none \
	-object memory-backend-memfd,id=ram,size=256M,share=on -machine memory-backend=ram \
	-kernel "$assets/vmlinuz" -initrd "$work/initrd" \
	-append "console=ttyS0 quiet panic=-1 tenon.mode=exec tenon.exec=$(echo 'sh /etc/guest.sh' | base64)" \
	-chardev socket,id=disk,path="$work/disk.sock",reconnect=1 \
	-device vhost-user-blk-pci,chardev=disk,num-queues=1 \
	-chardev socket,id=rng,path="$work/rng.sock" -device vhost-user-rng-pci,chardev=rng \
	-chardev socket,id=net,path="$work/net.sock" -netdev vhost-user,id=n,chardev=net \
	-device virtio-net-pci,netdev=n,romfile=,vectors=0 \
	-chardev socket,id=vsock,path="$work/vsock.sock" -device vhost-user-vsock-pci,chardev=vsock \
	</dev/null >"$work/serial" 2>"$work/qemu.log" &
qemu=$!
pids+=("$qemu")

ended=
while IFS= read -r line; do
	line=${line%$'\r'}
	echo "$line" >>"$work/guest.log"
	case $line in
	"guest: vsock listens")
		# A program of the host asks for a port of the guest.
		"$work/tree/bin/sockets" echo "connect:$work/vs:6000" 1 >>"$work/host.log" 2>&1 ||
			fail "the host does not reach the guest's port"
		;;
	"guest: traffic begins")
		kill -KILL "$disk"
		wait "$disk" 2>/dev/null || true
		serve_disk
		;;
	"guest: done") ended=1 ;;
	esac
done <"$work/serial"
wait "$qemu" || fail "QEMU ended with $?"
[ -n "$ended" ] || fail "the guest did not come to its end"

# ---- what must be so ----
said() { grep -q "^guest: $1" "$work/guest.log" || fail "the guest did not say '$1'"; }
said "disk serial"
said "disk head $head"
said "entropy virtio_rng"
said "network 10.0.2.15/24"
said "ping: 4 packets transmitted, 4 packets received"
said "vsock to the host"
said "traffic rounds 16 "
pattern=$(sed -n 's/^guest: disk \([0-9]*\) bytes \(.*\)/\1 \2/p' "$work/guest.log")
[ "$(dd if="$work/disk.img" bs=64k skip=16 status=none | head -c "${pattern% *}" |
	sha256sum | cut -d' ' -f1)" = "${pattern#* }" ] || fail "the image does not hold what was written"
last=$(sed -n 's/^guest: traffic rounds 16 //p' "$work/guest.log")
[ "$(dd if="$work/disk.img" bs=64k skip=64 count=16 status=none | sha256sum | cut -d' ' -f1)" = \
	"$last" ] || fail "the image lacks what was written around the kill"

# ---- the end of those that serve ----
kill -TERM "$pid" "$rng" "$net" "$vsock"
for p in "$pid" "$rng" "$net" "$vsock"; do
	wait "$p" || fail "a process that serves ended with $?"
done
[ -z "$(ls "$work"/*.sock 2>/dev/null)" ] || fail "a socket is left"
[ ! -s "$work/rng.log" ] || fail "the entropy source said something"
[ ! -s "$work/vsock.log" ] || fail "the vsock said something"
echo "serve: all was right"
