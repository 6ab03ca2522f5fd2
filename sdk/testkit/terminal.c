/* SPDX-License-Identifier: Apache-2.0 */
/* tenon.terminal/1 from a script: what is typed, what is taken, how large it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "sdk/testkit/kit.h"

static struct {
	uint8_t *input; /* typed, not yet taken */
	size_t n_input;
	bool ending, ended; /* of the input */
	struct tk_dev *reader;
	bool wanted;

	char *output; /* under the machine's lock, as is room */
	size_t n_output, output_size;
	size_t room;

	bool no_size;
	uint32_t columns, rows;
} term = { .room = SIZE_MAX, .columns = 80, .rows = 25 };

/* ---- the service ---- */

static int term_open(struct tenon_dev *dev, const struct tenon_terminal_ops *ops)
{
	if (kit_fails("tenon.terminal open", ROLE_MAIN))
		return -ENOMEM;
	if (dev->d.terminal.ops)
		return -EBUSY;
	dev->d.terminal.ops = ops;
	return 0;
}

static int term_want_input(struct tenon_dev *dev, uint32_t want)
{
	if (kit_fails("tenon.terminal want_input", ROLE_MAIN | ROLE_LOOP))
		return -ENOMEM;
	if (!dev->d.terminal.ops)
		return -EINVAL;
	if (term.reader && term.reader != &dev->d)
		return -EBUSY;
	if (!term.reader && !want)
		return 0;
	term.reader = &dev->d;
	term.wanted = want != 0;
	return 0;
}

static size_t term_write(struct tenon_dev *dev, const void *bytes, size_t size)
{
	size_t n;

	kit_role("tenon.terminal write", ROLE_ANY);
	kit_lock();
	n = size < term.room ? size : term.room;
	if (term.n_output + n + 1 > term.output_size) {
		term.output_size = (term.n_output + n + 1) * 2;
		term.output = realloc(term.output, term.output_size);
		if (!term.output)
			abort();
	}
	memcpy(term.output + term.n_output, bytes, n);
	term.n_output += n;
	term.output[term.n_output] = '\0';
	if (term.room != SIZE_MAX)
		term.room -= n;
	if (n < size)
		dev->d.terminal.starved = true;
	kit_unlock();
	return n;
}

static int term_size(struct tenon_dev *dev, uint32_t *ret_columns, uint32_t *ret_rows)
{
	(void)dev;
	if (kit_fails("tenon.terminal size", ROLE_ANY) || term.no_size)
		return -ENOTTY;
	*ret_columns = term.columns;
	*ret_rows = term.rows;
	return 0;
}

const struct tenon_terminal kit_terminal = {
	.struct_size = sizeof(struct tenon_terminal),
	.open = term_open,
	.want_input = term_want_input,
	.write = term_write,
	.size = term_size,
};

void kit_terminal_release(struct tk_dev *d)
{
	if (term.reader == d) {
		term.reader = NULL;
		term.wanted = false;
	}
	d->terminal.ops = NULL;
}

/* ---- stepping ---- */

static bool step_input(void)
{
	struct tk_dev *d = term.reader;
	struct kit_here before;
	size_t taken;

	if (!d || !term.wanted || term.n_input == 0)
		return false;
	if (!TENON_HAS(d->terminal.ops, input))
		kit_fail("%s wants input and has no input()", d->cd->name);
	kit_enter(d, ROLE_LOOP, &before);
	taken = d->terminal.ops->input(kit_handle(d), term.input, term.n_input);
	kit_leave(d, &before);
	if (taken > term.n_input)
		kit_fail("%s took %zu bytes of %zu", d->cd->name, taken, term.n_input);
	memmove(term.input, term.input + taken, term.n_input - taken);
	term.n_input -= taken;
	if (term.n_input > 0)
		term.wanted = false; /* the rest waits for want_input */
	return true;
}

static bool step_end(void)
{
	struct tk_dev *d = term.reader;
	struct kit_here before;

	if (!d || !term.ending || term.ended || term.n_input > 0)
		return false;
	term.ended = true;
	if (!TENON_HAS(d->terminal.ops, closed))
		return false;
	kit_enter(d, ROLE_LOOP, &before);
	d->terminal.ops->closed(kit_handle(d));
	kit_leave(d, &before);
	return true;
}

static bool take_starved(struct tk_dev *d)
{
	bool starved;

	kit_lock();
	starved = d->terminal.starved && term.room > 0;
	if (starved)
		d->terminal.starved = false;
	kit_unlock();
	return starved;
}

static bool step_output(void)
{
	bool any = false;

	for (struct tk_dev *d = kit.devices; d; d = d->next) {
		struct kit_here before;

		if (!d->terminal.ops || !take_starved(d) || !TENON_HAS(d->terminal.ops, writable))
			continue;
		any = true;
		kit_enter(d, ROLE_LOOP, &before);
		d->terminal.ops->writable(kit_handle(d));
		kit_leave(d, &before);
	}
	return any;
}

bool kit_step_terminal(void)
{
	bool any = step_input();

	any |= step_end();
	any |= step_output();
	return any;
}

/* ---- the script ---- */

void tk_type_bytes(const void *bytes, size_t size)
{
	uint8_t *more = realloc(term.input, term.n_input + size + 1);

	if (!more)
		kit_fail("the test kit is out of memory");
	memcpy(more + term.n_input, bytes, size);
	term.input = more;
	term.n_input += size;
}

void tk_type(const char *text)
{
	tk_type_bytes(text, strlen(text));
}

void tk_close_input(void)
{
	term.ending = true;
}

size_t tk_input_left(void)
{
	return term.n_input;
}

const char *tk_output(void)
{
	return term.output ? term.output : "";
}

size_t tk_output_size(void)
{
	return term.n_output;
}

void tk_output_clear(void)
{
	kit_lock();
	term.n_output = 0;
	if (term.output)
		term.output[0] = '\0';
	kit_unlock();
}

void tk_output_room(size_t size)
{
	kit_lock();
	term.room = size;
	kit_unlock();
}

void tk_no_terminal(void)
{
	term.no_size = true;
}

void tk_resize(uint32_t columns, uint32_t rows)
{
	term.columns = columns;
	term.rows = rows;
	for (struct tk_dev *d = kit.devices; d; d = d->next) {
		struct kit_here before;

		if (!TENON_HAS(d->terminal.ops, resized))
			continue;
		kit_enter(d, ROLE_LOOP, &before);
		d->terminal.ops->resized(kit_handle(d), columns, rows);
		kit_leave(d, &before);
	}
}
