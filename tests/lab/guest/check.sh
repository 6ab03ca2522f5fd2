# shellcheck shell=dash disable=SC2012
# SPDX-License-Identifier: Apache-2.0
# Prints what the kernel made of the machine, one "check NAME: VALUE" line each, for the cases to
# judge.  Sourced by init.

say_lines() { # NAME: every line of the input
	while IFS= read -r line; do echo "check $1: $line"; done
}

check_processor() {
	echo "check release: $(uname -r)"
	echo "check online: $(cat /sys/devices/system/cpu/online)"
	echo "check cpus: $(nproc)"
	echo "check cores: $(cat /sys/devices/system/cpu/cpu*/topology/core_id | sort -u | wc -l)"
	echo "check clocksource: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
}

check_memory() {
	echo "check memory_kib: $(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
	say_lines iomem </proc/iomem
	dmesg | sed -n 's/.*RAMDISK: \[mem \(0x[0-9a-f]*\)-\(0x[0-9a-f]*\)\]/check initrd: \1 \2/p'
}

check_boot() {
	echo "check cmdline_bytes: $(tr -d '\n' </proc/cmdline | wc -c)"
	echo "check cmdline_end: $(tr -d '\n' </proc/cmdline | tail -c 16)"
	dmesg -r | sed -n 's/^<[0-4]>/check warning: /p'
}

check_tables() {
	for table in /sys/firmware/acpi/tables/*; do
		[ ! -f "$table" ] || echo "check acpi: ${table##*/} $(wc -c <"$table")"
	done
	for table in /sys/firmware/dmi/tables/*; do
		[ ! -f "$table" ] || echo "check smbios: ${table##*/} $(wc -c <"$table")" \
			"$(hexdump -v -n 5 -e '1/1 "%02x"' "$table")"
	done
	for id in /sys/class/dmi/id/*; do
		[ ! -f "$id" ] || [ ! -r "$id" ] || echo "check dmi: ${id##*/} $(cat "$id")"
	done
	for type in /sys/firmware/dmi/entries/*; do
		[ ! -d "$type" ] || echo "check dmi_entry: ${type##*/}"
	done
}

check_devices() {
	for device in /sys/bus/virtio/devices/*; do
		[ -e "$device" ] || continue
		driver=$(readlink "$device/driver")
		echo "check virtio: ${device##*/} $(cat "$device/device") $(cat "$device/vendor")" \
			"$(cat "$device/status") $(cat "$device/features") ${driver##*/}"
	done
	echo "check virtio_count: $(ls /sys/bus/virtio/devices 2>/dev/null | wc -l)"
	say_lines interrupts </proc/interrupts
	echo "check consoles: $(cat /sys/class/tty/console/active)"
	[ ! -r /sys/class/misc/hw_random/rng_current ] ||
		echo "check hwrng: $(cat /sys/class/misc/hw_random/rng_current)"
	[ ! -c /dev/hwrng ] || echo "check hwrng_bytes:" \
		"$(dd if=/dev/hwrng bs=512 count=8 iflag=fullblock 2>/dev/null | wc -c)"
	sed -n 's/^N: Name="\(.*\)"/check input: \1/p' /proc/bus/input/devices
}

mode_check() {
	check_processor
	check_memory
	check_boot
	check_tables
	check_devices
	echo "check end: ok"
}
