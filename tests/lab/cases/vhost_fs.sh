# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# A folder that virtiofsd serves: the guest mounts it, and files go both ways.
. /lab/vhostlib.sh
needs_back_end virtiofsd qemu-system-common
mkdir -p "$lab_dir/shared/sub"
dd if=/dev/urandom of="$lab_dir/shared/from-host" bs=10k count=30 2>/dev/null
start_back_end virtiofsd --socket-path="$lab_dir/sock" -o source="$lab_dir/shared" \
	-o sandbox=chroot --thread-pool-size=2
boot_front_end device=fs,tag=shared
command_done 'mkdir -p /mnt && mount -t virtiofs shared /mnt'
sum=$(sha256sum <"$lab_dir/shared/from-host")
command_done "[ \"\$(sha256sum </mnt/from-host)\" = '$sum' ]"
command_done 'cat /mnt/from-host /mnt/from-host >/mnt/sub/from-guest && sync'
[ "$(cat "$lab_dir/shared/from-host" "$lab_dir/shared/from-host" | sha256sum)" = \
	"$(sha256sum <"$lab_dir/shared/sub/from-guest")" ] || fail "the guest's file is not right here"
echo later >"$lab_dir/shared/later"
command_done '[ "$(cat /mnt/later)" = later ]'
command_done 'rm /mnt/from-host && umount /mnt'
[ ! -e "$lab_dir/shared/from-host" ] || fail "what the guest has removed is still there"
type_line poweroff
ends_with 0
