# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# Runs cases, one after the other.  Sourced by whatever is process 1 where they run.

try_case() { # NAME
	rm -f /tmp/reason /tmp/silent
	rm -rf "/tmp/$1"
	mkdir -p "/tmp/$1"
	LAB_CASE=$1 sh "/lab/cases/$1.sh"
}

# QEMU's emulation of virtualisation delivers an interrupt twice now and then, and that
# guest is silent for ever (see tests/lab/run): silence alone is given a second chance, and is told,
# but for where there is no such excuse.
run_case() { # NAME
	echo "LAB case $1: begins"
	began=$(cut -d ' ' -f 1 /proc/uptime)
	try_case "$1"
	status=$?
	if [ $status != 0 ] && [ -e /tmp/silent ] && [ -z "${LAB_STRICT:-}" ]; then
		echo "LAB note: $1 fell silent ($(cat /tmp/reason)) and is tried once more"
		try_case "$1"
		status=$?
	fi
	took=$(echo "$(cut -d ' ' -f 1 /proc/uptime) $began" | awk '{ printf "%.1f s", $1 - $2 }')
	case $status in
	0) echo "LAB case $1: pass ($took)" ;;
	77) echo "LAB case $1: skip ($(cat /tmp/reason 2>/dev/null))" ;;
	*) echo "LAB case $1: fail ($(cat /tmp/reason 2>/dev/null || echo "status $status"))" ;;
	esac
	rm -rf "/tmp/$1"
}
