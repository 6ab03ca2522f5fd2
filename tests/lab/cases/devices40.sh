# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# Forty virtio devices, which share interrupt lines; each has a driver.
. /lab/caselib.sh
set --
n=0
while [ $n -lt 38 ]; do
	set -- "$@" --device rng
	n=$((n + 1))
done
check_guest --set vm.vcpus=2 "$@"
has '^check virtio_count: 40$'
[ "$(grep -c '^check virtio: .* 0x0004 .* virtio_rng$' "$lab_log")" = 39 ] ||
	fail "not all of the 39 entropy sources have a driver"
has '^check hwrng_bytes: 4096$'
