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
command_done 'grep -qw ttyS0 /sys/class/tty/console/active'
type_line poweroff
ends_with 0
