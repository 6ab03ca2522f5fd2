# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# A guest that dies of a triple fault ends the VM with 4.
. /lab/caselib.sh
boot --set 'payload.cmdline=console=hvc0 quiet reboot=triple,force tenon.mode=serve'
expect 'serve: ready'
type_line reboot
ends_with 4
