#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oot.sh SOURCE BUILD GUEST: the example as its users have it.  Tenon is installed from the build
# tree and moved away; the example is copied out of the sources, and configured, built, tested and
# installed against the prefix alone.  Then a real VM has it: the guest keeps the watchdog and is
# switched off by it.  Exit code 77: everything but the VM, which this host cannot run.
set -uo pipefail
source=$1 build=$2 guest=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# must COMMAND...: shows what it printed when it fails
must() {
	"$@" >"$work/log" 2>&1 </dev/null && return
	cat "$work/log" >&2
	fail "$*"
}

# Of the sources nothing is in reach from here on but copies of the example and the guest.
must cmake --install "$build" --prefix "$work/installed"
mv "$work/installed" "$work/prefix"
cp -r "$source/sdk/example" "$work/example"
cp "$guest" "$work/guest"
cd "$work" || exit 1
# shellcheck disable=SC2123 # the programs of the prefix alone
export PATH=$work/prefix/bin:$PATH
unset CFLAGS CXXFLAGS LDFLAGS TENON_PLUGIN_PATH

# CMake
must cmake -S example -B made -DCMAKE_PREFIX_PATH="$work/prefix"
must cmake --build made
grep -qF -- "$source" made/CMakeCache.txt made/build.ninja made/Makefile \
	made/CMakeFiles/*/flags.make 2>/dev/null && fail "the example reaches into $source"
must ctest --test-dir made --no-tests=error --output-on-failure
ctest --test-dir made -N >tests
grep -q 'plugin-watchdog-check' tests || fail "no test checks the plugin: $(cat tests)"
grep -q 'plugin-watchdog-watchdog_test' tests || fail "the example's test is not run: $(cat tests)"
must cmake --install made --prefix "$work/prefix"
module=$(find prefix -name watchdog.so)
[ -n "$module" ] || fail "the example was not installed"
tenon-plugin-check --json "$module" >report || fail "tenon-plugin-check: $(cat report)"
grep -q '"failed": 0' report || fail "the report: $(cat report)"
tenon plugins >list || fail "tenon plugins"
grep -q '^watchdog  *1\.0 ' list || fail "tenon does not list it: $(cat list)"

# A compiler and pkg-config; the same file as C++
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name tenon.pc)")
export PKG_CONFIG_PATH
options=(-D_GNU_SOURCE -fPIC -fvisibility=hidden -shared "-Wl,-z,defs,-z,now,-z,relro")
# shellcheck disable=SC2046 # words
must cc $(pkg-config --cflags tenon) "${options[@]}" -o plain.so example/watchdog.c
# shellcheck disable=SC2046
must c++ -x c++ -std=c++17 $(pkg-config --cflags tenon) "${options[@]}" -o cpp.so example/watchdog.c
for module in plain cpp; do
	must tenon-plugin-check "$PWD/$module.so"
	TENON_TESTKIT_PLUGIN=$PWD/$module.so must made/tests/plugin-watchdog-watchdog_test
done

# A machine that has one
cat >vm.cfg <<'CFG'
vm: { memory = "64M"; hypervisor = "kvm"; };
payload: { kernel = "guest"; };
devices = (
	{ type = "watchdog"; address = "0xd0100000"; irq = 10; period = 40; action = "off"; },
	{ type = "serial"; }
);
CFG
must tenon check vm.cfg
if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
	echo "built, checked, tested and installed; there is no /dev/kvm to run it on"
	exit 77
fi
timeout 60 tenon run vm.cfg >out 2>err </dev/null
rc=$?
[ $rc = 0 ] || fail "tenon run: exit code $rc: $(cat out err)"
printf '%s\n' 'found the watchdog' 'it barked' 'it was petted' | diff - <(tr -d '\r' <out) ||
	fail "the guest said something else: $(cat err)"
grep -q 'watchdog: the guest hangs: nobody pets the watchdog' err || fail "it did not bite: $(cat err)"
echo "built with CMake and by hand, as C and as C++; checked, tested, installed, and run in a VM"
