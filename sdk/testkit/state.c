/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon.state/1 with roles and faults, and a device's state to and from a buffer.
 *
 * The encoding and the virtio layer's part are the core's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "sdk/testkit/state.h"
#include "sdk/virtio/device_state.h"
#include "sdk/virtio/table.h"

static struct tk_state *states;

/* ---- states ---- */

struct tk_state *kit_state_new(size_t size)
{
	struct tk_state *s = kit_alloc(sizeof(*s));

	s->bytes = kit_alloc(size);
	s->size = size;
	s->next = states;
	states = s;
	return s;
}

struct tk_state *tk_state_of(const void *bytes, size_t size)
{
	struct tk_state *s = kit_state_new(size);

	if (size > 0)
		memcpy(s->bytes, bytes, size);
	return s;
}

void tk_state_free(struct tk_state *s)
{
	struct tk_state **at = &states;

	while (*at && *at != s)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = s->next;
	free(s->bytes);
	free(s);
}

void kit_states_free(void)
{
	while (states)
		tk_state_free(states);
}

const void *tk_state_bytes(const struct tk_state *s)
{
	return s->bytes;
}

size_t tk_state_size(const struct tk_state *s)
{
	return s->size;
}

/* ---- the service ---- */

#define PUT(name, parameters, arguments)                                                           \
	static int put_##name parameters                                                           \
	{                                                                                          \
		if (kit_fails("tenon.state put_" #name, ROLE_MAIN))                                \
			return state_write_fail(w, -ENOMEM, "the test makes it fail");             \
		return state_service.put_##name arguments;                                         \
	}
#define GET(name, parameters, arguments)                                                           \
	static int get_##name parameters                                                           \
	{                                                                                          \
		if (kit_fails("tenon.state get_" #name, ROLE_MAIN))                                \
			return state_read_fail(r, -EIO, "the test makes it fail");                 \
		return state_service.get_##name arguments;                                         \
	}

/* clang-format off */
PUT(u8, (struct tenon_state_w *w, uint32_t tag, uint8_t value), (w, tag, value))
PUT(u16, (struct tenon_state_w *w, uint32_t tag, uint16_t value), (w, tag, value))
PUT(u32, (struct tenon_state_w *w, uint32_t tag, uint32_t value), (w, tag, value))
PUT(u64, (struct tenon_state_w *w, uint32_t tag, uint64_t value), (w, tag, value))
PUT(bytes, (struct tenon_state_w *w, uint32_t tag, const void *bytes, uint32_t size),
	(w, tag, bytes, size))
PUT(string, (struct tenon_state_w *w, uint32_t tag, const char *text), (w, tag, text))
GET(u8, (struct tenon_state_r *r, uint32_t tag, uint8_t *value), (r, tag, value))
GET(u16, (struct tenon_state_r *r, uint32_t tag, uint16_t *value), (r, tag, value))
GET(u32, (struct tenon_state_r *r, uint32_t tag, uint32_t *value), (r, tag, value))
GET(u64, (struct tenon_state_r *r, uint32_t tag, uint64_t *value), (r, tag, value))
GET(bytes, (struct tenon_state_r *r, uint32_t tag, void *to, uint32_t room, uint32_t *size),
	(r, tag, to, room, size))
GET(string, (struct tenon_state_r *r, uint32_t tag, char *to, uint32_t room), (r, tag, to, room))
/* clang-format on */

static int begin(struct tenon_state_w *w, uint32_t tag, const char *name, uint32_t version)
{
	if (kit_fails("tenon.state begin", ROLE_MAIN))
		return state_write_fail(w, -ENOMEM, "the test makes it fail");
	return state_service.begin(w, tag, name, version);
}

static int end(struct tenon_state_w *w)
{
	kit_role("tenon.state end", ROLE_MAIN);
	return state_service.end(w);
}

static int has(struct tenon_state_r *r, uint32_t tag)
{
	kit_role("tenon.state has", ROLE_MAIN);
	return state_service.has(r, tag);
}

static int enter(struct tenon_state_r *r, uint32_t tag, const char *name, uint32_t newest,
	uint32_t *ret_version)
{
	if (kit_fails("tenon.state enter", ROLE_MAIN))
		return state_read_fail(r, -EIO, "the test makes it fail");
	return state_service.enter(r, tag, name, newest, ret_version);
}

static int leave(struct tenon_state_r *r)
{
	kit_role("tenon.state leave", ROLE_MAIN);
	return state_service.leave(r);
}

const struct tenon_state kit_state = {
	.struct_size = sizeof(struct tenon_state),
	.put_u8 = put_u8,
	.put_u16 = put_u16,
	.put_u32 = put_u32,
	.put_u64 = put_u64,
	.put_bytes = put_bytes,
	.put_string = put_string,
	.begin = begin,
	.end = end,
	.get_u8 = get_u8,
	.get_u16 = get_u16,
	.get_u32 = get_u32,
	.get_u64 = get_u64,
	.get_bytes = get_bytes,
	.get_string = get_string,
	.has = has,
	.enter = enter,
	.leave = leave,
};

/* ---- saving and loading ---- */

/* One at a time: what the control callback works on. */
static struct {
	struct tenon_state_w w;
	struct tenon_state_r r;
} now;

static int call_save(void *opaque, struct tenon_state_w *w)
{
	struct tk_dev *d = opaque;
	struct kit_here before;
	int ret;

	kit_enter(d, ROLE_MAIN, &before);
	d->failing = true;
	ret = d->cls->save(kit_handle(d), w);
	d->failing = false;
	kit_leave(d, &before);
	if (ret > 0)
		kit_fail("%s: save returned %d; wanted 0 or a negative errno", d->cd->name, ret);
	return ret;
}

static int call_load(void *opaque, struct tenon_state_r *r, uint32_t version)
{
	struct tk_dev *d = opaque;
	struct kit_here before;
	int ret;

	kit_enter(d, ROLE_MAIN, &before);
	d->failing = true;
	ret = d->cls->load(kit_handle(d), r, version);
	d->failing = false;
	kit_leave(d, &before);
	if (ret > 0)
		kit_fail("%s: load returned %d; wanted 0 or a negative errno", d->cd->name, ret);
	return ret;
}

static struct saved_device device_of(struct tk_dev *d)
{
	const struct tenon_device_class *cls = d->cls;

	return (struct saved_device){
		.name = d->cd->name,
		.type = cls->name,
		.version = TABLE_COVERS(cls, state_version) ? cls->state_version : 0,
		.virtio = d->virtio ? kit_virtio_layer(d) : NULL,
		.save = TENON_HAS(cls, save) ? call_save : NULL,
		.load = TENON_HAS(cls, load) ? call_load : NULL,
		.opaque = d,
	};
}

/* The layer's part runs on the loop; the class's is a control callback within it. */
static int in_loop(struct tk_dev *d, bool load)
{
	const struct saved_device device = device_of(d);
	struct kit_here before;
	int ret;

	kit.error[0] = '\0';
	kit_enter(d, ROLE_LOOP, &before);
	ret = load ? device_state_load(&now.r, &device) : device_state_save(&now.w, &device);
	kit_leave(d, &before);
	return ret;
}

static int failed(const struct tk_dev *d, int ret, const char *what, const char *why)
{
	if (!kit.error[0]) /* the class has not said more */
		kit_set_error("%s: its state cannot be %s: %s", d->cd->name, what, why);
	return ret;
}

struct tk_state *tk_save(struct tk_dev *d)
{
	struct tk_state *s = NULL;
	int ret;

	kit_must_be(d, "save", d->state == KIT_QUIESCED || d->loaded);
	(void)state_write_begin(&now.w);
	(void)state_service.begin(&now.w, 1, DEVICE_STATE_SECTION, DEVICE_STATE_VERSION);
	ret = in_loop(d, false);
	(void)state_service.end(&now.w);
	(void)state_write_end(&now.w);
	if (now.w.error == 0)
		s = tk_state_of(now.w.bytes, now.w.size);
	else
		(void)failed(d, now.w.error, "saved", now.w.why);
	if (ret == 0 && !s && !now.w.error)
		kit_fail("%s: the kit lost its state", d->cd->name);
	state_write_free(&now.w);
	return s;
}

static int load(struct tk_dev *d)
{
	char name[DEVICE_STATE_NAME], type[DEVICE_STATE_TYPE] = "";
	uint32_t version;
	int ret = state_service.enter(
		&now.r, TENON_STATE_NEED | 1, DEVICE_STATE_SECTION, DEVICE_STATE_VERSION, &version);

	if (ret > 0)
		ret = device_state_identity(&now.r, name, type);
	if (ret == 0 && strcmp(type, d->cls->name) != 0)
		return state_read_fail(
			&now.r, -EPROTO, "it is of type \"%s\"; wanted \"%s\"", type, d->cls->name);
	return ret < 0 ? ret : in_loop(d, true);
}

int tk_load(struct tk_dev *d, const struct tk_state *s)
{
	int ret;

	kit_must_be(d, "load", d->state == KIT_ATTACHED && !d->loaded);
	kit.error[0] = '\0';
	ret = state_read_begin(&now.r, s->bytes, s->size);
	if (ret == 0)
		ret = load(d);
	if (ret < 0)
		return failed(d, ret, "loaded", now.r.why);
	d->loaded = true;
	return 0;
}

struct tk_dev *tk_replace(struct tk_dev *d, const char *type, const char *settings)
{
	struct tk_driver *driver;
	struct tk_state *s;

	if (tk_quiesce(d) < 0)
		kit_fail("%s", kit.error);
	s = tk_save(d);
	if (!s)
		kit_fail("%s", kit.error);
	driver = tk_take_driver(d);
	tk_destroy(d); /* first: it may hold what the other needs */
	d = tk_create(type, settings);
	if (!d || tk_attach(d) < 0)
		kit_fail("%s", kit.error);
	tk_give_driver(d, driver);
	if (tk_load(d, s) < 0 || tk_start(d) < 0)
		kit_fail("%s", kit.error);
	tk_state_free(s);
	return d;
}
