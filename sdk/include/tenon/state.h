/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/state.h - the state of devices, saved and loaded.
 *
 * State is a list of values, each under a tag that the device chooses, with its type and its
 * length; sections hold values of their own and have a name and a version.  Numbers are
 * little-endian on every host.  What is loaded may come from an older plugin, a newer one or an
 * enemy: a value is found by its tag in whatever order it stands, one whose tag nobody asks for is
 * passed over, one that is missing leaves the variable as it was, so put the default there first.
 * What a value says is the device's to check, as if the guest had written it.
 *
 *	static int thing_save(struct tenon_dev *dev, struct tenon_state_w *w)
 *	{
 *		(void)state->put_u32(w, TAG_LEVEL, thing(dev)->level);
 *		return state->put_bytes(w, TAG_FIFO, thing(dev)->fifo, thing(dev)->n);
 *	}
 *
 *	static int thing_load(struct tenon_dev *dev, struct tenon_state_r *r, uint32_t version)
 *	{
 *		(void)state->get_u32(r, TAG_LEVEL, &thing(dev)->level);
 *		return state->get_bytes(r, TENON_STATE_NEED | TAG_FIFO, thing(dev)->fifo,
 *			sizeof(thing(dev)->fifo), &thing(dev)->n);
 *	}
 *
 * The first error stays: every later call on the same state returns it and does nothing, so that
 * the last result is the one to look at.  The user reads a sentence that names section, tag, what
 * was found and what was wanted; a device says more with fail() where it knows more.
 *
 * The core calls neither save nor load where it has no such service.
 */
#ifndef TENON_STATE_H
#define TENON_STATE_H

#include <tenon/abi.h>

#define TENON_SVC_STATE "tenon.state/1"

/* Added to a tag that is read: it must be there, else the result is -ENODATA. */
#define TENON_STATE_NEED 0x10000u

#define TENON_STATE_MAX_DEPTH 8u          /* sections within sections, the device's own */
#define TENON_STATE_MAX_BYTES (64u << 20) /* of all that is saved */
#define TENON_STATE_MAX_NAME  63u         /* bytes of a section's name */

struct tenon_state {
	uint32_t struct_size;

	/*
	 * Writing.  Each tag, up to 0xffff, once in its section.  -EINVAL for a tag that is too
	 * large or for a section that is not there to end, -E2BIG for too much of anything,
	 * -ENOMEM.  [main]
	 */
	int (*put_u8)(struct tenon_state_w *state, uint32_t tag, uint8_t value);
	int (*put_u16)(struct tenon_state_w *state, uint32_t tag, uint16_t value);
	int (*put_u32)(struct tenon_state_w *state, uint32_t tag, uint32_t value);
	int (*put_u64)(struct tenon_state_w *state, uint32_t tag, uint64_t value);
	/* @size may be 0.  Never a structure: its layout is the compiler's.  [main] */
	int (*put_bytes)(
		struct tenon_state_w *state, uint32_t tag, const void *bytes, uint32_t size);
	/* UTF-8.  [main] */
	int (*put_string)(struct tenon_state_w *state, uint32_t tag, const char *text);
	/* What is put from here to end() belongs to a section of its own.  [main] */
	int (*begin)(struct tenon_state_w *state, uint32_t tag, const char *name, uint32_t version);
	int (*end)(struct tenon_state_w *state);

	/*
	 * Reading.  0 also when the value is missing, unless the tag has TENON_STATE_NEED; the
	 * variable is then left alone.  -ENODATA for one that is needed, -EPROTO for another type
	 * or damage.  [main]
	 */
	int (*get_u8)(struct tenon_state_r *state, uint32_t tag, uint8_t *ret_value);
	int (*get_u16)(struct tenon_state_r *state, uint32_t tag, uint16_t *ret_value);
	int (*get_u32)(struct tenon_state_r *state, uint32_t tag, uint32_t *ret_value);
	int (*get_u64)(struct tenon_state_r *state, uint32_t tag, uint64_t *ret_value);
	/*
	 * Up to @room bytes; -EMSGSIZE for more.  @ret_size NULL: exactly @room bytes, and -EPROTO
	 * for any other number.  [main]
	 */
	int (*get_bytes)(struct tenon_state_r *state, uint32_t tag, void *to, uint32_t room,
		uint32_t *ret_size);
	/* With its NUL within @room bytes; -EMSGSIZE for more, -EPROTO with a NUL inside.  [main]
	 */
	int (*get_string)(struct tenon_state_r *state, uint32_t tag, char *to, uint32_t room);
	/* 1 when there is a value, or a section, with this tag; 0, or the error that stays. [main]
	 */
	int (*has)(struct tenon_state_r *state, uint32_t tag);
	/*
	 * Reads within the section from here to leave().  1, or 0 when it is missing: then there is
	 * nothing to leave.  -EPROTO for one of another name, -ENOTSUP for a version above @newest,
	 * -E2BIG for too deep.  [main]
	 */
	int (*enter)(struct tenon_state_r *state, uint32_t tag, const char *name, uint32_t newest,
		uint32_t *ret_version);
	int (*leave)(struct tenon_state_r *state);
};

#endif
