# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# A kernel that panics reboots, as panic=-1 asks it to, and on_reboot decides what that means.
. /lab/caselib.sh
boot --set vm.on_reboot=exit --set 'payload.cmdline=console=hvc0 panic=-1 tenon.mode=crash'
expect '*Kernel panic - not syncing*'
run_out
[ "$lab_status" = 0 ] || [ "$lab_status" = 4 ] || fail "tenon ended with $lab_status"
