#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sbi.sh TENON GUEST: a machine of four harts with the emulator, whose guest tries all of the
# firmware's calls, harts and interrupts, and reboots once.
guest=$(realpath "$2")
# shellcheck source=tests/run/lib.sh
. "$(dirname "$(realpath "$0")")/../run/lib.sh"

cat >vm.cfg <<CFG
vm: { memory = "128M"; vcpus = 4; hypervisor = "emu"; };
payload: { kernel = "$guest"; };
devices = ( { type = "rtc"; } );
CFG
expect 0 "the firmware's calls" "$tenon" run vm.cfg
printf 'by bytes: x\ny\nagain\nby bytes: x\ny\npassed\n' >wanted
cmp -s out wanted || fail "it said '$(cat out)'"
silent "the firmware's calls"
finish
