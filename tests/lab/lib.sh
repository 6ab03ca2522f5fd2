# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the lab's scripts share: errors, the cache folder, and the making of an initramfs without
# being root.  Sourced, never run.

lab_die() {
	echo "lab: $*" >&2
	exit 1
}

lab_need() { # TOOL PACKAGE: the sentence says what mends it
	PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
		lab_die "'$1' is not installed; install it with: apt-get install $2"
}

lab_cache() {
	echo "${TENON_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tenon}/lab"
}

# The Debian name of an architecture, from either of its usual names.
lab_debian_arch() { # ARCH
	case $1 in
	amd64 | x86_64) echo amd64 ;;
	arm64 | aarch64) echo arm64 ;;
	riscv64) echo riscv64 ;;
	*) lab_die "unknown architecture '$1': wanted x86_64, aarch64 or riscv64" ;;
	esac
}

# Copies modules and what they depend on into TREE/modules and notes the order in which to load
# them.  A module that is built into the kernel, or that this kernel does not have, is passed over.
lab_add_modules() { # TREE ASSETS NAME...
	local tree=$1 assets=$2 name verb path file unpack
	shift 2
	mkdir -p "$tree/modules"
	touch "$tree/modules/order"
	for name in "$@"; do
		while read -r verb path _; do
			[ "$verb" = insmod ] || continue
			file=${path##*/}
			case $file in
			*.xz) unpack=(xz -dc) file=${file%.xz} ;;
			*.zst) unpack=(zstd -qdc) file=${file%.zst} ;;
			*.gz) unpack=(gzip -dc) file=${file%.gz} ;;
			*) unpack=(cat) ;;
			esac
			[ -e "$tree/modules/$file" ] || "${unpack[@]}" "$path" >"$tree/modules/$file"
			grep -qx "$file" "$tree/modules/order" || echo "$file" >>"$tree/modules/order"
		done < <(PATH=$PATH:/usr/sbin:/sbin modprobe -C /dev/null -d "$assets/modules" \
			-S "$(cat "$assets/version")" --show-depends "$name" 2>/dev/null || true)
	done
}

# busybox and the folders that every initramfs of the lab has.
lab_new_tree() { # TREE ASSETS
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,run,etc,root}
	cp "$2/busybox" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
}

# One member of a newc archive whose data are empty: this is how a device node gets into the
# archive although whoever builds it is not root.
lab_cpio_member() { # NAME MODE NLINK MAJOR MINOR
	local size=$((110 + ${#1} + 1))
	printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
		0 "$2" 0 0 "$3" 0 0 0 0 "$4" "$5" $((${#1} + 1)) 0 "$1"
	while [ $((size++ % 4)) != 0 ]; do printf '\0'; done
}

# Packs TREE into OUT, /dev/console included, and puts it in place in one step.
lab_pack() { # TREE OUT
	{
		lab_cpio_member dev 0040755 2 0 0
		lab_cpio_member dev/console 0020600 1 5 1
		lab_cpio_member 'TRAILER!!!' 0 1 0 0
		(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
			cpio --quiet -0 -o -H newc -R 0:0)
	} >"$2.$$"
	mv "$2.$$" "$2"
}
