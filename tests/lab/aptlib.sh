# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Packages of other architectures and releases, by a private APT configuration that takes the mirror
# from the machine's own source lines and leaves the machine's package state alone.  Sourced, never
# run, after lib.sh; wants `work`, a folder that it may fill, `arch`, a Debian architecture, and
# `suite`.
# shellcheck disable=SC2154

# Where packages of an architecture come from: Debian 12, which has no riscv64.
apt_suite() { # ARCH
	case $1 in
	riscv64) echo trixie ;;
	*) echo bookworm ;;
	esac
}

# The mirrors that the machine's own APT sources name: "URI SUITE" lines, from both file formats.
own_sources() {
	local f
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -r "$f" ] || sed -n 's/^deb[[:space:]]\+\(\[[^]]*\][[:space:]]*\)\?//p' "$f" |
			awk '{ print $1, $2 }'
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ ! -r "$f" ] || awk '
			function flush(  i, j, n, m, u, s) {
				n = split(uris, u, " "); m = split(suites, s, " ")
				if (types ~ /(^| )deb( |$)/ && !off)
					for (i = 1; i <= n; i++)
						for (j = 1; j <= m; j++) print u[i], s[j]
				types = uris = suites = field = ""; off = 0
			}
			/^#/ { next }
			/^[[:space:]]*$/ { flush(); next }
			/^[^[:space:]]/ { field = tolower($1); sub(/^[^:]*:/, "") }
			field == "types:" { types = types " " $0 }
			field == "uris:" { uris = uris " " $0 }
			field == "suites:" { suites = suites " " $0 }
			field == "enabled:" && tolower($0) ~ /no|false|0/ { off = 1 }
			END { flush() }' "$f"
	done
}

# The private configuration in $work/apt, for this architecture and suite.
write_apt_config() {
	local apt=$work/apt uri of keys=/usr/share/keyrings/debian-archive-keyring.gpg options
	mkdir -p "$apt"/{lists/partial,cache/archives/partial,parts}
	options="arch=$arch"
	[ ! -r "$keys" ] || options+=" signed-by=$keys"
	own_sources | sort -u | while read -r uri of; do
		case $uri:$of in
		*/debian-security*:*-security* | *:*-security/updates)
			echo "deb [$options] $uri $suite-security main" ;;
		*/debian:* | */debian/:*) echo "deb [$options] $uri $suite main" ;;
		esac
	done | sort -u >"$apt/sources.list"
	[ -s "$apt/sources.list" ] ||
		lab_die "this machine's APT sources name no Debian mirror; add one to /etc/apt/sources.list"
	cat >"$apt/apt.conf" <<-CONF
		#clear APT::Architectures;
		#clear APT::Update::Post-Invoke;
		#clear DPkg::Post-Invoke;
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		APT::Update::Error-Mode "any";
		Acquire::Retries "3";
		Dir::State::lists "$apt/lists";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "$apt/parts";
		Dir::Etc::preferencesparts "$apt/parts";
		Dir::Etc::preferences "$apt/none";
	CONF
	: >"$apt/status"
}

run_apt() { # WHAT COMMAND...: quiet, unless it fails
	local what=$1 why
	shift
	"$@" >"$work/apt.log" 2>&1 || {
		why=$(sed -n 's/^E: //p' "$work/apt.log" | head -1)
		lab_die "cannot $what for $arch: ${why:-$(tail -1 "$work/apt.log")}"
	}
}

# Reads the package lists.  A mirror that is being brought up to date may have a release whole under
# one of its names only: the others are tried, as long as they stand for the same release.
read_lists() {
	local wanted=$suite
	for suite in "$wanted" stable oldstable; do
		rm -rf "$work/apt"
		write_apt_config
		if apt-get -c "$work/apt/apt.conf" update >"$work/apt.log" 2>&1 &&
			grep -qsx "Codename: $wanted" "$work"/apt/lists/*Release; then
			suite=$wanted
			return
		fi
	done
	suite=$wanted
	rm -rf "$work/apt"
	write_apt_config
	run_apt "read the package lists" apt-get -c "$work/apt/apt.conf" update
}

fetch_packages() { # NAME...: into $work/root
	local conf=$work/apt/apt.conf deb
	run_apt "download $*" env -C "$work" apt-get -c "$conf" download "$@"
	for deb in "$work"/*.deb; do
		dpkg -x "$deb" "$work/root" || lab_die "cannot unpack '${deb##*/}'"
		rm "$deb"
	done
}

# What of the named packages' dependencies are libraries, themselves included.
apt_libraries() { # NAME...
	apt-get -c "$work/apt/apt.conf" -s --no-install-recommends install "$@" 2>/dev/null |
		awk '$1 == "Inst" && $2 ~ /^(lib|zlib|linux-libc)/ && $2 !~ /^lib(python|perl)/ { print $2 }' ||
		lab_die "$suite cannot satisfy what '$*' need for $arch"
}
