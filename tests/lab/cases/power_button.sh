# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# SIGTERM presses the power button; the guest powers off by itself, and that is success.
. /lab/caselib.sh
boot --set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=hang'
expect 'hang: ready'
kill -TERM "$lab_pid"
expect 'guest: power button'
ends_with 0
