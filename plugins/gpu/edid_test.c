/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EDIDs of every size are sound: edid-decode, which people read real monitors' with, finds
 * nothing wrong with them, and they say what was wanted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"

static const struct {
	uint32_t width, height;
	const char *says; /* of its preferred timing */
} sizes[] = {
	{ 640, 480, "DTD 1:   640x480 " },
	{ 1024, 768, "DTD 1:  1024x768    59." },
	{ 1280, 800, "DTD 1:  1280x800    59." },
	{ 1920, 1080, "DTD 1:  1920x1080   59." },
	{ 2560, 1600, "DTD 1:  2560x1600   59." },
	{ 3840, 2160, "DTD 1:  3840x2160   59." },
	{ 4095, 4095, "DTD 1:  4095x4095   2" },
	{ 400, 300, "DTD 1:   400x300 " },
	{ 801, 603, "DTD 1:   801x603 " },
	{ 4095, 64, "DTD 1:  4095x64 " },
	{ 64, 4095, "DTD 1:    64x4095 " },
};

static char said[16384];

static int decode(const uint8_t *edid)
{
	char command[128], name[] = "/tmp/tenon-edid-XXXXXX";
	int fd = mkstemp(name), rc;
	FILE *f;
	size_t n;

	if (fd < 0 || write(fd, edid, EDID_SIZE) != (ssize_t)EDID_SIZE || close(fd) < 0)
		return -1;
	(void)snprintf(command, sizeof(command), "edid-decode --check %s 2>&1", name);
	f = popen(command, "r"); /* NOLINT(cert-env33-c): a tool of the developers */
	n = f ? fread(said, 1, sizeof(said) - 1, f) : 0;
	said[n] = '\0';
	rc = f ? pclose(f) : -1;
	(void)unlink(name);
	return rc;
}

int main(void)
{
	const unsigned n = sizeof(sizes) / sizeof(sizes[0]);
	uint8_t edid[EDID_SIZE];
	int failures = 0;

	/* NOLINTNEXTLINE(cert-env33-c): the same */
	if (system("command -v edid-decode >/dev/null") != 0) {
		puts("1..0 # SKIP there is no edid-decode");
		return 77;
	}
	printf("1..%u\n", n);
	for (unsigned i = 0; i < n; i++) {
		bool good;

		edid_make(edid, sizes[i].width, sizes[i].height, i);
		good = decode(edid) == 0 && strstr(said, sizes[i].says) &&
		       strstr(said, "Display Product Name: 'Tenon'") &&
		       strstr(said, "EDID conformity: PASS");
		printf("%sok %u - %ux%u\n", good ? "" : "not ", i + 1, sizes[i].width,
			sizes[i].height);
		if (!good) {
			failures++;
			puts(said);
		}
	}
	return failures != 0;
}
