# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154,SC3045
# SPDX-License-Identifier: Apache-2.0
# A guest uses ports of every kind at once, in both directions: the terminal, a file, a pty, pipes, two
# ends of a unix socket, and a second console with a size of its own.
. /lab/caselib.sh
LAB_CONFIG=/lab/console_ports.conf

# The next line that somebody outside of the guest reads there.
reads() { # DESCRIPTOR WANTED
	IFS= read -r -t "$LAB_SILENCE" got <&"$1" || fail "waited for '$2' outside of the guest"
	[ "${got%"$lab_cr"}" = "$2" ] || fail "outside of the guest there is '$got', wanted '$2'"
}

boot
expect 'serve: ready'
command_done 'port() { echo /dev/vport*p"$1"; }'
command_done '[ "$(cat /sys/class/virtio-ports/*/name | grep . | sort | xargs)" = "agent log peer pipe second shell" ]'

# A pty: whoever has it open is seen by the guest, and so is that he has left.
exec 5<>"$lab_dir/shell"
printf 'typed at a pty\n' >&5
command_done 'read -r line <$(port 2) && [ "$line" = "typed at a pty" ]'
command_done 'echo shown at a pty >$(port 2)'
reads 5 'shown at a pty'
exec 5>&-
command_done '! read -r line <$(port 2)'

# Pipes.
exec 6<>"$lab_dir/pipe.in" 7<>"$lab_dir/pipe.out"
printf 'into a pipe\n' >&6
command_done 'read -r line <$(port 3) && [ "$line" = "into a pipe" ]'
command_done 'echo out of a pipe >$(port 3)'
reads 7 'out of a pipe'

# A socket, with the guest at both of its ends.
command_done 'exec 4<>$(port 4) 5<>$(port 5)'
command_done 'echo ping >&4; read -r line <&5 && [ "$line" = ping ]'
command_done 'echo pong >&5; read -r line <&4 && [ "$line" = pong ]'
command_done 'head -c 300000 /dev/urandom >/tmp/a'
command_done 'cat /tmp/a >&4 & head -c 300000 <&5 >/tmp/b; cmp /tmp/a /tmp/b'
command_done 'exec 4>&- 5>&-'

# The second console, whose size is not that of the first.
stty -F "$lab_dir/second" rows 33 cols 99
exec 8<>"$lab_dir/second"
command_done 'exec 6<>/dev/hvc1; until [ "$(stty size <&6)" = "33 99" ]; do usleep 10000; done'
command_done 'stty raw -echo <&6; echo hello >&6'
reads 8 hello
printf 'and back\n' >&8
command_done 'read -r line <&6 && [ "$line" = "and back" ]'

# The file, with all that was written.
command_done 'seq 1 500 >$(port 1); echo the end >$(port 1)'
type_line poweroff
ends_with 0
[ "$(wc -l <"$lab_dir/log")" = 501 ] || fail "the log has $(wc -l <"$lab_dir/log") lines, wanted 501"
[ "$(tail -n 1 "$lab_dir/log")" = 'the end' ] || fail "the log ends with '$(tail -n 1 "$lab_dir/log")'"
