/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the payload: files are mapped, wrapped kernels unpacked, a bundle's library loaded.  What
 * a kernel is, its own headers say; the architecture's loader reads those.
 */
#include "core/payload.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/module.h"
#include "core/unpack.h"

/* ---- files ---- */

static int cannot(struct error *err, const char *what, const char *path, int err_no)
{
	const bool host = err_no == -EMFILE || err_no == -ENFILE || err_no == -ENOMEM;

	return error_set(err, host ? EXIT_HOST : EXIT_USAGE, err_no, "cannot open %s \"%s\": %s",
		what, path, strerror(-err_no));
}

static int map_file(const char *what, const char *path, struct blob *ret_blob,
	struct file_id *ret_id, struct error *err)
{
	int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused, not waited for */
	struct stat st;
	void *bytes;
	int ret = 0;

	if (fd < 0)
		return cannot(err, what, path, -errno);
	if (fstat(fd, &st) < 0)
		ret = cannot(err, what, path, -errno);
	else if (!S_ISREG(st.st_mode))
		ret = error_set(err, EXIT_USAGE, -EINVAL, "%s \"%s\" is not a file", what, path);
	else if (st.st_size == 0)
		ret = error_set(err, EXIT_USAGE, -EINVAL, "%s \"%s\" is empty", what, path);
	if (ret == 0) {
		bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes == MAP_FAILED)
			ret = cannot(err, what, path, -errno);
		else
			*ret_blob = (struct blob){ bytes, (size_t)st.st_size, path };
		*ret_id = (struct file_id){ st.st_dev, st.st_ino };
	}
	(void)close(fd);
	return ret;
}

static void unmap_blob(struct blob *blob)
{
	union {
		const uint8_t *in;
		void *out;
	} bytes = { blob->bytes };

	if (blob->bytes)
		(void)munmap(bytes.out, blob->size);
	*blob = (struct blob){ .bytes = NULL };
}

/* ---- kinds ---- */

static int open_kernel(const struct payload_config *config, struct payload *p, struct error *err)
{
	struct blob inner;
	int ret = map_file("kernel", config->kernel, &p->kernel, &p->kernel_file, err);

	if (ret < 0)
		return ret;
	ret = unpack_kernel(&p->kernel, &p->unpacked, &inner, err);
	if (ret <= 0)
		return ret;
	unmap_blob(&p->kernel);
	p->kernel = inner;
	return 0;
}

/* The contract of libkrunfw: both return bytes that stay as long as the library. */
typedef char *get_kernel_fn(size_t *load_addr, size_t *entry_addr, size_t *size);
typedef char *get_initrd_fn(size_t *size);

static int bundle_symbols(const char *path, struct payload *p, struct error *err)
{
	union {
		void *object;
		get_kernel_fn *kernel;
		get_initrd_fn *initrd;
	} kernel, initrd;
	size_t gpa = 0, entry = 0, size = 0;

	kernel.object = dlsym(p->handle, "krunfw_get_kernel");
	initrd.object = dlsym(p->handle, "krunfw_get_initrd");
	if (!kernel.object)
		return error_set(err, EXIT_USAGE, -ENOEXEC,
			"bundle \"%s\" does not export krunfw_get_kernel", path);
	p->kernel.bytes = (const uint8_t *)kernel.kernel(&gpa, &entry, &size);
	p->kernel.size = size;
	p->kernel.path = path;
	p->bundle_gpa = gpa;
	p->bundle_entry = entry;
	if (!p->kernel.bytes || size == 0)
		return error_set(err, EXIT_USAGE, -ENOEXEC, "bundle \"%s\" has no kernel", path);
	if (initrd.object) {
		p->initrd.bytes = (const uint8_t *)initrd.initrd(&size);
		p->initrd.size = p->initrd.bytes ? size : 0;
		p->initrd.path = path;
	}
	return 0;
}

static int open_bundle(const struct payload_config *config, struct payload *p, struct error *err)
{
	char path[PATH_MAX];
	struct tenon_note note; /* it has none; looking for one checks the file */

	if (!realpath(config->bundle, path))
		return cannot(err, "bundle", config->bundle, -errno);
	if (module_read_note(path, &note) == -ENODATA)
		return error_set(err, EXIT_USAGE, -ENODATA,
			"bundle \"%s\" is cut short: a part of it is missing", config->bundle);
	p->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!p->handle)
		return error_set(err, EXIT_USAGE, -ENOEXEC, "cannot load bundle: %s", dlerror());
	return bundle_symbols(config->bundle, p, err);
}

static int open_kind(const struct payload_config *config, struct payload *p, struct error *err)
{
	if (!!config->kernel + !!config->bundle + !!config->firmware != 1)
		return error_set(err, EXIT_USAGE, -EINVAL,
			"the payload is one of kernel, bundle and firmware, %d are given",
			!!config->kernel + !!config->bundle + !!config->firmware);
	if (config->kernel) {
		p->kind = PAYLOAD_KERNEL;
		return open_kernel(config, p, err);
	}
	if (config->bundle) {
		p->kind = PAYLOAD_BUNDLE;
		return open_bundle(config, p, err);
	}
	p->kind = PAYLOAD_FIRMWARE;
	return map_file("firmware", config->firmware, &p->kernel, &p->kernel_file, err);
}

int payload_open(
	const struct payload_config *config, struct payload *ret_payload, struct error *err)
{
	struct payload p = { .cmdline = config->cmdline, .boot = config->boot };
	int ret = open_kind(config, &p, err);

	if (ret == 0 && config->initrd) {
		p.initrd = (struct blob){ .bytes = NULL }; /* a given one replaces the bundle's */
		ret = map_file("initrd", config->initrd, &p.initrd, &p.initrd_file, err);
		p.initrd_mapped = ret == 0;
	}
	if (ret < 0) {
		payload_close(&p);
		return ret;
	}
	*ret_payload = p;
	return 0;
}

/* Reading past the end of a mapped file would end the process. */
static int check_length(
	const char *what, const struct blob *blob, const struct file_id *id, struct error *err)
{
	struct stat st;

	/* Another file by that name leaves the mapped one alone. */
	if (stat(blob->path, &st) < 0 || st.st_dev != id->device || st.st_ino != id->inode ||
		(uint64_t)st.st_size >= blob->size)
		return 0;
	return error_set(err, EXIT_USAGE, -ESTALE,
		"%s \"%s\" was cut short from %zu to %lld bytes while it was in use", what,
		blob->path, blob->size, (long long)st.st_size);
}

int payload_check(const struct payload *payload, struct error *err)
{
	int ret = 0;

	if (payload->kind != PAYLOAD_BUNDLE && !payload->unpacked)
		ret = check_length("kernel", &payload->kernel, &payload->kernel_file, err);
	if (ret == 0 && payload->initrd_mapped)
		ret = check_length("initrd", &payload->initrd, &payload->initrd_file, err);
	return ret;
}

void payload_close(struct payload *payload)
{
	if (payload->initrd_mapped)
		unmap_blob(&payload->initrd);
	if (payload->kind != PAYLOAD_BUNDLE && !payload->unpacked)
		unmap_blob(&payload->kernel);
	free(payload->unpacked);
	if (payload->handle)
		(void)dlclose(payload->handle);
	*payload = (struct payload){ .kind = PAYLOAD_KERNEL };
}
