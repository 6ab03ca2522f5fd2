#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# breaks.sh SOURCE TENON: breaks a copy of the headers on purpose, in every way that the gates are
# there for, and wants the right gates to go red each time; growth at the end must leave all green.
# shellcheck disable=SC2317 # the gates are called by their names
set -uo pipefail
source=$1 tenon=$2
here=$source/tests/abi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
cases=0

# The gates, for the headers in $copy; called by their names.
gate_abidiff() { "$here/abidiff.sh" "$copy"; }
gate_layout() { cc -std=c17 -fsyntax-only -I"$copy" "$here/layout.c"; }
gate_headers() { "$here/headers.sh" "$copy" "tenon/$changed"; }
# Where these headers were the kept ones, the plugin built with them would not do on today's core.
gate_kept() {
	cc -std=gnu17 -shared -fPIC -fvisibility=hidden -I"$copy" -o "$work/sdk.so" \
		"$here/plugin-0.1.c" && "$here/kept.sh" "$tenon" "$work/sdk.so"
}

# breaks NAME "GATES THAT GO RED" FILE SED-SCRIPT
breaks() {
	local name=$1 red=$2 file=$3 script=$4 gate
	copy=$work/copy
	changed=$file
	rm -rf "$copy"
	cp -r "$source/sdk/include" "$copy"
	sed -i -E "$script" "$copy/tenon/$file"
	if [ -n "$script" ] && cmp -s "$copy/tenon/$file" "$source/sdk/include/tenon/$file"; then
		echo "FAIL: $name: changes nothing" >&2
		failures=$((failures + 1))
	fi
	for gate in abidiff layout headers kept; do
		if "gate_$gate" >"$work/log" 2>&1 </dev/null; then
			[[ " $red " == *" $gate "* ]] || continue
			echo "FAIL: $name: $gate stays green" >&2
		else
			[[ " $red " != *" $gate "* ]] || continue
			echo "FAIL: $name: $gate goes red: $(tail -n 3 "$work/log")" >&2
		fi
		failures=$((failures + 1))
	done
	cases=$((cases + 1))
}

breaks 'nothing' '' abi.h ''
# What is allowed: a table grows.
breaks 'append a function' '' clock.h \
	's/^(\tuint64_t \(\*realtime_ns\)\(void\);)/\1\n\tuint64_t (*boot_ns)(void);/'
breaks 'append to the host table' '' plugin.h \
	's/^(\tuint64_t \(\*conf_size\).*)/\1\n\tvoid (*trace)(struct tenon_dev *dev, const char *text);/'
breaks 'append to the class' '' plugin.h \
	's/^(\tuint32_t reserved; \/\* 0 \*\/)/\1\n\tint (*unplug)(struct tenon_dev *dev);/'
breaks 'append to the descriptor' '' plugin.h \
	's/^(\tconst struct tenon_device_class \*const \*devices;.*)/\1\n\tconst void *backends;/'
# What is not.
breaks 'insert a function in the middle' 'abidiff layout kept' mem.h \
	's/^(\tint \(\*write\).*)/\tint (*fill)(struct tenon_dev *dev, uint64_t gpa, size_t size);\n\1/'
breaks 'remove a function' 'abidiff layout kept' mem.h '/^\tvoid \(\*unmap\)/d'
breaks 'swap two functions' 'abidiff layout kept' notifier.h \
	's/^\tint \(\*create\)\(struct tenon_notifier \*\*ret_notifier\);/\tint (*SWAP)(const struct tenon_notifier *notifier);/; s/^\tint \(\*fd\)\(const struct tenon_notifier \*notifier\);/\tint (*create)(struct tenon_notifier **ret_notifier);/; s/SWAP/fd/'
breaks 'retype a member' 'abidiff layout' virtio.h 's/^\tuint16_t head;/\tuint32_t head;/'
breaks 'retype one and keep its size' 'abidiff' clock.h \
	's/^\tuint64_t \(\*realtime_ns\)/\tint64_t (*realtime_ns)/'
breaks 'retype an argument' 'abidiff' event.h \
	's/^(\tvoid \(\*timer_set\)\(struct tenon_timer \*timer, )uint64_t/\1int64_t/'
breaks 'rename a member' 'abidiff layout headers kept' plugin.h \
	's/\(\*fail\)\(/(*refuse)(/'
breaks 'append to a table without a size' 'abidiff layout' virtio.h \
	's/^(\tuint32_t generation;.*)/\1\n\tuint64_t more;/'
breaks 'change a constant' 'layout kept' plugin.h 's/(TENON_KEY_ENUM +)7u/\18u/'
breaks 'change a flag' 'layout kept' mmio.h 's/(define TENON_SPACE_MMIO )0u/\11u/'
breaks 'rename the symbol' 'abidiff kept' abi.h \
	's/(define TENON_PLUGIN_SYMBOL ).*/\1tenon_plugin_vx/'
breaks 'rename a service' 'kept' work.h 's,tenon.work/1,tenon.work/2,'
breaks 'move the note' 'abidiff layout kept' plugin.h 's/^\tchar id\[64\];/\tchar id[60];/'
breaks 'use an extension' 'headers' clock.h 's/^(struct tenon_clock \{)/struct tenon_empty { char none[0]; };\n\1/'
breaks 'need another header' 'headers' terminal.h '/include <tenon.abi.h>/d'
breaks 'end a declaration badly' 'abidiff layout headers kept' power.h 's/^\tvoid \(\*off\).*/\tvoid (*off)/'

# The gate of versions: a plugin that says another one is refused, see versions.sh.
breaks 'change the minor' 'kept' abi.h 's/(define TENON_ABI_MINOR ).*/\19/'

[ $failures = 0 ] && echo "breaks: $cases changes, each seen by the right gates"
exit $((failures != 0))
