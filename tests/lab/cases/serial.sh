# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# The serial port is an early console, and a terminal in both directions.
. /lab/caselib.sh
LAB_CONFIG=/lab/serial.conf
boot
expect '*Linux version*'
expect 'serve: ready'
type_line 'echo typed | tr a-z A-Z'
expect 'TYPED'
expect 'serve: done 0'
n=0
while [ $n -lt 20 ]; do
	type_line "echo line $n: more than the sixteen bytes of the receiver | tr a-z A-Z"
	expect "LINE $n: MORE THAN THE SIXTEEN BYTES OF THE RECEIVER"
	expect 'serve: done 0'
	n=$((n + 1))
done
command_done 'grep -qw ttyS0 /sys/class/tty/console/active'
type_line poweroff
ends_with 0
