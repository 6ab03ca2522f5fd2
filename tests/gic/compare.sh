#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compare.sh OURS GUEST: what the walk says of our GICv3, and what it says of QEMU's.
set -uo pipefail

command -v qemu-system-aarch64 >/dev/null || {
	echo "compare: there is no qemu-system-aarch64"
	exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$1" >"$work/ours" || exit 1
# One vCPU at a time: those that wait for the other one give it their turn.
timeout 100 qemu-system-aarch64 -accel tcg,thread=single -M virt,gic-version=3 -cpu cortex-a57 \
	-smp 2 -m 64M -display none -monitor none -serial "file:$work/qemu" -kernel "$2" || {
	echo "compare: the walk through QEMU's did not come to its end" >&2
	exit 1
}
words=$(wc -l <"$work/ours")
[ "$words" -gt 10000 ] || {
	echo "compare: the walk says $words words, more than 10000 are wanted" >&2
	exit 1
}
# seed, step, what was asked (see walk.c), the answer
diff "$work/ours" "$work/qemu" >"$work/diff" || {
	echo "compare: $(grep -c '^<' "$work/diff") of $words words differ:" >&2
	head -20 "$work/diff" >&2
	exit 1
}
echo "compare: $words words, all alike"
