# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: riscv64
# Where the host has the advanced interrupt architecture, KVM has the interrupt controller: two CPUs
# with a disk, entropy and a serial port, each of which interrupts many times, twice, with a restart
# in place between; then the power button.
. /lab/caselib.sh
grep -q '_ssaia' /proc/cpuinfo || skip 'the host has no advanced interrupt architecture'
disk=$lab_dir/disk
head -c 1048576 /dev/urandom >"$disk"
boot --set vm.vcpus=2 --set payload.initrd=/lab/vsock.img \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve' \
	--device "block,path=$disk" --device "serial,output=file,path=$lab_dir/serial"
for turn in 1 2; do
	expect 'serve: ready'
	command_done '[ $(nproc) = 2 ] && grep -q APLIC-MSI /proc/interrupts'
	command_done 'for i in 1 2 3 4; do dd if=/dev/vda bs=64k skip=$i count=1 iflag=direct 2>/dev/null; done | wc -c | grep -qx 262144'
	command_done '[ $(dd if=/dev/hwrng bs=512 count=2 iflag=fullblock 2>/dev/null | wc -c) = 1024 ]'
	command_done 'for i in 1 2 3 4 5 6 7 8; do echo more than the bytes of a FIFO; done >/dev/ttyS0'
	command_done 'awk "/virtio/ && \$2 + \$3 > 3" /proc/interrupts | wc -l | grep -qx 3'
	command_done 'taskset 1 usleep 20000 && taskset 2 usleep 20000'
	[ $turn = 2 ] || type_line reboot
done
[ "$(grep -c '^more than the bytes of a FIFO' "$lab_dir/serial")" = 16 ] ||
	fail "the serial port gave out $(wc -c <"$lab_dir/serial") bytes"
kill -TERM "$lab_pid"
expect 'guest: power button'
ends_with 0
