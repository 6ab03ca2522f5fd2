/* SPDX-License-Identifier: Apache-2.0 */
/* dir(5), with inode numbers of 64 bits. */
#ifndef TENON_DARWIN_DIRENT_H
#define TENON_DARWIN_DIRENT_H

#include <sys/types.h>

typedef struct _dir DIR;

struct dirent {
	ino_t d_ino;
	uint64_t d_seekoff;
	uint16_t d_reclen, d_namlen;
	uint8_t d_type;
	char d_name[1024];
};

#define DT_UNKNOWN 0
#define DT_DIR     4
#define DT_REG     8
#define DT_LNK     10

DIR *opendir(const char *path);
DIR *fdopendir(int fd);
struct dirent *readdir(DIR *dir);
void rewinddir(DIR *dir);
int closedir(DIR *dir);
int dirfd(DIR *dir);
int scandir(const char *path, struct dirent ***ret_names, int (*select)(const struct dirent *entry),
	int (*compare)(const struct dirent **a, const struct dirent **b));
int alphasort(const struct dirent **a, const struct dirent **b);

#endif
