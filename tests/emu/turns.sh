#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# turns.sh TENON GUEST: a deterministic machine of four harts that race does the same three times,
# under load, too.
guest=$(realpath "$2")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/../run/lib.sh"

cat >vm.cfg <<CFG
vm: { memory = "128M"; vcpus = 4; hypervisor = "emu"; deterministic = true; };
payload: { kernel = "$guest"; };
CFG
expect 0 "the first time" "$tenon" run vm.cfg && mv out first
silent "the first time"
[ "$(wc -l <first)" = 7 ] || fail "it said '$(cat first)'"
expect 0 "the second time" "$tenon" run vm.cfg
cmp -s out first || fail "the second time differs: '$(diff first out)'"
(while :; do :; done) &
busy=$!
expect 0 "under load" "$tenon" run vm.cfg
kill $busy
cmp -s out first || fail "under load it differs: '$(diff first out)'"

# What the guest is told is the same each time, too.
for i in 1 2; do
	expect 0 "the tree" "$tenon" check vm.cfg --dump-dtb tree$i
done
cmp -s tree1 tree2 || fail "the trees differ"
expect 0 "another tree" "$tenon" check vm.cfg --set vm.deterministic=false --dump-dtb tree3
cmp -s tree1 tree3 && fail "a machine that is not deterministic gets no seeds"

# No other hypervisor promises it.
expect 3 "where it cannot be" "$tenon" run vm.cfg --hypervisor null
one_sentence "where it cannot be"
says "where it cannot be" 'vm.cfg:1: "deterministic" is wanted, the hypervisor "null" cannot'
finish
