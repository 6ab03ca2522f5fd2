#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# versions.sh PROGRAMS MODULES: modules and cores of other versions meet.  PROGRAMS holds `tenon` of
# today and those that pretend to be of another version (tenon-0.0, ...), MODULES the loud plugins.
# Every refusal is one sentence that names both versions, and runs no code of the module.
set -uo pipefail
programs=$1 modules=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}
head -c 4096 /dev/zero >firmware

# meet CORE MODULE RESULT LOUD...: what `tenon check` says of a machine that wants the module, and
# how far the module's code got ("" = not at all)
meet() {
	local core=$1 module=$2 wanted=$3 loud=$4 power='' rc
	# A core of another version needs a power device of its own.
	[ "$core" = tenon ] || power=", { type = \"power\"; plugin = \"$modules/power-${core#tenon-}.so\"; }"
	printf 'payload: { firmware = "firmware"; };\ndevices = ( { type = "%s"; plugin = "%s"; }%s );\n' \
		"${module%%-*}" "$modules/$module.so" "$power" >vm.cfg
	"$programs/$core" check vm.cfg >out 2>err </dev/null
	rc=$?
	[ "$(grep '^loud: ' err | tr '\n' ' ')" = "$loud" ] ||
		fail "$core with $module: ran '$(grep '^loud: ' err | tr '\n' ' ')', wanted '$loud'"
	grep -v '^loud: ' err >said
	if [ "$wanted" = fits ]; then
		[ "$rc-$(cat said)" = 0- ] || fail "$core with $module: $rc, $(cat said)"
		return
	fi
	[ $rc = 3 ] || fail "$core with $module: exit code $rc, wanted 3"
	# The place in the configuration may go first.
	[ "$(sed 's/^tenon: vm.cfg:[0-9]*: /tenon: /' said)" = "tenon: $modules/$module.so: $wanted" ] ||
		fail "$core with $module: '$(cat said)', wanted '$wanted'"
}
built() { echo "built for ABI $1, this core has $2: rebuild it"; }

meet tenon loud fits 'loud: loaded loud: init loud: create '
meet tenon loud-0.0 "$(built 0.0 0.1)" ''
meet tenon loud-0.2 "$(built 0.2 0.1)" ''
meet tenon loud-1.0 "$(built 1.0 0.1)" ''
meet tenon loud-1.1 "$(built 1.1 0.1)" ''
meet tenon loud-liar "$(built 0.2 0.1)" 'loud: loaded '
meet tenon loud-mute 'not a plugin of this version: it does not export "tenon_plugin_v0"' 'loud: loaded '

# Today's modules, and today's own devices, on a core that is one minor older or newer.
for version in 0.0 0.2 1.0 1.1; do
	meet "tenon-$version" loud "$(built 0.1 $version)" ''
	meet "tenon-$version" rng "$(built 0.1 $version)" ''
	meet "tenon-$version" "loud-$version" fits 'loud: loaded loud: init loud: create '
done

# A module that does not fit is listed with the reason, and stays silent.
TENON_PLUGIN_PATH=$modules "$programs/tenon" plugins >list 2>err || fail "tenon plugins"
for version in 0.0 0.2 1.0; do
	grep -qF "loud-$version.so: $(built $version 0.1)" list || fail "the list: $(cat list)"
done
[ ! -s err ] || fail "listing ran code: $(cat err)"

# By its type alone a fitting one is found behind those that do not fit; without one, the first of
# those is named.
printf 'payload: { firmware = "firmware"; };\ndevices = ( { type = "loud"; } );\n' >vm.cfg
TENON_PLUGIN_PATH=$modules "$programs/tenon" check vm.cfg >out 2>err || fail "by type: $(cat err)"
mkdir old
cp "$modules/loud-0.0.so" old
TENON_PLUGIN_PATH=$work/old "$programs/tenon" check vm.cfg >out 2>err && fail "by type: accepted"
grep -qF "old/loud-0.0.so: $(built 0.0 0.1)" err || fail "by type: $(cat err)"
grep -q '^loud: ' err && fail "by type: code ran"

# Moved with its libraries to where a multiarch system has them.
mkdir -p moved/bin moved/lib/apart/tenon/0
cp "$programs/tenon-apart" moved/bin/tenon
cp "$modules/loud.so" moved/lib/apart/tenon/0
moved/bin/tenon plugins >list
[ "$(grep -c "$work/moved/lib/apart/tenon/0/loud.so" list)" = 1 ] || fail "apart: $(cat list)"

[ $failures = 0 ] && echo "all versions met"
exit $((failures != 0))
