# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# Every file that people start from boots to a shell and powers off when asked to.
. /lab/caselib.sh
# The images that they name.
truncate -s 16M /lab/conf/disk.img /lab/conf/data.img
found=''
for file in /lab/conf/*.cfg; do
	[ -e "$file" ] || continue
	found=1
	LAB_CONFIG=$file
	boot --set vm.hypervisor=kvm --set payload.kernel=/lab/vmlinuz \
		--set payload.initrd=/lab/initrd.img
	expect '*Leave with*'
	type_line 'echo ready | tr a-z A-Z'
	expect '*READY*'
	type_line poweroff
	ends_with 0
done
[ -n "$found" ] || fail "there are no files in conf/"
