#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tour against guests that are scripts: a good one, and for each thing that can go wrong one that
# does it.  Called with "guest KIND" it is such a guest.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

banner() {
	printf '\r\nThis is Linux 6.1.0. Leave with '"'poweroff'"'.\r\n# '
}

walk() { # KIND
	printf 'tour: kernel Linux 6.1.0\r\ntour: hypervisor KVM\r\ntour: cpus 2\r\n'
	printf 'tour: memory 480000 KiB\r\ntour: device virtio0: console, driver virtio_console\r\n'
	[ "$1" = driverless ] && printf 'tour: device virtio1: rng, driver \r\n' ||
		printf 'tour: device virtio1: rng, driver virtio_rng\r\n'
	printf 'tour: device ttyS0: serial, ports from 0x3F8, interrupt 4\r\n'
	[ "$1" = dry ] && printf 'tour: hwrng \r\n' ||
		printf 'tour: hwrng 00112233445566778899aabbccddeeff\r\n'
	[ "$1" = cut ] || printf 'tour: end\r\n'
}

be_guest() { # KIND
	local line
	[ "$1" = mute ] && exec tail -f /dev/null
	[ "$1" = absent ] && exit 2
	banner
	while read -r line; do
		case $1:$line in
		cut:tour) walk cut && exit 4 ;;
		*:tour) walk "$1" ;;
		stuck:reboot) exec tail -f /dev/null ;;
		*:reboot) banner ;;
		*:echo*) printf '# %s\r\nagain: 3\r\n' "$line" ;;
		unclean:poweroff) exit 4 ;;
		*:poweroff) exit 0 ;;
		esac
	done
}

[ "${1:-}" != guest ] || be_guest "$2"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# tour STATUS KIND TEXT...: ends with STATUS and says every TEXT
tour() {
	local wanted=$1 kind=$2 rc=0 text
	shift 2
	TENON_DEMO_SILENCE=1 "$here/tour" "$work/log" bash "$0" guest "$kind" >"$work/out" 2>&1 || rc=$?
	[ $rc = "$wanted" ] || {
		echo "FAIL: $kind: ended with $rc, wanted $wanted: $(cat "$work/out")" >&2
		failures=$((failures + 1))
	}
	for text in "$@"; do
		grep -qF -- "$text" "$work/out" || {
			echo "FAIL: $kind: no '$text' in: $(cat "$work/out")" >&2
			failures=$((failures + 1))
		}
	done
}

tour 0 good 'kernel      Linux 6.1.0' 'memory      468 MiB' 'virtio1: rng' 'every station was seen'
tour 1 mute 'said nothing for 1 s' 'not seen: kernel hypervisor' 'try again'
tour 1 absent 'the guest is gone'
tour 1 driverless 'not seen: rng;'
tour 1 dry 'not seen: hwrng;'
tour 1 cut 'the guest is gone' 'not seen: reboot power-off;'
tour 1 stuck 'said nothing for 1 s' 'not seen: reboot power-off;'
tour 1 unclean 'ended with 4' 'not seen: power-off;'

[ $failures = 0 ] && echo "the tour tells good guests from bad"
exit $((failures != 0))
