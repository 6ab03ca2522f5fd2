# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64 emu
# A stock driver on back end "stream" with passt at the other end, which dies and is started anew.
. /lab/caselib.sh
LAB_MIB=${LAB_MIB:-8} # passt is slow when it is emulated
. /lab/netlib.sh
command -v passt >/dev/null || skip "passt was not there when the lab was built"
# passt gives up its root folder, which cannot be the initramfs, and makes a user namespace, which
# cannot be done in a chroot: so it gets a mount namespace of its own with another root.
root=$lab_dir/root
mkdir "$root"
mount -t tmpfs none "$root"
mkdir "$root/proc" "$root/tmp"
mount -t proc none "$root/proc"
cp -a /lib* "$root"
cp "$(command -v passt)" "$root/passt"
start_passt() {
	rm -f "$root/tmp/sock"
	unshare -m sh -c 'cd "$0" && mount --move . / && exec chroot . /passt "$@"' "$root" -f -s /tmp/sock -i dummy0 --runas 0 -4 -t 127.0.0.1/2222:80 \
		>"$lab_dir/passt.log" 2>&1 &
	net_passt=$!
	net_n=0
	while ! grep -q ' 00010000 .* /tmp/sock$' /proc/net/unix; do # it listens
		[ $net_n -lt 100 ] || fail "passt does not start: $(tail -n 1 "$lab_dir/passt.log")"
		usleep 100000
		net_n=$((net_n + 1))
	done
}
# passt shows the guest the host's own address: it wants one.
[ -d /sys/class/net/dummy0 ] || ip link add dummy0 type dummy 2>/dev/null || tunctl -t dummy0 >/dev/null
ip addr add 10.8.0.2/24 dev dummy0
ip link set dummy0 up
ip route add default via 10.8.0.1
host_serves 127.0.0.1
echo hello >"$lab_dir/www/small"
start_passt
net_boot --device "net,backend=stream,path=$root/tmp/sock"
command_done net_lease
has '^lease: 10.8.0.2/24 via 10.8.0.1'
both_ways 10.8.0.1
guest_serves http://127.0.0.1:2222/blob
kill -9 $net_passt
wait $net_passt 2>/dev/null
command_done 'while [ "$(cat /sys/class/net/eth0/carrier)" = 1 ]; do usleep 100000; done'
grep -q 'the peer is gone' "$lab_messages" || fail "tenon does not say that the peer is gone"
start_passt
command_done 'while [ "$(cat /sys/class/net/eth0/carrier)" != 1 ]; do usleep 100000; done'
command_done 'net_fetch http://10.8.0.1:8080/small'
net_done
kill $net_passt
ip link del dummy0
umount "$root/proc" "$root"
