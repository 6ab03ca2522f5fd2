# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: x86_64 aarch64
# A command line of 60 KiB: the kernel keeps as much as it has room for, and starts.
. /lab/caselib.sh
filler=$(head -c 61000 /dev/zero | tr '\0' x)
check_guest --set "payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=check tenon.filler=$filler"
has '^check cmdline_bytes: (204[0-9]|[0-9]{5,})$'
