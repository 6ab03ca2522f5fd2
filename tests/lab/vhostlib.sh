# shellcheck shell=dash disable=SC1091,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# What the cases of vhost-user share: back ends of others, and a guest that has their drivers.
. /lab/caselib.sh
back_end=''

needs_back_end() { # PROGRAM PACKAGE
	[ -x "/tenon/bin/$1" ] || skip "there is no $1 in the lab; install $2 on the machine"
}

# Starts a back end and waits till it listens at $lab_dir/sock.
start_back_end() { # COMMAND...
	rm -f "$lab_dir/sock"
	"$@" >"$lab_dir/back_end" 2>&1 3>&- 4<&- &
	back_end=$!
	tries=0
	until [ -S "$lab_dir/sock" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ] || ! kill -0 "$back_end" 2>/dev/null; then
			fail "the back end does not listen: $(cat "$lab_dir/back_end")"
		fi
		usleep 50000
	done
}

boot_front_end() { # SETTINGS
	boot --set payload.initrd=/lab/initrd-vhost.img \
		--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve' \
		--device "vhost-user,socket=$lab_dir/sock,timeout=20000,$1"
	expect 'serve: ready'
}
