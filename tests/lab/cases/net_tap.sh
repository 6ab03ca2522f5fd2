# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# A stock driver on a tap with two pairs of queues: offloads, TCP both ways, the host reaches the
# guest.
. /lab/caselib.sh
. /lab/netlib.sh
net_boot --set vm.vcpus=2 --device 'net,backend=tap,interface=lab0,queues=2'
ip addr add 10.7.0.1/24 dev lab0
ip link set lab0 up
host_serves 10.7.0.1
command_done 'net_address 10.7.0.2/24 10.7.0.1'
command_done 'ping -c 3 -W 10 10.7.0.1'
ping -c 3 -W 10 10.7.0.2 >/dev/null || fail "the guest does not answer"
command_done 'ls -d /sys/class/net/eth0/queues/rx-1'
both_ways 10.7.0.1
guest_serves http://10.7.0.2/blob
net_done
