# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# With on_reboot = "exit" a reboot ends the VM.
. /lab/caselib.sh
boot --set vm.on_reboot=exit --set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
expect 'serve: ready'
type_line reboot
ends_with 0
[ "$(grep -c 'serve: ready' "$lab_log")" = 1 ] || fail "the guest was started again"
