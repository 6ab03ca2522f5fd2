# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# What the guest of tests/serve/qemu.sh does with the devices that it is lent: a line for each
# thing that it found to be so.
# shellcheck source=tests/lab/guest/net.sh
. /etc/net.sh
say() { echo "guest: $*"; }

# The disk: a mebibyte of its own making at 1 MiB, read back past the cache; the rest is the host's.
disk() {
	[ "$(cat /sys/block/vda/serial)" = lent-disk ] && say "disk serial"
	i=0
	while [ $i -lt 16384 ]; do
		printf 'pattern %08d of the guest, 64 bytes to the line, no more, no less\n' $i
		i=$((i + 1))
	done >/tmp/pattern
	dd if=/tmp/pattern of=/dev/vda bs=64k seek=16 conv=fsync 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	bytes=$(wc -c </tmp/pattern)
	dd if=/dev/vda bs=64k skip=16 count=18 2>/dev/null | head -c "$bytes" | cmp - /tmp/pattern &&
		say "disk $bytes bytes $(sha256sum </tmp/pattern | cut -d' ' -f1)"
	dd if=/dev/vda bs=64k count=1 2>/dev/null | sha256sum | sed 's/ .*//; s/^/guest: disk head /'
}

entropy() {
	dd if=/dev/hwrng of=/tmp/bytes bs=64 count=4 2>/dev/null
	[ "$(wc -c </tmp/bytes)" = 256 ] && [ "$(gzip -c /tmp/bytes | wc -c)" -gt 256 ] &&
		say "entropy $(cat /sys/class/misc/hw_random/rng_current)"
}

# An address and a router come by the wire, and large packets go there and back.
network() {
	say "network $(net_lease | cut -d' ' -f2)"
	ping -c 4 -s 1400 -W 10 10.0.2.2 | sed -n 's/^/guest: ping: /p'
}

# The host listens at port 5000, and asks for 6000 when it hears of it.
talk() {
	sockets serve vsock:-1:6000 >/dev/null &
	sockets echo vsock:2:5000 1 && say "vsock to the host"
	say "vsock listens"
}

# Writes and reads all the time, until the host says over a socket that it is enough.
traffic() {
	round=0
	while [ ! -e /tmp/enough ]; do
		round=$((round + 1))
		{ echo "round $round"; cat /tmp/pattern; } | head -c 1048576 >/tmp/now
		dd if=/tmp/now of=/dev/vda bs=64k seek=64 conv=fsync 2>/tmp/why || {
			say "traffic: $(cat /tmp/why)"
			return
		}
		echo 1 >/proc/sys/vm/drop_caches
		dd if=/dev/vda bs=64k skip=64 count=16 2>/tmp/why | cmp - /tmp/now || {
			say "traffic: round $round differs: $(cat /tmp/why)"
			return
		}
		[ $round != 2 ] || say "traffic begins"
		[ $round != 16 ] || break
	done
	say "traffic rounds $round $(sha256sum </tmp/now | cut -d' ' -f1)"
}

disk
entropy
network
talk
traffic
say "done"
