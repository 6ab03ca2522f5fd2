# shellcheck shell=dash disable=SC1091,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# What the cases of disks share.  The disk of the programs is vda in the guest.
. /lab/caselib.sh
disks=/dev/shm/$LAB_CASE
rm -rf "$disks"
mkdir -p "$disks"
trap 'rm -rf "$disks"' EXIT

# Boots a guest with the programs' disk and those named: the settings of a block device each.
boot_disks() { # SETTINGS...
	set_one=''
	for one in "$@"; do set_one="$set_one --device block,$one"; done
	# shellcheck disable=SC2086
	boot --set payload.initrd=/lab/initrd-disk.img \
		--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve' \
		--device block,path=/lab/tools.img,read_only=true $set_one
	expect 'serve: ready'
	command_done 'mkdir -p /tools && mount -t ext4 -o ro /dev/vda /tools'
	command_done 'mount --bind /dev /tools/dev && mount -t proc proc /tools/proc'
	command_done 'mount -t tmpfs tmpfs /tools/tmp && mkdir -p /mnt'
}

# The host's process dies; the guest had no word in it.
kill_tenon() {
	kill -9 "$lab_pid"
	wait "$lab_pid"
	[ $? = 137 ] || fail "tenon ended before it was killed"
	lab_pid=''
	exec 3>&- 4<&-
}

needs() { # TOOL: in the guest's or this machine's tools
	[ -e "/bin/$1" ] || skip "there is no $1 in the lab; install it on the machine"
}
