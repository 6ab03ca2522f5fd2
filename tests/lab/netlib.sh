# shellcheck shell=dash disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# The host's side of the network cases; they source it after caselib.sh.
LAB_MIB=${LAB_MIB:-16} # carried in each direction

# A file of LAB_MIB at http://ADDRESS:8080/blob; its sum is in $net_sum.
host_serves() { # ADDRESS
	mkdir -p "$lab_dir/www"
	# Not the same everywhere, and made fast: a random MiB, each copy with a number before it.
	dd if=/dev/urandom of="$lab_dir/mib" bs=1M count=1 2>/dev/null
	net_n=0
	while [ $net_n -lt "$LAB_MIB" ]; do
		printf '%016d' $net_n
		tail -c 1048560 "$lab_dir/mib"
		net_n=$((net_n + 1))
	done >"$lab_dir/www/blob"
	net_sum=$(sum_of "$lab_dir/www/blob")
	httpd -p "$1:8080" -h "$lab_dir/www"
}

sum_of() { # FILE
	md5sum <"$1" | cut -d ' ' -f 1
}

# How a file differs from what was served, in words.
told_apart() { # FILE
	echo "$(stat -c %s "$1") bytes of $(stat -c %s "$lab_dir/www/blob"), $(cmp "$1" "$lab_dir/www/blob" 2>&1 || :)"
}

net_boot() { # ARGUMENT of `tenon run`...
	boot --set 'payload.cmdline=console=hvc0 quiet panic=-1 noxsave tenon.mode=serve' "$@"
	expect 'serve: ready'
	command_done '. /etc/net.sh; net_driver'
	has '^driver: virtio_net '
}

# As command_done, for one that says nothing for minutes.
long_command() { # COMMAND
	type_line "$1"
	expect 'serve: done *' $((300 + LAB_MIB * 10))
	[ "$line" = 'serve: done 0' ] || fail "'$1' failed in the guest"
}

# The guest takes the file from the host, and gives it back; a long silence is in order.
both_ways() { # HOST'S ADDRESS AS THE GUEST KNOWS IT
	net_began=$(cut -d . -f 1 /proc/uptime)
	long_command "net_fetch http://$1:8080/blob"
	has "^sum: $net_sum\$"
	echo "LAB $LAB_CASE: $LAB_MIB MiB to the guest in $(($(cut -d . -f 1 /proc/uptime) - net_began)) s"
	net_began=$(cut -d . -f 1 /proc/uptime)
	# Its input must not end, or it would close the connection.
	[ -p "$lab_dir/never" ] || mkfifo "$lab_dir/never"
	exec 5<>"$lab_dir/never"
	nc -l -p 9000 >"$lab_dir/back" <&5 2>/dev/null &
	net_listener=$!
	net_n=0
	while ! grep -q ':2328 .* 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null; do # it listens
		[ $net_n -lt 100 ] || fail "nc does not listen"
		usleep 50000
		net_n=$((net_n + 1))
	done
	long_command "net_send $1 9000"
	wait $net_listener
	[ "$(sum_of "$lab_dir/back")" = "$net_sum" ] || fail "the file came back damaged: $(told_apart "$lab_dir/back")"
	echo "LAB $LAB_CASE: $LAB_MIB MiB from the guest in $(($(cut -d . -f 1 /proc/uptime) - net_began)) s"
}

# The host takes the file from the guest's own server.
guest_serves() { # URL
	command_done 'net_serve 80'
	wget -q -O "$lab_dir/served" "$1" || fail "the guest's server cannot be reached"
	[ "$(sum_of "$lab_dir/served")" = "$net_sum" ] || fail "the guest's server sent other bytes"
}

net_done() {
	killall httpd 2>/dev/null
	type_line poweroff
	ends_with 0
}
