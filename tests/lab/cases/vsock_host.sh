# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# Programs of the host connect to the guest's stock driver: by "CONNECT PORT" and by a mapped path.
. /lab/caselib.sh
boot --set payload.initrd=/lab/vsock.img \
	--device vsock,cid=7,socket=/tmp/vh,listen=1000:/tmp/vh-mapped \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve'
expect 'serve: ready'
type_line 'sockets serve vsock:7:1000 &'
expect 'sockets: serving'
host() { # ARGUMENT of sockets...
	said=$(timeout 600 sockets "$@") || fail "sockets $*: $said"
}
began=$(cut -d . -f 1 /proc/uptime)
host echo connect:/tmp/vh:1000 "${LAB_MIB:-8}"
echo "LAB $LAB_CASE: ${LAB_MIB:-8} MiB there and back in $(($(cut -d . -f 1 /proc/uptime) - began)) s"
host many connect:/tmp/vh:1000 500
host many unix:/tmp/vh-mapped 100
! timeout "$LAB_SILENCE" sockets echo connect:/tmp/vh:1001 1 || fail "a port where nobody listens answered"
type_line poweroff
ends_with 0
[ ! -e /tmp/vh ] || fail "the socket is still there"
