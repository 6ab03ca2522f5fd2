# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: riscv64 emu
# A machine that its device tree describes, with two CPUs, 1 GiB and 32 virtio devices, each with a
# driver; SIGTERM has the guest power off by itself.
. /lab/caselib.sh
set --
n=0
while [ $n -lt 30 ]; do
	set -- "$@" --device rng
	n=$((n + 1))
done
boot --set vm.vcpus=2 --set vm.memory=1G \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve' "$@"
expect 'serve: ready'
command_done '[ $(nproc) = 2 ] && [ $(cat /sys/devices/system/cpu/online) = 0-1 ]'
command_done '[ $(ls -d /sys/bus/virtio/devices/*/driver | wc -l) = 32 ]'
command_done '[ $(sed -n "s/^MemTotal: *\([0-9]*\) kB/\1/p" /proc/meminfo) -gt 900000 ]'
# Both take their timer's interrupts, and each other's.
command_done 'taskset 1 usleep 20000 && taskset 2 usleep 20000'
command_done 'for i in timer IPI0 IPI1; do awk "/$i/ && \$2 && \$3" /proc/interrupts; done | wc -l | grep -qx 3'
kill -TERM "$lab_pid"
expect 'guest: power button'
ends_with 0
