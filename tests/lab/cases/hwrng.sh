# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# /dev/hwrng gives bytes, and not the same ones twice.
. /lab/caselib.sh
boot --set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
expect 'serve: ready'
command_done 'grep -q virtio_rng /sys/class/misc/hw_random/rng_current'
command_done 'dd if=/dev/hwrng of=/tmp/a bs=64 count=256 iflag=fullblock 2>/dev/null'
command_done 'dd if=/dev/hwrng of=/tmp/b bs=64 count=256 iflag=fullblock 2>/dev/null'
command_done '[ "$(wc -c </tmp/a)" = 16384 ]'
command_done '! cmp -s /tmp/a /tmp/b'
type_line poweroff
ends_with 0
