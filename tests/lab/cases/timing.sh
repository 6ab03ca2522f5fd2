# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# --timing says where the time went, the guest's own marks included.
. /lab/caselib.sh
boot --timing
ends_with 0
has '^check end: ok$'
grep -qi 'guest' "$lab_messages" || grep -qi 'first guest instruction' "$lab_log" ||
	fail "nothing was said about the time to the guest's first instruction"
