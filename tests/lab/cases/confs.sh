# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# Every file that people start from boots to a shell and powers off when asked to.
. /lab/vhostlib.sh
# The images that they name.
truncate -s 16M /lab/conf/disk.img /lab/conf/data.img
found=''
for file in /lab/conf/*.cfg; do
	[ -e "$file" ] || continue
	found=1
	case $file in */vhost-user.cfg)
		[ -x /tenon/bin/qemu-storage-daemon ] || continue
		start_back_end qemu-storage-daemon \
			--blockdev driver=file,node-name=d,filename=/lab/conf/disk.img \
			--export "type=vhost-user-blk,id=e,node-name=d,addr.type=unix,addr.path=$lab_dir/sock,writable=on"
		ln -sf "$lab_dir/sock" /lab/conf/disk.sock
		;;
	esac
	LAB_CONFIG=$file
	boot --set "vm.hypervisor=$LAB_HYPERVISOR" --set payload.kernel=/lab/vmlinuz \
		--set payload.initrd=/lab/initrd.img
	expect '*Leave with*'
	type_line 'echo ready | tr a-z A-Z'
	expect '*READY*'
	type_line poweroff
	ends_with 0
	[ -z "$back_end" ] || kill "$back_end"
	back_end=''
done
[ -n "$found" ] || fail "there are no files in conf/"
