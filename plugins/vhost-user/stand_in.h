/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A back end for the tests: a small one that works (its device fills what it is given and copies
 * what it is told into a pattern), or one that misbehaves at a place of the test's choosing.
 */
#ifndef VHOST_USER_STAND_IN_H
#define VHOST_USER_STAND_IN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <tenon/vhost_user.h>

enum misdeed {
	BEHAVES,
	DIES,          /* closes the connection instead of an answer */
	STALLS,        /* never answers */
	REFUSES,       /* acknowledges with an error, or with no configuration */
	WRONG_SIZE,    /* one byte more than the answer has */
	TOO_SHORT,     /* announces more than it sends */
	TOO_LONG,      /* announces more than there can be */
	WRONG_REQUEST, /* answers something else */
	NO_REPLY_FLAG,
	BAD_VERSION,
	EXTRA_FDS,
	MISDEEDS
};

struct stand_in {
	uint64_t features, protocol;
	uint32_t n_queues, config_size;
	uint8_t config[VHOST_USER_MAX_CONFIG];
	enum misdeed misdeed;
	uint32_t at;  /* this request; */
	uint32_t nth; /* the how manieth, from 1 on */
	/* Takes so many requests of queue 0 and answers those alone whose bit is set; then it ends.
	 * 0 = answers all. */
	uint32_t takes;
	uint64_t answers;
	bool announces;            /* sends a change of the configuration when queue 1 is kicked */
	bool wants_ack;            /* ... and waits for the acknowledgement */
	const uint8_t *config_now; /* what the configuration is by now; NULL = config */
	uint64_t *seen; /* shared with the test: a bit for each request that came; may be NULL */
	uint64_t *resubmitted; /* shared: how many requests the record said were in flight */
};

/* What it offers unless the test says otherwise: an entropy source that behaves. */
struct stand_in stand_in_default(void);
/* Serves the connection until it ends. */
void stand_in_serve(const struct stand_in *s, int fd);
/* Serves all that connect to @listener, each in a process of its own. */
void stand_in_listen(const struct stand_in *s, int listener);

#endif
