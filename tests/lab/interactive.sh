# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# The interactive half of `run`, which sources it: the emulated machine's serial line is this
# terminal, and what a serial line cannot carry (the size of the window, the wish to stop) goes over
# a second one.  A boot that falls silent is ended.

# Says what a person wants to the emulated machine; see follow_orders in l1/init.
give_order() { # WORD...
	echo "$*" >&"$orders"
}

give_size() {
	local size
	! size=$(stty size 2>/dev/null) || give_order "size $size"
}

# The first wish to stop is the guest's to fulfil, the second is not.
stop_machine() {
	if [ -z "$asked_to_stop" ]; then
		asked_to_stop=1
		give_order stop
	else
		kill "$machine_pid" 2>/dev/null || true
	fi
}

# Until the guest has said that it is up, it may not be silent for long.
watch_boot() { # LOG
	local before=-1 now quiet=0
	until grep -qE 'Leave with|: ready|LAB tenon ended' "$1"; do
		sleep 1
		kill -0 "$machine_pid" 2>/dev/null || return 0
		now=$(stat -c %s "$1")
		[ "$now" = "$before" ] && quiet=$((quiet + 1)) || quiet=0
		before=$now
		if [ $quiet -ge "$silence" ]; then
			touch "$work/silent"
			kill "$machine_pid"
			return 0
		fi
	done
}

wait_for_machine() {
	while kill -0 "$machine_pid" 2>/dev/null; do
		wait "$machine_pid" || true # a trapped signal ends the waiting, not the machine
	done
}

# Never returns.
interactive() { # ARGUMENT of `tenon run`...
	local size saved='' log=$build/lab/interactive.log status asked_to_stop=''

	append+=" lab.interactive=/lab/interactive.conf"
	[ $# = 0 ] || append+=" lab.args=$(printf '%q ' "$@" | base64 -w 0)"
	! size=$(stty size 2>/dev/null) || append+=" lab.rows=${size% *} lab.cols=${size#* }"
	if [ -t 0 ]; then
		saved=$(stty -g)
		# The guest's line ends are complete; QEMU leaves this flag as it finds it.
		stty -onlcr
		trap 'stty "$saved"; rm -rf "$work"' EXIT
	fi

	mkdir -p "$build/lab"
	: >"$log"
	mkfifo "$work/orders.in" "$work/orders.out"
	exec {orders}<>"$work/orders.in"
	"${machine[@]}" -append "$append" \
		-chardev "stdio,id=console,signal=off,logfile=$log" -serial chardev:console \
		-chardev "pipe,id=orders,path=$work/orders" -serial chardev:orders \
		<&0 2>"$work/qemu.log" &
	machine_pid=$!
	trap give_size WINCH
	trap stop_machine TERM INT HUP
	watch_boot "$log" &
	wait_for_machine
	[ -z "$saved" ] || stty "$saved"

	if [ -e "$work/silent" ]; then
		echo "lab: nothing was heard for $silence s while the guest was to boot: start it again" >&2
		exit 1
	fi
	status=$(sed -n 's/.*LAB tenon ended with \([0-9]*\).*/\1/p' "$log" | tail -n 1)
	[ -n "$status" ] || {
		grep -v "TCG doesn't support requested feature" "$work/qemu.log" >&2
		echo "lab: the emulated machine ended before tenon did" >&2
		exit 1
	}
	exit "$status"
}
