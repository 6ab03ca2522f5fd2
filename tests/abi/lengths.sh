#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lengths.sh PROGRAMS MODULES PLUGINS: tables that are shorter or longer than today's, handed over in
# both directions: what is there works, what is not there is never touched.
set -uo pipefail
programs=$1 modules=$2 plugins=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}
head -c 4096 /dev/zero >firmware

# run MODULE: both of its devices, with a guest that uses them
run() {
	local module=$1 window line
	cat >vm.cfg <<-CFG
		vm: { hypervisor = "null"; };
		payload: { firmware = "firmware"; };
		devices = (
		  { type = "length"; plugin = "$modules/$module.so"; address = "0xd0010000"; },
		  { type = "length-virtio"; plugin = "$modules/$module.so"; } );
	CFG
	"$programs/tenon" check vm.cfg >out 2>err </dev/null || fail "$module, check: $(cat err)"
	window=$(awk '/virtio-mmio/ { sub(/-.*/, "", $1); print $1; exit }' out)
	line=$(awk '/virtio-mmio/ { v = 1 } v && $1 == "interrupt" { print $2 + 0; exit }' out)
	{
		echo 'mmio-read 0xd0010000 4 expect 4'
		echo 'mmio-write 0xd0010000 4 5'
		for write in 0x70=0 0x70=1 0x70=3 0x24=1 0x20=1 0x70=11 0x30=0 0x38=8 0x80=0x10000 \
			0x90=0x11000 0xa0=0x12000 0x44=1 0x70=15 0x50=0; do
			printf 'mmio-write %#x 4 %s\n' $((window + ${write%=*})) "${write#*=}"
		done
		echo "wait-irq $line"
		printf 'mmio-write %#x 4 0\n' $((window + 0x70)) # the driver's reset, then the machine's
		echo 'reset'
		echo 'mmio-read 0xd0010000 2 expect 2'
		echo 'off'
	} >script
	# Two bytes to type, then a file's end.
	printf 'ab' | TENON_NULL_SCRIPT=$work/script timeout 60 "$programs/tenon" run vm.cfg >out 2>err
	local rc=$?
	[ $rc = 0 ] || fail "$module, run: exit code $rc: $(cat err)"
	grep -q 'length-virtio: activated' err || fail "$module: not activated: $(cat err)"
}
spoke() { # TEXT YES-OR-NO
	if grep -q "length: $1" err; then
		[ "$2" = yes ] || fail "$module: $1, which its table does not hold"
	else
		[ "$2" = no ] || fail "$module: not $1: $(cat err)"
	fi
}
module=lengths-shorter
run $module
for what in written quiesced detached; do spoke $what no; done
module=lengths-longer
run $module
for what in written quiesced detached; do spoke $what yes; done

printf 'payload: { firmware = "firmware"; };\ndevices = ( { type = "length"; plugin = "%s"; } );\n' \
	"$modules/lengths-none.so" >vm.cfg
"$programs/tenon" check vm.cfg >out 2>err && fail "a plugin without devices was taken"
grep -qE "^tenon: (vm.cfg:2: )?$modules/lengths-none.so: its description has no id or no device classes$" err ||
	fail "a plugin without devices: $(cat err)"

# Cores whose tables are cut or have grown, with the plugins of today.
printf 'payload: { firmware = "firmware"; };\ndevices = ( { type = "rng"; }, { type = "serial"; } );\n' >vm.cfg
export TENON_PLUGIN_PATH=$plugins
"$programs/tenon-grown" check vm.cfg >out 2>err || fail "a core whose tables have grown: $(cat err)"
for type in rng serial; do
	printf 'payload: { firmware = "firmware"; };\ndevices = ( { type = "%s"; } );\n' $type >vm.cfg
	"$programs/tenon-cut" check vm.cfg >out 2>err && fail "$type took a core whose tables are cut"
	grep -qE "this core (lacks|has too little of) " err ||
		fail "$type on a core whose tables are cut: $(cat err)"
	grep -q 'the plugin does not start: Operation not supported' err ||
		fail "$type on a core whose tables are cut: $(cat err)"
done

[ $failures = 0 ] && echo "all lengths were honoured"
exit $((failures != 0))
