#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# wrong.sh TENON KERNEL MODULES: whatever is wrong is one sentence on standard error that names the
# place, nothing on standard output, and exit code 2 or 3 as tenon(1) says.
kernel=$(realpath "$2")
modules=$(realpath "$3")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
here=$work
export TENON_NULL_SCRIPT=$work/script
echo 'pio-write 0x604 1 0x34' >script

# refused CODE SENTENCE ARGUMENT...: the sentence is a pattern of bash
refused() {
	local code=$1 sentence=$2
	shift 2
	expect "$code" "tenon $*" "$tenon" "$@" && one_sentence "tenon $*"
	[[ $(cat err) == "tenon: "$sentence ]] ||
		fail "tenon $*: said '$(cat err)', wanted 'tenon: $sentence'"
	[ ! -s out ] || fail "tenon $*: printed '$(cat out)'"
}

# file CODE SENTENCE [ARGUMENT...]: as refused, with vm.cfg from standard input
file() {
	local code=$1 sentence=$2
	shift 2
	cat >vm.cfg
	refused "$code" "$sentence" run vm.cfg "$@"
}

run=(run --kernel "$kernel" --hypervisor null)

# ---- memory, processors, hypervisor ----

head="payload: { kernel = \"$kernel\"; };"
file 2 'vm.cfg:2: the guest'\''s memory is 1048576 bytes, a whole number of MiB from 64M is wanted' <<<"$head
vm: { memory = \"1M\"; hypervisor = \"null\"; };"
file 2 'vm.cfg:2: the guest'\''s memory is 67112960 bytes, *' <<<"$head
vm: { memory = \"65540K\"; hypervisor = \"null\"; };"
[[ ${SANITIZED:-} == thread ]] || # it has no room for that much
	refused 3 "the guest's memory ends at 0x*, this host maps 40 address bits" "${run[@]}" --memory 2T
file 3 'vm.cfg:2: 200 vcpus are wanted, this host can run 64' <<<"$head
vm: { vcpus = 200; hypervisor = \"null\"; };"
file 2 'vm.cfg:2: *"nulll"*' <<<"$head
vm: { hypervisor = \"nulll\"; };"
file 3 'vm.cfg:2: *hvf*' <<<"$head
vm: { hypervisor = \"hvf\"; };"
refused 2 '--hypervisor ../null: *' run --kernel "$kernel" --hypervisor ../null
TENON_NULL_ISA=riscv64 refused 3 \
	'*: hypervisor "null" runs riscv64 guests here, this one is for x86_64' "${run[@]}"
TENON_NULL_ISA=vax refused 3 'hypervisor "null": TENON_NULL_ISA is "vax", wanted *' "${run[@]}"
printf 'boo\n' >bad_script
TENON_NULL_SCRIPT=bad_script refused 3 'cannot create the VM: bad_script:1: unknown step "boo"' \
	"${run[@]}"
if [ -z "${SANITIZED:-}" ]; then # they map far more than the guest
	expect 3 "no room for the memory" bash -c 'ulimit -v 300000; exec "$@"' bash "$tenon" \
		"${run[@]}" --memory 512M
	one_sentence "no room for the memory"
fi

# Nobody but root and the group may open KVM, where there is one.
if [ -c /dev/kvm ] && [ "$(id -u)" = 0 ]; then
	mode=$(stat -c %a /dev/kvm)
	if [ "${mode: -1}" = 0 ]; then
		chmod 755 . && cp "$kernel" k && chmod 644 k
		base=$(dirname "$(dirname "$tenon")")
		if setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$base/bin/tenon"; then
			expect 3 "no right to KVM" setpriv --reuid 65534 --regid 65534 \
				--clear-groups "$tenon" run --kernel k --hypervisor kvm
			one_sentence "no right to KVM"
			says "no right to KVM" 'no right to open /dev/kvm: add the user to the group kvm'
		fi
	fi
fi

# ---- kernels ----

bad() { # SENTENCE [ARGUMENT...]: the file `k` is no kernel
	local sentence=$1
	shift
	refused 2 "$sentence" run --kernel k --hypervisor null "$@"
}
# patch OFFSET BYTES [FILE]
patch() {
	cp "${3:-$kernel}" k
	# shellcheck disable=SC2059 # the bytes are written with escapes
	printf "$2" | dd of=k bs=1 seek=$(($1)) conv=notrunc status=none
}
mkdir folder
mkfifo pipe
: >empty
refused 2 'kernel "folder" is not a file' run --kernel folder --hypervisor null
refused 2 'kernel "pipe" is not a file' run --kernel pipe --hypervisor null
refused 2 'kernel "empty" is empty' run --kernel empty --hypervisor null
refused 2 'initrd "empty" is empty' "${run[@]}" --initrd empty
echo 'not a kernel' >k && bad 'k: neither an ELF kernel nor a bzImage'
head -c 40 "$kernel" >k && bad 'k: the ELF header is cut short'
head -c 100 "$kernel" >k && bad 'k: the ELF program headers lie outside of the file'
head -c 4200 "$kernel" >k && bad 'k: an ELF segment lies outside of the file'
patch 4 '\1' && bad 'k: a 64-bit little-endian ELF kernel is wanted'
patch 18 '\024' && bad 'k: an ELF file for machine 20, one for x86-64 (62) is wanted'
patch 16 '\1' && bad 'k: an ELF file that is not a program'
patch 32 '\377\377\377\377\377\377\377\377' && bad 'k: the ELF program headers lie outside of the file'
patch 54 '\1' && bad 'k: the ELF program headers lie outside of the file'
patch 64 '\7' && bad 'k: the ELF file has nothing to load'
patch 72 '\377\377\377\377\377\377\377\377' && bad 'k: an ELF segment lies outside of the file'
patch 88 '\0\0\0\0\1\0\0\0' && bad 'k: the kernel (0x* bytes at 0x100000000) does not fit into guest memory, *'
patch 88 '\0\0\377\377\377\377\377\377' && bad 'k: the kernel (*) does not fit into guest memory, *'
patch 104 '\377\377\377\377\377\377\377\177' && bad 'k: the kernel (*) does not fit into guest memory, *'
patch 88 '\0\160\0\0\0\0\0\0' && bad '*overlaps the kernel*'
patch 24 '\0\0\0\0\0\0\0\1' && bad 'k: the entry 0x* lies outside of what is loaded (0x100000-0x*)'
refused 2 '*`boot = "pvh"` is wanted, but the kernel has no PVH note (CONFIG_PVH)' "${run[@]}" \
	--set payload.boot=pvh
gzip -c "$kernel" | head -c 500 >k && bad 'k: cannot unpack the gzip data: it is damaged or cut short'
printf '\375' | cat - "$kernel" >k && bad 'k: neither an ELF kernel nor a bzImage'
printf '\3757zXZ\0junk' >k && bad 'k: cannot unpack the xz data: it is damaged or cut short'
printf '\050\265\057\375junk' >k && bad 'k: cannot unpack the zstd data: it is damaged or cut short'
{
	printf 'MZ\0\0zimg\377\377\377\0\377\0\0\0'
	head -c 100 /dev/zero
} >k && bad 'k: the packed kernel of an EFI zboot image lies outside of the file'

# A bzImage: its setup header is at 0x1f1, its version at 0x206.
bzimage() {
	head -c 8192 /dev/zero >bz
	printf '\125\252' | dd of=bz bs=1 seek=510 conv=notrunc status=none
	printf '\152\1HdrS\17\2' | dd of=bz bs=1 seek=512 conv=notrunc status=none
	printf '\1' | dd of=bz bs=1 seek=$((0x211)) conv=notrunc status=none
	printf '\0\0\40\0' | dd of=bz bs=1 seek=$((0x230)) conv=notrunc status=none
	printf '\1\0' | dd of=bz bs=1 seek=$((0x236)) conv=notrunc status=none
	printf '\0\0\0\1' | dd of=bz bs=1 seek=$((0x258)) conv=notrunc status=none
}
bzimage
expect 0 "a bzImage" "$tenon" run --kernel bz --hypervisor null
patch 0x206 '\13\2' bz && bad 'k: a kernel of boot protocol 2.11, 2.12 or newer (Linux 3.8) is wanted'
patch 0x236 '\0' bz && bad 'k: a 32-bit kernel, a 64-bit one is wanted'
patch 0x211 '\0' bz && bad 'k: a zImage that loads low, a bzImage is wanted'
patch 0x230 '\3' bz && bad "k: the setup header's kernel_alignment is no power of two"
patch 0x258 '\0\0\0\377' bz && bad 'k: the kernel (*) does not fit into guest memory, *'
patch 0x260 '\377\377\377\377' bz && bad 'k: the kernel (*) does not fit into guest memory, *'
head -c 600 bz >k && bad 'k: the bzImage is cut short'
head -c 2600 bz >k && bad 'k: the bzImage ends before its kernel begins'
refused 2 'bz: `boot = "pvh"` is wanted, but only an ELF kernel (vmlinux) has that entry, not a bzImage' \
	run --kernel bz --hypervisor null --set payload.boot=pvh

# ---- what goes with a kernel ----

truncate -s 80M big
refused 2 'big: the initrd: no room for 0x5000000 bytes below 0x100000000 in 64 MiB of guest memory' \
	"${run[@]}" --memory 64M --initrd big
refused 2 'the command line has 70000 bytes, at most 65535 fit' \
	"${run[@]}" --append "$(printf 'x%.0s' {1..70000})"
expect 0 "the longest command line" "$tenon" "${run[@]}" --append "$(printf 'x%.0s' {1..65535})"
truncate -s 17M firmware
refused 2 'firmware: firmware of 17825792 bytes, *' run --firmware firmware --hypervisor null
truncate -s 1M firmware
refused 2 'firmware: firmware of 1048576 bytes, at most 256 KiB fit below 4 GiB' \
	run --firmware firmware --hypervisor null
refused 2 'cannot load bundle: *' run --bundle "$kernel" --hypervisor null
refused 2 'bundle "*plain.so" does not export krunfw_get_kernel' \
	run --bundle "$modules/plain.so" --hypervisor null
head -c 3000 "$modules/plain.so" >cut.so
refused 2 'bundle "cut.so" is cut short: a part of it is missing' \
	run --bundle cut.so --hypervisor null

# ---- addresses and interrupts ----

conflict() { # SENTENCE FIRST SECOND: two devices
	file 2 "$1" <<<"$head
vm: { hypervisor = \"null\"; };
devices = (
  { type = \"rng\"; $2 },
  { type = \"rng\"; $3 }
);"
}
conflict 'vm.cfg:5: rng1: address 0xd0000000 (4096 bytes) is taken' \
	'address = "0xd0000000";' 'address = "0xd0000000";'
conflict 'vm.cfg:4: rng: address 0x100000 is not a multiple of 4096 from 0xd0000000 to 0xfdffffff, *' \
	'address = "0x100000";' ''
conflict 'vm.cfg:5: rng1: address 0xfec00000 is not *' '' 'address = "0xfec00000";'
conflict 'vm.cfg:5: rng1: address 0xd0000800 is not *' '' 'address = "0xd0000800";'
conflict 'vm.cfg:5: rng1: address 0xfffffffffffff000 is not *' '' 'address = "0xfffffffffffff000";'
conflict 'vm.cfg:4: rng: interrupt line 24 is not one that a device may have; the last is 23' \
	'irq = 24;' ''
conflict 'vm.cfg:4: rng: interrupt line 9 is not one that a device may have; *' 'irq = 9;' ''
conflict 'vm.cfg:4: rng: interrupt line 1023 is not *' 'irq = 1023;' ''
file 2 'vm.cfg:4: power: interrupt line 7 is taken' <<<"$head
vm: { hypervisor = \"null\"; };
devices = ( { type = \"rng\"; irq = 7; },
  { type = \"power\"; irq = 7; } );"
file 2 'vm.cfg:4: power1: port 0x604 (4 bytes) is taken' <<<"$head
vm: { hypervisor = \"null\"; };
devices = ( { type = \"power\"; },
  { type = \"power\"; } );"
file 2 'vm.cfg:3: serial: port 0x10000 is past the last one (0xffff)' <<<"$head
vm: { hypervisor = \"null\"; };
devices = ( { type = \"serial\"; address = \"0x10000\"; } );"
file 2 'vm.cfg:3: rng: cannot open the source "none": No such file or directory' \
	<<<"$head
vm: { hypervisor = \"null\"; };
devices = ( { type = \"rng\"; source = \"none\"; } );"
threads=$(for ((i = 0; i < 33; i++)); do printf '{ type = "rng"; iothread = "t%d"; },' $i; done)
file 2 '*33 iothreads are named, at most 32 may be' <<<"$head
vm: { hypervisor = \"null\"; };
devices = ( ${threads%,} );"

# ---- plugins ----

# An installation without one of the packages.
mkdir -p bare/bin bare/lib
cp "$tenon" bare/bin/tenon
cp -rs "$(dirname "$(dirname "$tenon")")/lib/tenon" bare/lib/tenon
rm bare/lib/tenon/*/gpu.so
tenon=$work/bare/bin/tenon refused 3 \
	'--device gpu,path=x: device type "gpu" is not installed (package tenon-gpu brings it)' \
	"${run[@]}" --device gpu,path=x
refused 2 '--device nosuch: *"nosuch"*' "${run[@]}" --device nosuch
refused 2 '--device rgn: *did you mean "rng"?*' "${run[@]}" --device rgn
plugin() { # CODE SENTENCE MODULE [SETTINGS]
	local type=plain
	[ "$3" = stages ] && type=stages
	cp "$modules/$3.so" module.so 2>/dev/null
	file "$1" "$2" <<<"$head
vm: { hypervisor = \"null\"; };
devices = ( { type = \"$type\";
  plugin = \"./module.so\"; ${4:-} } );"
}
at='vm.cfg:4: '$here'/module.so:'
plugin 3 "$at built for ABI 0.0, this core has 0.1: rebuild it" old_abi
plugin 3 "$at built for ABI 7.3, this core has 0.1: rebuild it" lying_note
plugin 3 "$at not a plugin: it has no \"tenon\" note" no_note
plugin 3 "$at not a plugin of this version: it does not export \"tenon_plugin_v0\"" no_symbol
plugin 3 "vm.cfg:4: cannot load plugin: $here/module.so: undefined symbol: tenon_test_nowhere" undefined
plugin 3 "vm.cfg:4: cannot load plugin: $here/module.so: libgone.so: cannot open shared object file: *" \
	missing_library
plugin 3 "$at the plugin does not start: Operation not supported" bad_init
plugin 3 "$at one of its device classes is malformed" bad_class
plugin 3 "$at plain: setting \"address\" of the plugin: the name belongs to the core" bad_keys
echo 'not a plugin' >module.so
plugin 3 "$at not a plugin: it has no \"tenon\" note" none
head -c 3000 "$modules/plain.so" >module.so
plugin 3 "$at cut short: a part of it is missing" none
cp "$modules/plain.so" module.so && printf '\267' | dd of=module.so bs=1 seek=18 conv=notrunc status=none
plugin 3 "$at built for another kind of CPU" none
rm module.so && mkfifo module.so
plugin 3 "$at not a plugin: it has no \"tenon\" note" none
rm module.so
plugin 2 'vm.cfg:4: there is no plugin "./module.so"' none
cp "$modules/stages.so" module.so
plugin 2 'vm.cfg:3: plugin "*module.so" has no device type "plain"' none
for what in create attach start; do
	plugin 3 "vm.cfg:3: stages: asked to fail to $what" stages "fail = \"$what\";"
	plugin 3 "vm.cfg:3: stages: cannot $what it: Input/output error" stages \
		"fail = \"$what\"; silent = true;"
done
plugin 3 "vm.cfg:3: stages: asked to fail to describe" stages 'fail = "describe";'
printf 'pio-write 0x606 1 1\n' >script
plugin 3 "vm.cfg:3: stages: asked to fail to quiesce" stages 'fail = "quiesce";'
plugin 3 "vm.cfg:3: stages: asked to fail to resume" stages 'fail = "resume";'
echo 'pio-write 0x604 1 0x34' >script

# The same sentences from `tenon check`, which makes no VM.
for code_and_file in '2 1M' '2 65540K'; do
	cat >vm.cfg <<<"$head
vm: { memory = \"${code_and_file#* }\"; };"
	refused "${code_and_file%% *}" 'vm.cfg:2: the guest*' check vm.cfg
done

# What is right stays right.
cp "$modules/plain.so" module.so
expect 0 "a plugin of one's own" "$tenon" "${run[@]}" --device plain,plugin=./module.so
expect 0 "a plugin on the path" env TENON_PLUGIN_PATH="$here" "$tenon" "${run[@]}" --device plain

finish
