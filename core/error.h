/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One sentence that says what went wrong, carried from the place that saw it to the place that
 * prints it.  Functions that can fail for a reason a user must read take a `struct error *`.
 */
#ifndef TENON_CORE_ERROR_H
#define TENON_CORE_ERROR_H

/* What `tenon` exits with; documented in tenon(1). */
enum exit_code {
	EXIT_GUEST_OFF = 0,
	EXIT_INTERNAL = 1,
	EXIT_USAGE = 2,
	EXIT_HOST = 3,
	EXIT_GUEST_DIED = 4,
};

struct error {
	enum exit_code exit_code; /* meaningful once text is set */
	char text[1024];          /* "" as long as nothing failed */
};

/*
 * Records the sentence, unless one is there already (the first cause is the one worth reading).
 * @code is a positive exit code, @err_no a negative errno which is returned unchanged.
 * @err may be NULL.  [any thread; @err is the caller's]
 */
int error_set(struct error *err, enum exit_code code, int err_no, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#ifdef __clang_analyzer__ /* it looks at one file at a time, and must know what comes back */
#define error_set(err, code, err_no, ...)                                                          \
	((void)error_set(err, code, err_no, __VA_ARGS__), (err_no))
#endif

/* Puts "@prefix: " in front of the sentence, if there is one. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whose fault an errno is where nothing of the guest or its configuration can be: the host's if it
 * is out of something, else ours. */
enum exit_code error_exit_code(int err_no);

#endif
