# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# conf/block.cfg as it stands, with images where it looks for them.
. /lab/disklib.sh
truncate -s 16M /lab/conf/disk.img /lab/conf/data.img
LAB_CONFIG=/lab/conf/block.cfg
boot --set "vm.hypervisor=$LAB_HYPERVISOR" --set payload.kernel=/lab/vmlinuz \
	--set payload.initrd=/lab/initrd-disk.img \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
expect 'serve: ready'
command_done '[ "$(cat /sys/block/vda/serial)" = first ] && [ "$(cat /sys/block/vda/size)" = 32768 ]'
command_done '[ "$(cat /sys/block/vdb/ro)" = 1 ]'
type_line poweroff
ends_with 0
