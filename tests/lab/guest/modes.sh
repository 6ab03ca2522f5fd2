# shellcheck shell=dash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# What the lab's guest can do, apart from the machine check.  Sourced by init.

# Typed in a shell, these act before the next prompt.
poweroff() { sync && /bin/busybox poweroff -f; }
reboot() { sync && /bin/busybox reboot -f; }

# Busybox's own init gives the shell a session and a controlling terminal, so that job control and
# Ctrl-C work.  Leaving the shell powers off.
mode_shell() {
	cat >/root/.shrc <<-RC
		PS1='root@$(uname -r):\w# '
		. /etc/modes.sh
	RC
	cat >/etc/shell <<-SHELL
		#!/bin/sh
		echo
		echo "This is Linux $(uname -r). Leave with 'poweroff'."
		cd /root
		ENV=/root/.shrc sh -i
		exec /bin/busybox poweroff -f
	SHELL
	chmod 755 /etc/shell
	echo "$tty::respawn:/etc/shell" >/etc/inittab
	exec $busybox init
}

mode_serve() {
	echo "serve: ready"
	while read -r line; do
		line=${line%"$(printf '\r')"}
		[ -n "$line" ] || continue
		eval "$line"
		echo "serve: done $?"
	done
	echo "serve: the console is at its end"
}

mode_exec() {
	echo "$exec_base64" | base64 -d >/tmp/exec.sh
	sh /tmp/exec.sh
	echo "exec: $?"
}

mode_crash() {
	echo c >/proc/sysrq-trigger
}

mode_hang() {
	echo "hang: ready"
	while :; do sleep 3600; done
}

virtio_class() { # ID of the virtio specification, as 0x0004
	case $(($1)) in
	1) echo net ;; 2) echo block ;; 3) echo console ;; 4) echo rng ;; 5) echo balloon ;;
	8) echo scsi ;; 9) echo 9p ;; 16) echo gpu ;; 18) echo input ;; 19) echo vsock ;;
	25) echo sound ;; 26) echo fs ;; 27) echo pmem ;; *) echo "class $(($1))" ;;
	esac
}

# A short walk through the machine, a line for each thing that is there.
tour() {
	echo "tour: kernel Linux $(uname -r)"
	echo "tour: hypervisor $(dmesg | sed -nE \
		's/.*Hypervisor detected: //p; s/.*(SBI implementation ID=[^ ]*).*/\1/p' | head -n 1)"
	echo "tour: cpus $(nproc)"
	echo "tour: memory $(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) KiB"
	for device in /sys/bus/virtio/devices/*; do
		[ -e "$device" ] || continue
		driver=$(readlink "$device/driver")
		echo "tour: device ${device##*/}: $(virtio_class "$(cat "$device/device")")," \
			"driver ${driver##*/}"
	done
	[ "$(cat /sys/class/tty/ttyS0/type 2>/dev/null || echo 0)" = 0 ] ||
		echo "tour: device ttyS0: serial, ports from $(cat /sys/class/tty/ttyS0/port)," \
			"interrupt $(cat /sys/class/tty/ttyS0/irq)"
	[ ! -c /dev/hwrng ] || echo "tour: hwrng $(dd if=/dev/hwrng bs=16 count=1 2>/dev/null |
		hexdump -v -e '1/1 "%02x"')"
	echo "tour: end"
}
