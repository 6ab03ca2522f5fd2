/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which format an image has.
 *
 * What a raw image holds is the guest's to write.  A program that looks into the file to find the
 * format lets the guest choose it: a guest that writes a qcow2 header into its first sector would
 * have the next start follow that header, to a backing file of its choice, /etc/shadow say.  So the
 * file's name or the setting decides, and a raw image that begins like a qcow2 one is refused until
 * somebody has said which it is.
 */
#include "image.h"

#include <errno.h>
#include <string.h>

#define SUFFIX ".qcow2"

const char *image_format(const char *path, const char *format)
{
	size_t n = strlen(path);

	if (strcmp(format, "auto") != 0)
		return format;
	if (n >= strlen(SUFFIX) && strcmp(path + n - strlen(SUFFIX), SUFFIX) == 0)
		return "qcow2";
	return "raw";
}

static int refuse_disguise(const struct image *im, const char *path, struct why *why)
{
	static const char magic[4] = "QFI\xfb";
	char start[sizeof(magic)];
	int ret = host_file_read(&im->file, 0, start, sizeof(start));

	if (ret < 0 && ret != -ENODATA)
		return why_set(why, ret, "cannot read \"%s\": %s", path, strerror(-ret));
	if (ret < 0 || memcmp(start, magic, sizeof(magic)) != 0)
		return 0;
	return why_set(why, -EINVAL,
		"\"%s\" begins like a qcow2 image, which its guest may have written: say format = "
		"\"qcow2\" if it is one, or format = \"raw\" if it is not",
		path);
}

int image_open(const char *path, const struct image_options *options, struct image **ret_image,
	struct why *why)
{
	const char *format = image_format(path, options->format);
	struct image *im;
	int ret;

	if (strcmp(format, "qcow2") == 0)
		return qcow2_open(path, options, ret_image, why);
	ret = raw_open(path, options, &im, why);
	if (ret < 0)
		return ret;
	if (strcmp(options->format, "raw") != 0)
		ret = refuse_disguise(im, path, why);
	if (ret < 0) {
		image_close(im);
		return ret;
	}
	*ret_image = im;
	return 0;
}

void image_close(struct image *im)
{
	if (im)
		im->ops->close(im);
}
