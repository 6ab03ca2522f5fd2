# shellcheck shell=dash disable=SC1091,SC2016,SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# lab-arch: none
# A Debian userland at work in the guest, on a disk.  tests/lab/userland makes the disk and runs this.
. /lab/caselib.sh
. /lab/netlib.sh

# A repository with one package, on the host.
www=$lab_dir/www
mkdir -p "$www"
cp /lab/userland/hello.deb "$www/"
{
	cat /lab/userland/hello.control
	echo 'Filename: ./hello.deb'
	echo "Size: $(stat -c %s "$www/hello.deb")"
	echo "SHA256: $(sha256sum <"$www/hello.deb" | cut -d ' ' -f 1)"
} >"$www/Packages"
httpd -p 127.0.0.1:8080 -h "$www"

boot --set payload.initrd=/lab/initrd-disk.img --set vm.memory=1G --set vm.vcpus=2 \
	--set 'payload.cmdline=console=hvc0 quiet panic=-1 tenon.mode=serve' \
	--device block,path=/lab/userland/userland.img --device net,backend=user
expect 'serve: ready'
command_done '. /etc/net.sh; net_lease'
command_done 'mkdir -p /mnt && mount -t ext4 /dev/vda /mnt'
command_done 'for f in dev proc sys; do mount --bind /$f /mnt/$f; done; mount -t tmpfs tmpfs /mnt/tmp'
command_done 'in_debian() { chroot /mnt /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive bash -c "$1"; }'
command_done 'in_debian ". /etc/os-release; echo \"debian: \$PRETTY_NAME, \$(uname -m)\""'
has '^debian: Debian GNU/Linux .*, riscv64$'

# A program with floating point, threads and a signal, compiled at two levels.
cat >"$www/try.c" <<'C'
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
static atomic_long count;
static volatile sig_atomic_t caught;
static void on(int s) { caught = s; }
static void *add(void *p) { for (int i = 0; i < 100000; i++) count++; return p; }
int main(void)
{
	pthread_t t[4];
	double sum = 0;
	for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, add, NULL);
	for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
	for (int i = 1; i <= 1000; i++) sum += sqrt(i) * sin(i);
	signal(SIGUSR1, on);
	raise(SIGUSR1);
	printf("gcc: %ld %.6f %d\n", (long)count, sum, (int)caught);
	return 0;
}
C
command_done 'wget -q -O /mnt/root/try.c http://10.0.2.2:8080/try.c'
for level in 0 2; do
	command_done "in_debian 'cd /root && gcc -O$level -Wall -o try$level try.c -lm && ./try$level'"
done
[ "$(grep -c '^gcc: 400000 [-0-9.]* 10$' "$lab_log")" = 2 ] || fail "a compiled program computes wrongly"
[ "$(grep '^gcc: ' "$lab_log" | sort -u | wc -l)" = 1 ] || fail "-O0 and -O2 do not agree"

# Packages: from a file, and over the network.
command_done 'wget -q -O /mnt/root/hello.deb http://10.0.2.2:8080/hello.deb'
command_done 'in_debian "dpkg -i /root/hello.deb && hello && dpkg -s hello | grep ^Status && dpkg -V hello && dpkg -r hello"'
has '^Hello, world!$'
has '^Status: install ok installed$'
command_done '! in_debian "command -v hello"'
command_done 'in_debian "echo deb [trusted=yes] http://10.0.2.2:8080/ ./ >/etc/apt/sources.list && rm -f /etc/apt/sources.list.d/*"'
command_done 'in_debian "apt-get -o APT::Sandbox::User=root update && apt-get -o APT::Sandbox::User=root install -y hello && hello" 2>&1'
[ "$(grep -c '^Hello, world!$' "$lab_log")" = 2 ] || fail "hello does not greet when apt has installed it"
command_done 'in_debian "apt-get check && apt-cache policy hello" 2>&1'

# Python's own tests.
command_done 'in_debian "python3 -m test test_float test_complex test_struct test_list test_dict test_json" 2>&1'
has '^Result: SUCCESS$'

command_done 'for f in dev proc sys tmp; do umount /mnt/$f; done; umount /mnt'
type_line poweroff
ends_with 0
killall httpd
