# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# Two CPUs, both online, each taking its timer's interrupts.
. /lab/caselib.sh
check_guest --set vm.vcpus=2
has '^check online: 0-1$'
has '^check cpus: 2$'
has '^check interrupts: LOC: +[1-9][0-9]* +[1-9]'
