# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# SMBIOS and ACPI tables are whole, and the kernel has nothing to say against them.
. /lab/caselib.sh
check_guest --set vm.vcpus=2 --set 'payload.cmdline=console=hvc0 panic=-1 tenon.mode=check'
for table in APIC DSDT FACP; do has "^check acpi: $table [0-9]+"; done
has '^check smbios: smbios_entry_point 24 5f534d335f$'
has '^check smbios: DMI [1-9]'
for type in 0-0 1-0 127-0; do has "^check dmi_entry: $type\$"; done
has '^check dmi: sys_vendor .'
has '^check iomem: fee00000-fee00fff : Local APIC'
has_not '^check interrupts: ERR: +[1-9]'
