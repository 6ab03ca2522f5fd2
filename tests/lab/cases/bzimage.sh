# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# A bzImage, as a distribution ships it; the machine as its kernel sees it.
. /lab/caselib.sh
check_guest
has '^check cpus: 1$'
has '^check consoles: hvc0'
has '^check virtio: virtio[0-9]+ 0x0003 .* virtio_console$'
has '^check virtio: virtio[0-9]+ 0x0004 .* virtio_rng$'
has '^check virtio_count: 2$'
has '^check initrd: 0x'
has '^check cmdline_end: tenon.mode=check'
