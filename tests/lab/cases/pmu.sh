# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: aarch64
# Performance counters are there, with their interrupt, when they are asked for, and else are not.
. /lab/caselib.sh
set -- --set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
for wanted in true false; do
	boot "$@" --set "vm.pmu=$wanted"
	expect 'serve: ready'
	if [ "$wanted" = true ]; then
		command_done 'dmesg | grep "PMU driver, [1-9][0-9]* counters available"'
		command_done 'grep -q arm-pmu /proc/interrupts'
	else
		command_done '! dmesg | grep "PMU driver,"'
	fi
	type_line poweroff
	ends_with 0
done
