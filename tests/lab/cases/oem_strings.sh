# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# Strings of the configuration reach the guest in SMBIOS type 11.
. /lab/caselib.sh
LAB_CONFIG=/lab/oem_strings.conf
boot
expect 'serve: ready'
command_done "grep -q 'tenon-lab:first' /sys/firmware/dmi/tables/DMI"
command_done "grep -q 'tenon-lab:second' /sys/firmware/dmi/tables/DMI"
type_line poweroff
ends_with 0
