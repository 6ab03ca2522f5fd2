# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64
# Four CPUs as four cores: all online, and reachable by interrupts between processors.
. /lab/caselib.sh
check_guest --set vm.vcpus=4
has '^check online: 0-3$'
has '^check cores: 4$'
has '^check interrupts: CAL: +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+'
