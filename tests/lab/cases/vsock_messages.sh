# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# SOCK_SEQPACKET between the guest's stock driver and programs of the host, begun by either: messages
# keep their boundaries, also those longer than a packet, and one side may close before the other.
. /lab/caselib.sh
messages serve unix:/tmp/vm_1000 >/tmp/serve &
server=$!
boot --set payload.initrd=/lab/vsock.img \
	--device vsock,cid=9,socket=/tmp/vm,seqpacket=/tmp/vm-seq \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
expect 'serve: ready'
command_done 'messages echo vsock:2:1000'
has '^messages: 211 there and back, up to 131072 bytes$'
type_line 'messages serve vsock:9:2000 &'
expect 'messages: serving'
said=$(timeout "$LAB_SILENCE" messages echo connect:/tmp/vm-seq:2000) || fail "messages: $said"
type_line poweroff
ends_with 0
kill $server
