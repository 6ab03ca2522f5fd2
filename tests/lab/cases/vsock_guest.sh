# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# The guest's stock driver connects to a unix socket of the host: bytes there and back compared one by
# one, many connections at once, and a port where nobody listens.
. /lab/caselib.sh
sockets serve unix:/tmp/vs_1000 >/tmp/serve &
server=$!
boot --set payload.initrd=/lab/vsock.img --device vsock,cid=3,socket=/tmp/vs \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
expect 'serve: ready'
type_line "sockets echo vsock:2:1000 ${LAB_MIB:-8}"
expect 'serve: done 0' 600
command_done 'sockets many vsock:2:1000 500'
command_done 'sockets many vsock:2:1000 500'
command_done '! sockets echo vsock:2:1001 1'
type_line poweroff
ends_with 0
kill $server
has "^sockets: $((${LAB_MIB:-8} * 1048576)) bytes there and back\$"
has '^sockets: 500 connections at once$'
has '^sockets: connect: Connection reset by peer$'
