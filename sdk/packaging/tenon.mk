# SPDX-License-Identifier: Apache-2.0
# For debian/rules with debhelper:
#	include /usr/share/tenon/packaging/tenon.mk
# fills ${tenon:Depends} and ${tenon:Provides}, which debian/control names for each package that
# holds plugins.
TENON_DEPS ?= /usr/share/tenon/packaging/tenon-deps

execute_before_dh_gencontrol:
	set -e; for package in $$(dh_listpackages); do \
		modules=$$(find debian/$$package -path '*/tenon/[0-9]*/*.so' 2>/dev/null); \
		[ -z "$$modules" ] || \
			$(TENON_DEPS) deb substvars $$modules >>debian/$$package.substvars; \
	done
