# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64 emu
# A stock driver's disk: its serial and size, a file system on it, tenon killed in the middle of
# writing, and at the next boot the file system is clean and what was synced is there.
. /lab/disklib.sh
truncate -s 192M "$disks/disk.img"
boot_disks "path=$disks/disk.img,serial=lab-disk-1"
command_done '[ "$(cat /sys/block/vdb/serial)" = lab-disk-1 ]'
command_done '[ "$(cat /sys/block/vdb/size)" = 393216 ]'
command_done '[ "$(cat /sys/block/vda/ro)" = 1 ]'
command_done '[ "$(cat /sys/block/vdb/queue/write_cache)" = "write back" ]'
command_done '[ "$(cat /sys/block/vdb/queue/discard_max_bytes)" -gt 0 ]'
command_done 'chroot /tools /bin/mke2fs -q -t ext4 -E nodiscard /dev/vdb'
command_done 'mount -t ext4 /dev/vdb /mnt'
command_done 'dd if=/dev/urandom of=/mnt/kept bs=64k count=64 2>/dev/null'
command_done 'sha256sum /mnt/kept >/mnt/sum && sync'
# It grows while the guest runs.
truncate -s 256M "$disks/disk.img"
command_done 'n=0; while [ "$(cat /sys/block/vdb/size)" != 524288 ] && [ $n -lt 200 ]; do usleep 50000; n=$((n + 1)); done; [ "$(cat /sys/block/vdb/size)" = 524288 ]'
# Files come and go without end; the host's process dies after a few.
type_line 'i=0; while :; do i=$((i + 1)); dd if=/dev/urandom of=/mnt/f$((i % 7)) bs=16k count=20 2>/dev/null; echo "round $i"; done'
expect 'round 12'
kill_tenon

boot_disks "path=$disks/disk.img"
# The journal is replayed, then nothing is left to mend.
command_done 'chroot /tools /bin/e2fsck -p /dev/vdb >/dev/null; [ $? -le 1 ]'
command_done 'chroot /tools /bin/e2fsck -fn /dev/vdb'
command_done 'mount -t ext4 /dev/vdb /mnt && sha256sum -c /mnt/sum >/dev/null'
command_done 'umount /mnt'
type_line poweroff
ends_with 0
