/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory regions, as a driver and as a device see them. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <tenon/testkit.h>

#define PAGE ((size_t)4096)

enum { MAP_SHARED_FILE, MAP_COPY, UNMAP };

static int ask(struct tk_dev *d, uint32_t op, uint32_t at, uint32_t from, uint32_t pages)
{
	const uint32_t request[] = { op, at, from, pages };
	struct tk_buf *b = tk_request(d, 0, request, sizeof(request), 4);
	int32_t answer = 0;

	tk_kick(d, 0);
	tk_run_until_idle(d);
	TK_EQ(tk_used_len(b), 4);
	TK_EQ(tk_in_bytes(b, &answer, sizeof(answer)), 4);
	tk_free(b);
	return answer;
}

TK_TEST(the_driver_finds_the_region)
{
	struct tk_dev *d = tk_device("window", NULL);
	uint64_t size;
	char *shm = tk_shm(d, 1, &size);

	TK_TRUE(shm != NULL);
	TK_EQ(size, 65536);
	for (uint64_t i = 0; i < size; i++)
		TK_EQ(shm[i], 0);
	shm[size - 1] = 1;
	TK_TRUE(!tk_shm(d, 0, &size));
	TK_TRUE(!tk_shm(d, 2, &size));
}

TK_TEST(what_is_mapped_is_shared)
{
	struct tk_dev *d = tk_device("window", NULL);
	uint64_t size;
	char *shm = tk_shm(d, 1, &size);

	memcpy(shm + 2 * PAGE, "mine", sizeof("mine"));
	TK_EQ(ask(d, MAP_SHARED_FILE, 2, 0, 2), 0);
	TK_MEM_EQ(shm + 2 * PAGE, "file", 4);
	memcpy(shm + 3 * PAGE, "new", sizeof("new"));
	TK_EQ(ask(d, MAP_SHARED_FILE, 8, 1, 1), 0); /* the same page of the file */
	TK_STR(shm + 8 * PAGE, "new");
	TK_EQ(ask(d, UNMAP, 2, 0, 2), 0);
	TK_EQ(shm[2 * PAGE], 0); /* not what was there before, either */
	TK_STR(shm + 8 * PAGE, "new");
}

TK_TEST(who_may_not_write_gets_a_copy)
{
	struct tk_dev *d = tk_device("window", NULL);
	uint64_t size;
	char *shm = tk_shm(d, 1, &size);

	TK_EQ(ask(d, MAP_COPY, 0, 0, 1), 0);
	memcpy(shm, "new", sizeof("new"));
	TK_EQ(ask(d, MAP_SHARED_FILE, 1, 0, 1), 0);
	TK_MEM_EQ(shm + PAGE, "file", 4);
}

TK_TEST(numbers_that_do_not_fit_are_refused)
{
	struct tk_dev *d = tk_device("window", NULL);
	uint64_t size;
	const char *shm = tk_shm(d, 1, &size);

	TK_EQ(ask(d, MAP_SHARED_FILE, 16, 0, 1), -EINVAL);
	TK_EQ(ask(d, MAP_SHARED_FILE, 15, 0, 2), -EINVAL);
	TK_EQ(ask(d, MAP_SHARED_FILE, UINT32_MAX, 0, 1), -EINVAL);
	TK_EQ(ask(d, MAP_SHARED_FILE, 0, 0, 0), -EINVAL);
	TK_EQ(ask(d, MAP_SHARED_FILE, 0, 3, 2), -ERANGE); /* past the file's end */
	TK_EQ(ask(d, MAP_SHARED_FILE, 0, 4, 1), -ERANGE);
	TK_EQ(ask(d, UNMAP, 15, 0, 2), -EINVAL);
	TK_EQ(shm[0], 0);
}

TK_TEST(a_region_goes_with_its_device)
{
	uint64_t size;

	for (int i = 0; i < 40; i++) { /* more than guest memory has regions */
		struct tk_dev *d = tk_device("window", NULL);
		char *shm = tk_shm(d, 1, &size);

		TK_EQ(shm[0], 0);
		shm[PAGE] = 1;
		TK_EQ(ask(d, MAP_SHARED_FILE, 0, 0, 1), 0);
		tk_destroy(d);
	}
}

TK_TEST(a_size_that_cannot_be_is_refused)
{
	struct tk_dev *d = tk_create("window", "size = \"4097\";");

	TK_EQ(tk_attach(d), -EINVAL);
	TK_HAS_TEXT(tk_error(), "cannot have a window");
	tk_destroy(d);
	d = tk_create("window", "size = \"16T\";");
	TK_EQ(tk_attach(d), -ENOSPC);
}

TK_TEST(every_call_may_fail)
{
	TK_TRUE(tk_fault_sweep("window", NULL) > 5);
}

TK_TEST(no_driver_gets_through)
{
	TK_TRUE(tk_hostile_run(tk_started("window", NULL)) > 100);
}

TK_MAIN()
