# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# What is typed reaches the guest, is echoed, and what the guest says comes back whole.
. /lab/caselib.sh
boot --set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
expect 'serve: ready'
type_line 'echo one-two-three | tr a-z A-Z'
expect 'echo one-two-three*'
expect 'ONE-TWO-THREE'
expect 'serve: done 0'
type_line 'seq 1 2000'
expect '1999'
expect '2000'
expect 'serve: done 0'
[ "$(grep -cE '^[0-9]+$' "$lab_log")" = 2000 ] || fail "lines of a long output are missing"
type_line poweroff
ends_with 0
