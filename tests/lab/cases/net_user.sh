# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# A stock driver on back end "user": DHCP, names, TCP both ways, a port that leads to the guest.
. /lab/caselib.sh
. /lab/netlib.sh
host_serves 127.0.0.1
echo 'nameserver 127.0.0.1' >/etc/resolv.conf
lab-dns 10.11.12.13 &
net_dns=$!
net_boot --device 'net,backend=user,hostname=labguest,forward=tcp:127.0.0.1:2222:80'
command_done net_lease
has '^lease: 10.0.2.15/24 via 10.0.2.2 dns 10.0.2.3$'
command_done 'ping -c 3 -W 10 10.0.2.2'
command_done 'nslookup -type=a www.tenon.test'
has '10\.11\.12\.13'
type_line 'nslookup -type=a no-such.tenon.test'
expect 'serve: done *'
has "can't find no-such"
both_ways 10.0.2.2
guest_serves http://127.0.0.1:2222/blob
kill $net_dns
net_done
