# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2059,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: aarch64 riscv64
# A guest that goes where there is no memory has died, which is 4, and a sentence says of what.
. /lab/caselib.sh
# Two instructions, and what else makes them an Image; numbers are bytes in octal.
image() { # MAGIC INSTRUCTION INSTRUCTION
	printf "$2$3"
	printf '\0\0\040\0\0\0\0\0' # goes to 2 MiB
	printf '\0\020\0\0\0\0\0\0' # takes 4096 bytes
	head -c 32 /dev/zero
	printf "$1"
	head -c 4036 /dev/zero
}
case $(uname -m) in
riscv64) # lui t0, 0x10000; jr t0
	image 'RSC\005' '\267\002\000\020' '\147\200\002\000' >"$lab_dir/image"
	wanted='*: the guest jumped to an address where there is no memory*'
	;;
aarch64) # mov x0, #0x10000000; ldp x1, x2, [x0]
	image 'ARM\144' '\000\000\242\322' '\001\010\100\251' >"$lab_dir/image"
	wanted='*: an instruction that KVM cannot take apart accessed 0x10000000, where there is no memory*'
	;;
esac
boot --set "payload.kernel=$lab_dir/image"
ends_with 4
grep -q ' pc=' "$lab_messages" || fail "its registers are not shown"
# shellcheck disable=SC2254
case $(cat "$lab_messages") in $wanted) ;; *) fail "tenon does not say what the guest did" ;; esac
