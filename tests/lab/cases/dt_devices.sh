# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: aarch64 riscv64 emu
# A machine that its device tree describes, with a device of each kind, one CPU and 256 MiB: console,
# entropy, disk, network and sockets carry bytes both ways, twice, with a restart in place between;
# the tree that the guest got is the one that `tenon check` writes.
. /lab/caselib.sh
. /lab/netlib.sh
LAB_MIB=1
disk=$lab_dir/disk
head -c 1048576 /dev/urandom >"$disk"
disk_sum=$(sum_of "$disk")
host_serves 127.0.0.1
sockets serve unix:/tmp/dt_1000 >/tmp/serve &
server=$!

set -- --set payload.initrd=/lab/vsock.img \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve' \
	--device "block,path=$disk" --device net,backend=user --device vsock,cid=3,socket=/tmp/dt
tenon check /lab/vm.conf "$@" --dump-dtb "$lab_dir/check.dtb" >/dev/null 2>"$lab_dir/said" ||
	fail "tenon check: $(cat "$lab_dir/said")"
[ ! -s "$lab_dir/said" ] || fail "tenon check warned: $(cat "$lab_dir/said")"
boot "$@"
for turn in 1 2; do
	expect 'serve: ready'
	command_done '[ $(nproc) = 1 ] && grep -q virtio_rng /sys/class/misc/hw_random/rng_current'
	command_done '[ $(dd if=/dev/hwrng bs=512 count=2 iflag=fullblock 2>/dev/null | wc -c) = 1024 ]'
	command_done "dd if=/dev/vda of=/tmp/disk bs=64k skip=$((turn - 1)) count=16 2>/dev/null"
	type_line 'echo "disk: $(md5sum </tmp/disk)"'
	expect 'serve: done 0'
	[ $turn = 2 ] || has "^disk: $disk_sum "
	# The next turn reads from 64 KiB on, and finds there what is written now.
	command_done 'dd if=/tmp/disk of=/dev/vda bs=64k seek=1 count=15 conv=fsync 2>/dev/null'
	command_done '. /etc/net.sh; net_lease'
	command_done 'net_fetch http://10.0.2.2:8080/blob'
	command_done 'sockets echo vsock:2:1000 1'
	[ $turn = 2 ] || type_line reboot
done
[ "$(grep -c "^sum: $net_sum\$" "$lab_log")" = 2 ] || fail "a file came damaged over the network"
[ "$(grep -c '^sockets: 1048576 bytes there and back$' "$lab_log")" = 2 ] || fail "bytes were lost"

command_done 'echo tree-begins; base64 /sys/firmware/fdt; echo tree-ends'
sed -n '/^tree-begins$/,/^tree-ends$/p' "$lab_log" | sed '1d;$d' | base64 -d >"$lab_dir/guest.dtb"
said=$(fdtsame "$lab_dir/guest.dtb" "$lab_dir/check.dtb") || fail "$said"

type_line poweroff
ends_with 0
kill $server
killall httpd
