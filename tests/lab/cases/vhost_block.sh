# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# A disk that qemu-storage-daemon serves: what the guest writes is in the image, what is in the image
# the guest reads; and the daemon is killed in the middle and comes back.
. /lab/vhostlib.sh
needs_back_end qemu-storage-daemon qemu-utils
truncate -s 16M "$lab_dir/disk.img"
dd if=/dev/urandom of="$lab_dir/data" bs=64k count=32 2>/dev/null
dd if="$lab_dir/data" of="$lab_dir/disk.img" conv=notrunc 2>/dev/null
start_daemon() {
	start_back_end qemu-storage-daemon \
		--blockdev driver=file,node-name=d,filename="$lab_dir/disk.img" \
		--export "type=vhost-user-blk,id=e,node-name=d,addr.type=unix,addr.path=$lab_dir/sock,writable=on"
}
start_daemon
boot_front_end device=block
command_done '[ "$(cat /sys/block/vda/size)" = 32768 ]'
sum=$(sha256sum <"$lab_dir/data")
command_done "[ \"\$(dd if=/dev/vda bs=64k count=32 2>/dev/null | sha256sum)\" = '$sum' ]"
command_done 'dd if=/dev/vda of=/dev/vda bs=64k count=32 seek=64 conv=notrunc,fsync 2>/dev/null'
[ "$(dd if="$lab_dir/disk.img" bs=64k count=32 skip=64 2>/dev/null | sha256sum)" = "$sum" ] ||
	fail "what the guest has written is not in the image"
# The daemon dies while the guest writes, and another takes over.
type_line 'echo begins; dd if=/dev/vda of=/dev/vda bs=4k count=512 seek=2048 conv=notrunc,fsync 2>/dev/null'
expect 'begins'
kill -9 "$back_end"
wait "$back_end" 2>/dev/null
start_daemon
expect 'serve: done *'
[ "$line" = 'serve: done 0' ] || fail "writing failed when the back end was killed"
[ "$(dd if="$lab_dir/disk.img" bs=4k count=512 skip=2048 2>/dev/null | sha256sum)" = "$sum" ] ||
	fail "what was written over the death of the back end is not in the image"
type_line poweroff
ends_with 0
grep -q 'the back end is lost' "$lab_messages" || fail "nothing was said of the back end's death"
kill "$back_end"
