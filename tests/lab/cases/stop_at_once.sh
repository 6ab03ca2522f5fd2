# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# A second signal does not wait for a guest that is deaf to its power button.
. /lab/caselib.sh
boot --set vm.shutdown_timeout=600 --set \
	'payload.cmdline=console=hvc0 quiet panic=-1 tenon.button=off tenon.mode=hang'
expect 'hang: ready'
kill -TERM "$lab_pid"
sleep 1
kill -0 "$lab_pid" 2>/dev/null || fail "tenon did not wait for the guest"
kill -TERM "$lab_pid"
run_out
[ "$lab_status" -lt 128 ] || fail "tenon was killed by the signal instead of ending"
