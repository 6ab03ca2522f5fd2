/* SPDX-License-Identifier: Apache-2.0 */
/* fio's terse output has a field for everything; here are those that count. */
#include "fio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From 1 on, of version 3. */
#define READ_IOPS  8
#define WRITE_IOPS 49
#define USER_CPU   88
#define SYSTEM_CPU 89

bool fio_is_there(void)
{
	/* NOLINTNEXTLINE(cert-env33-c): people run this by hand */
	return system("fio --version >/dev/null 2>&1") == 0;
}

static double field(const char *line, unsigned wanted)
{
	for (unsigned i = 1; line && i < wanted; i++) {
		line = strchr(line, ';');
		if (line)
			line++;
	}
	return line ? strtod(line, NULL) : 0;
}

int fio_run(const struct block_load *load, const char *file, unsigned ms,
	struct devices_result *ret_result)
{
	char command[1024], line[8192];
	FILE *p;
	int status;

	(void)snprintf(command, sizeof(command),
		"fio --name=bench --filename='%s' --ioengine=io_uring --direct=%d --rw=%s%s "
		"--bs=%u "
		"--iodepth=%u --runtime=%ums --time_based --norandommap --randrepeat=0 "
		"--invalidate=0 --output-format=terse --terse-version=3 2>/dev/null",
		file, !load->cached, load->random ? "rand" : "", load->write ? "write" : "read",
		load->size, load->depth, ms);
	/* NOLINTNEXTLINE(cert-env33-c) */
	p = popen(command, "r");
	if (!p)
		return -errno;
	line[0] = '\0';
	(void)!fgets(line, sizeof(line), p);
	status = pclose(p);
	ret_result->per_second = field(line, load->write ? WRITE_IOPS : READ_IOPS);
	if (status != 0 || ret_result->per_second <= 0)
		return -EIO;
	/* Per cent of a CPU. */
	ret_result->cpu_us =
		(field(line, USER_CPU) + field(line, SYSTEM_CPU)) * 1e4 / ret_result->per_second;
	return 0;
}
