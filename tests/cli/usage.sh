#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage.sh TENON CONF: wrong command lines and wrong files end in one sentence on standard error,
# nothing on standard output and the documented exit code; help and versions go the other way.
set -uo pipefail

tenon=$(realpath "$1")
conf=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# refused CODE SENTENCE ARGUMENT...
refused() {
	local code=$1 sentence=$2 rc
	shift 2
	"$tenon" "$@" >out 2>err </dev/null
	rc=$?
	[ "$rc" = "$code" ] || fail "tenon $*: exit code $rc, wanted $code"
	[ "$(cat err)" = "tenon: $sentence" ] ||
		fail "tenon $*: said '$(cat err)', wanted 'tenon: $sentence'"
	[ ! -s out ] || fail "tenon $*: printed on standard output"
}

# prints TEXT ARGUMENT...: exit code 0, TEXT somewhere on standard output, standard error silent
prints() {
	local text=$1 rc
	shift
	"$tenon" "$@" >out 2>err </dev/null
	rc=$?
	[ "$rc" = 0 ] || fail "tenon $*: exit code $rc, wanted 0"
	grep -qF -- "$text" out || fail "tenon $*: no '$text' in the output"
	[ ! -s err ] || fail "tenon $*: said '$(cat err)'"
}

touch k initrd
cat >good.cfg <<'CFG'
payload: { kernel = "k"; };
devices = ( { type = "rng"; } );
CFG

refused 2 'a command is missing; see `tenon --help`'
refused 2 'unknown command "rnu" (did you mean "run"?); see `tenon --help`' rnu
refused 2 'unknown option "--versoin" (did you mean "--version"?); see `tenon --help`' --versoin
refused 2 'unknown option "--memroy" (did you mean "--memory"?); see `tenon run --help`' \
	run good.cfg --memroy 1G
refused 2 'option "--memory" wants a value; see `tenon run --help`' run good.cfg --memory
refused 2 'option "--timing" takes no value' run good.cfg --timing=yes
refused 2 'one argument too many: "two"; see `tenon check --help`' check good.cfg two
refused 2 'nothing to run: give a FILE or --kernel; see `tenon run --help`' run
refused 2 'option "--output" is missing; see `tenon bundle --help`' bundle --kernel k
refused 2 'cannot open the log file "/nowhere/log": No such file or directory' \
	run good.cfg --log-file /nowhere/log

for command in run check; do
	refused 2 'cannot read "none.cfg": No such file or directory' $command none.cfg
	refused 2 '--memory 5X: "memory" is "5X"; wanted a size from "1M" to "16T"' \
		$command --kernel k --memory 5X
	refused 2 '--cpus many: "vcpus" is "many"; wanted a number from 1 to 1024' \
		$command --kernel k --cpus many
	refused 2 '--kernel none: kernel: cannot open "none": No such file or directory' \
		$command --kernel none
	refused 2 '--set vm.memroy=1G: unknown setting "memroy" for vm (did you mean "memory"?)' \
		$command good.cfg --set vm.memroy=1G
	refused 2 '--device Rng: "type" is "Rng"; wanted at most 47 letters a-z, digits and -' \
		$command good.cfg --device Rng
	refused 2 '--device rng,name=rng: the name "rng" belongs to the device at good.cfg:2 already' \
		$command good.cfg --device rng,name=rng
done

printf 'vm: {\n  memory = 4294967296;\n};\n' >wide.cfg
refused 2 'wide.cfg:2: the number 4294967296 is too large to be read; write sizes and addresses as strings, other numbers with an L behind' \
	check wide.cfg
printf 'payload: { kernel = "k";\n  initrd = "none"; };\n' >missing.cfg
refused 2 'missing.cfg:2: initrd: cannot open "none": No such file or directory' check missing.cfg
mkdir -p sub && printf '@include "part.cfg"\n' >sub/vm.cfg && printf '\nvm: { vcpus = 0; };\n' >sub/part.cfg
refused 2 'sub/part.cfg:2: "vcpus" is the number 0; wanted a number from 1 to 1024' check sub/vm.cfg

prints 'usage: tenon COMMAND' --help
for command in run check plugins host bundle; do
	prints "usage: tenon $command" $command --help
	prints "$command" --help
done
prints 'tenon ' --version
prints 'plugin interface: ' --version -v

# The files that people start from are well formed: nothing but their payload may be missing.
for file in "$conf"/*.cfg; do
	[ -e "$file" ] || continue
	"$tenon" check "$file" --kernel k --initrd initrd >out 2>err </dev/null
	rc=$?
	grep -qE '\.cfg:[0-9]+: .*(unknown|wanted|syntax|twice|closed|too large)' err &&
		fail "check $file: $(cat err)"
	[ "$rc" -le 3 ] || fail "check $file: exit code $rc"
done

"$tenon" --help >/dev/full 2>err
[ $? = 1 ] || fail "output that cannot be written: exit code is not 1"
grep -qF 'cannot write to standard output' err || fail "output that cannot be written: $(cat err)"

[ $failures = 0 ] && echo "all as documented"
exit $((failures != 0))
