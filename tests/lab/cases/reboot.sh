# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# A reboot starts the guest in place, twice; then a power-off ends it with success.
. /lab/caselib.sh
boot --set vm.vcpus=2 \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
for turn in 1 2; do
	expect 'serve: ready'
	command_done '[ $(nproc) = 2 ]'
	command_done 'dd if=/dev/hwrng of=/dev/null bs=64 count=1 2>/dev/null'
	type_line reboot
done
expect 'serve: ready'
command_done '[ $(ls /sys/bus/virtio/devices | wc -l) = 2 ]'
type_line poweroff
ends_with 0
