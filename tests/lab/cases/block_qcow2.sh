# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64 emu
# A qcow2 image in front of another, both made by qemu-img: the guest's file system lives through a
# kill of tenon, qemu-img finds nothing wrong and reads what the guest reads, and the image behind
# is as it was.
. /lab/disklib.sh
needs qemu-img

# No errors; clusters that are counted and not used do no harm after a kill.
sound() { # IMAGE MOST
	qemu-img check "$1" >"$disks/check" 2>&1
	status=$?
	[ $status = 0 ] || [ $status = "$2" ] || {
		sed 's/^/  guest: /' "$disks/check"
		fail "qemu-img check $1 ended with $status"
	}
}

qemu-img create -q -f qcow2 -o cluster_size=16k "$disks/base.qcow2" 48M
boot_disks "path=$disks/base.qcow2"
command_done 'chroot /tools /bin/mke2fs -q -t ext4 /dev/vdb && mount -t ext4 /dev/vdb /mnt'
command_done 'dd if=/dev/urandom of=/mnt/kept bs=64k count=48 2>/dev/null'
command_done 'sha256sum /mnt/kept >/mnt/sum && umount /mnt'
type_line poweroff
ends_with 0
sound "$disks/base.qcow2" 0
qemu-img convert -c -f qcow2 -O qcow2 -o compression_type=zstd "$disks/base.qcow2" "$disks/packed"
mv "$disks/packed" "$disks/base.qcow2"
sha256sum "$disks/base.qcow2" >"$disks/base.sum"
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$disks/top.qcow2"

boot_disks "path=$disks/top.qcow2"
command_done 'mount -t ext4 -o discard /dev/vdb /mnt && sha256sum -c /mnt/sum >/dev/null'
command_done 'dd if=/dev/urandom of=/mnt/later bs=64k count=48 2>/dev/null'
command_done 'sha256sum /mnt/later >>/mnt/sum && sync'
type_line 'i=0; while :; do i=$((i + 1)); dd if=/dev/urandom of=/mnt/f$((i % 5)) bs=16k count=10 2>/dev/null; [ $((i % 4)) != 0 ] || sync; echo "round $i"; done'
expect 'round 12'
kill_tenon
sound "$disks/top.qcow2" 3

boot_disks "path=$disks/top.qcow2"
command_done 'chroot /tools /bin/e2fsck -p /dev/vdb >/dev/null; [ $? -le 1 ]'
command_done 'chroot /tools /bin/e2fsck -fn /dev/vdb'
command_done 'mount -t ext4 /dev/vdb /mnt && sha256sum -c /mnt/sum >/dev/null && umount /mnt'
type_line 'sha256sum /dev/vdb'
expect '*  /dev/vdb'
read_by_guest=${line%% *}
expect 'serve: done 0'
type_line poweroff
ends_with 0
sound "$disks/top.qcow2" 3
qemu-img convert -f qcow2 -O raw "$disks/top.qcow2" "$disks/top.raw"
qemu-img compare -q -f qcow2 -F raw "$disks/top.qcow2" "$disks/top.raw" ||
	fail "qemu-img reads the image in two ways"
[ "$(sha256sum <"$disks/top.raw" | cut -d ' ' -f 1)" = "$read_by_guest" ] ||
	fail "qemu-img reads other bytes than the guest"
sha256sum -c "$disks/base.sum" >/dev/null || fail "the image behind was written"
