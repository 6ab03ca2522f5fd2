#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# conformance.sh TENON CHECK FRONT_END TYPE [KEY=VALUE...]: the conformance suite and the hostile
# driver against a device that is lent, the front end between; in a VALUE, @ is a folder.
tenon=$1 check=$2 front_end=$3 type=$4
shift 4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
truncate -s 8M "$folder/disk"

fail() {
	echo "FAILED: $*" >&2
	[ -z "$served" ] || kill -KILL "$served" 2>/dev/null
	exit 1
}

served=
exec 8> >(cat >"$folder/ready")
"$tenon" serve "$type" --socket "$folder/socket" --ready-fd 8 "${@//@/$folder}" \
	</dev/null >/dev/null 2>"$folder/log" &
served=$!
exec 8>&-
for ((i = 0; i < 2000; i++)); do
	grep -qs '^ready$' "$folder/ready" && break
	kill -0 $served 2>/dev/null || fail "it does not start: $(cat "$folder/log")"
	sleep 0.01
done

# An answer is waited for; that none comes to what a hostile driver does is no news.
at() { # MS NAME
	"$check" --only "$2" --patience "$1" --timeout 240 --set "vhost-user.socket=$folder/socket" \
		--set "vhost-user.device=$type" "$front_end" | tee "$folder/report" >&2
	[ "${PIPESTATUS[0]}" = 0 ] || fail "$2: $(tail -3 "$folder/log")"
	grep -q "^ok  *$2 .*vhost-user: [1-9]" "$folder/report" || fail "$2: it was not tried"
}
at 100 conformance
at 8 hostile

kill -TERM $served || fail "it is gone: $(tail -3 "$folder/log")"
wait $served || fail "its exit code is $?: $(tail -3 "$folder/log")"
! grep -qE 'Sanitizer|runtime error' "$folder/log" || fail "$(cat "$folder/log")"
