# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64 emu
# Four jobs read and write at random and check every byte that they read, over two queues.
. /lab/disklib.sh
needs_fio='[ -x /tools/bin/fio ]'
truncate -s 64M "$disks/disk.img"
boot_disks "path=$disks/disk.img,queues=2"
type_line "$needs_fio"
expect 'serve: done *'
[ "$line" = 'serve: done 0' ] || skip "there is no fio; install it on the machine"
command_done '[ "$(ls /sys/block/vdb/mq | wc -l)" -ge 1 ]'
LAB_SILENCE=150
command_done 'chroot /tools /bin/fio --name=mix --aux-path=/tmp --filename=/dev/vdb --thread --numjobs=4 --size=3m --offset_increment=16m --rw=randrw --bsrange=512-32k --blockalign=512 --direct=1 --ioengine=libaio --iodepth=8 --verify=crc32c --verify_fatal=1 --random_generator=tausworthe64 --output=/tmp/log --eta=never || { cat /tools/tmp/log; false; }'
command_done 'grep -q "err= 0" /tools/tmp/log && ! grep -q "err=[^0]*[1-9]" /tools/tmp/log'
type_line poweroff
ends_with 0
