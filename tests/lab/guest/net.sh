# shellcheck shell=dash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# The guest's side of the network cases.  Sourced by them.

# An address by DHCP: "lease: ADDRESS/PREFIX via ROUTER dns SERVERS".
net_lease() {
	cat >/tmp/lease <<-'LEASE'
		#!/bin/sh
		[ "$1" = bound ] || exit 0
		ip addr add "$ip/$mask" dev "$interface"
		ip route add default via "$router"
		echo "nameserver ${dns%% *}" >/etc/resolv.conf
		echo "lease: $ip/$mask via $router dns $dns"
	LEASE
	chmod 755 /tmp/lease
	ip link set eth0 up && udhcpc -i eth0 -n -q -f -s /tmp/lease 2>/dev/null
}

# An address by hand.
net_address() { # ADDRESS/PREFIX ROUTER
	ip link set eth0 up && ip addr add "$1" dev eth0 && ip route add default via "$2"
}

net_driver() {
	driver=$(readlink /sys/class/net/eth0/device/driver)
	echo "driver: ${driver##*/} $(cat /sys/class/net/eth0/address) carrier" \
		"$(cat /sys/class/net/eth0/carrier 2>/dev/null)"
}

# Fetches a file and says its sum.
net_fetch() { # URL
	wget -q -O /tmp/blob "$1" && echo "sum: $(md5sum </tmp/blob | cut -d ' ' -f 1)"
}

# Sends the file that was fetched.
net_send() { # ADDRESS PORT
	nc "$1" "$2" </tmp/blob
}

# Serves it.
net_serve() { # PORT
	httpd -p "$1" -h /tmp
}
