/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tenon/testkit.h - drives a device plugin with no hypervisor (libtenon-testkit).
 *
 * The kit loads the plugin that ships and plays the whole host to it: guest memory, buses,
 * interrupts, an event loop that is stepped by hand on a clock that stands still, a terminal, and
 * the driver's side of virtio, well-behaved or hostile.  There is no waiting in a test: time moves
 * when the test moves it.
 *
 *	TK_TEST(serves_a_request)
 *	{
 *		struct tk_dev *d = tk_device("rng", "source = \"/dev/zero\";");
 *		struct tk_buf *b = tk_in(d, 0, 64);
 *
 *		tk_kick(d, 0);
 *		tk_run_until_idle(d);
 *		TK_EQ(tk_used_len(b), 64);
 *		TK_EQ(tk_irqs(d), 1);
 *	}
 *
 *	TK_MAIN()
 *
 * Every test runs in a process of its own: a crash, a hang and a leak are failed tests, each with a
 * sentence.  The kit asserts the thread role of every service call (the tags of the SDK's headers)
 * and, when a device goes, that it has given everything back.  The program prints TAP; its
 * arguments choose tests by parts of their names, and `-n` runs them in one process, for a
 * debugger.
 *
 * Functions of the kit are for the test's own thread unless they say [any].  Where nothing is said
 * of errors, what goes wrong fails the test.
 */
#ifndef TENON_TESTKIT_H
#define TENON_TESTKIT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <tenon/abi.h>
#include <tenon/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TK_API __attribute__((visibility("default")))

struct tk_dev; /* a device under test */
struct tk_buf; /* a chain that the driver has made available */

/* ---- tests ---- */

struct tk_test {
	const char *name, *file, *must_fail;
	int line;
	void (*run)(void);
	struct tk_test *next;
};

/* What TK_TEST() calls; @test lives as long as the program. */
TK_API void tk_register(struct tk_test *test);
/* What TK_MAIN() calls; returns the exit code.  @plugin: the default for tk_plugin(), or NULL. */
TK_API int tk_main(int argc, char **argv, const char *plugin);

#define TK_TEST_(name_, must_fail_)                                                                \
	static void name_(void);                                                                   \
	__attribute__((constructor)) static void tk_register_##name_(void)                         \
	{                                                                                          \
		static struct tk_test tk_this = { #name_, __FILE__, must_fail_, __LINE__, name_,   \
			NULL };                                                                    \
		tk_register(&tk_this);                                                             \
	}                                                                                          \
	static void name_(void)

/* A test: a function body follows. */
#define TK_TEST(name) TK_TEST_(name, NULL)
/* A test that must fail with a sentence in which @text occurs. */
#define TK_TEST_FAILS(name, text) TK_TEST_(name, text)

/* Build with -DTENON_TESTKIT_PLUGIN="\"/path/to/plugin.so\"" to say what is tested. */
#ifdef TENON_TESTKIT_PLUGIN
#define TK_PLUGIN_ TENON_TESTKIT_PLUGIN
#else
#define TK_PLUGIN_ NULL
#endif
/* The program's main(); once, in one of its files. */
#define TK_MAIN()                                                                                  \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return tk_main(argc, argv, TK_PLUGIN_);                                            \
	}

/*
 * Runs @fn in a process of its own under the time limit, with everything that holds for a test.
 * 0 when it came through, else 1 and the sentence in @why.  For tools that run checks of their own.
 */
TK_API int tk_isolated(void (*fn)(void *arg), void *arg, char *why, size_t room);

/* Fails the test; does not return.  [any] */
TK_API void tk_fail_at(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));
/* Says something in the output, as a TAP comment.  [any] */
TK_API void tk_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the macros below call. */
TK_API void tk_check_eq(const char *file, int line, const char *what, long long a, long long b);
TK_API void tk_check_str(
	const char *file, int line, const char *what, const char *a, const char *b);
TK_API void tk_check_has(
	const char *file, int line, const char *what, const char *text, const char *part);
TK_API void tk_check_mem(
	const char *file, int line, const char *what, const void *a, const void *b, size_t n);

/* Each fails the test, naming file, line and what was found, unless its arguments are: equal as
 * numbers; true; equal as strings; @a a string that has @b in it; equal in their first @n bytes. */
#define TK_EQ(a, b)        tk_check_eq(__FILE__, __LINE__, #a " == " #b, (long long)(a), (long long)(b))
#define TK_TRUE(a)         ((a) ? (void)0 : tk_fail_at(__FILE__, __LINE__, "%s does not hold", #a))
#define TK_STR(a, b)       tk_check_str(__FILE__, __LINE__, #a, (a), (b))
#define TK_HAS_TEXT(a, b)  tk_check_has(__FILE__, __LINE__, #a, (a), (b))
#define TK_MEM_EQ(a, b, n) tk_check_mem(__FILE__, __LINE__, #a " == " #b, (a), (b), (n))
#define TK_FAIL(...)       tk_fail_at(__FILE__, __LINE__, __VA_ARGS__)

/* ---- the plugin ---- */

/*
 * Loads the plugin at @path and runs its init, once.  NULL: what the environment variable
 * TENON_TESTKIT_PLUGIN names, else what TK_MAIN() was built with.  tk_create() does it by itself.
 */
TK_API const struct tenon_plugin *tk_plugin(const char *path);
/* The same, but NULL when it cannot be used; tk_error() says why. */
TK_API const struct tenon_plugin *tk_plugin_try(const char *path);
/* Whether a class's table of settings is one, as the core sees it: 0, or -EINVAL; tk_error(). */
TK_API int tk_check_keys(const char *type, const struct tenon_key *keys);
/* Makes the host lack a service from now on ("tenon.clock/1"); for the plugin's init. */
TK_API void tk_lack_service(const char *id);

/* ---- life ---- */

/*
 * A running device: created, attached, started and, for a virtio device, taken over by a driver
 * that accepts every feature and sets up every queue at its largest.  @type is a class of the
 * plugin; @settings as in a configuration file.  Devices that a test leaves are destroyed at its
 * end.
 */
TK_API struct tk_dev *tk_device(const char *type, const char *settings);
/* The same without the driver. */
TK_API struct tk_dev *tk_started(const char *type, const char *settings);

/* Step by step.  tk_create(): NULL when the settings or the device's create refuse; tk_error(). */
TK_API struct tk_dev *tk_create(const char *type, const char *settings);
/* The class's functions; 0, or what the device said, as tk_error() has it. */
TK_API int tk_attach(struct tk_dev *d);
TK_API int tk_start(struct tk_dev *d);
TK_API int tk_quiesce(struct tk_dev *d);
TK_API int tk_resume(struct tk_dev *d);
TK_API void tk_reset(struct tk_dev *d); /* of the machine */
/* The class's, in any state that attach has led to; then looks for what was left behind. */
TK_API void tk_detach(struct tk_dev *d);
/* From any state: quiesces and detaches first where need be.  Checks that nothing is left. */
TK_API void tk_destroy(struct tk_dev *d);

/* ---- state ---- */

/* A device's saved state; those that a test leaves are freed at its end. */
struct tk_state;

/*
 * Saves the device, quiesced or loaded and not yet started: the virtio layer's part and the
 * class's.  NULL when that fails; tk_error().
 */
TK_API struct tk_state *tk_save(struct tk_dev *d);
/*
 * Loads a state of the same type into a device that is attached and not started; guest memory is as
 * it is.  0, or why it was refused, as tk_error() has it: then the device is to be destroyed.
 */
TK_API int tk_load(struct tk_dev *d, const struct tk_state *s);
/*
 * The driver, with its queues and buffers, leaves a device that is about to be destroyed, and goes
 * to the one that is attached in its place.  NULL = there was none.
 */
struct tk_driver;
TK_API struct tk_driver *tk_take_driver(struct tk_dev *d);
TK_API void tk_give_driver(struct tk_dev *d, struct tk_driver *driver);
/*
 * All at once: saves @d, which runs, and puts a new device of these settings in its place, which
 * runs as well and has the driver.  @d is gone.  What fails, fails the test.
 */
TK_API struct tk_dev *tk_replace(struct tk_dev *d, const char *type, const char *settings);

/* The bytes; @s owns them. */
TK_API const void *tk_state_bytes(const struct tk_state *s);
TK_API size_t tk_state_size(const struct tk_state *s);
/* A state of any bytes. */
TK_API struct tk_state *tk_state_of(const void *bytes, size_t size);
TK_API void tk_state_free(struct tk_state *s);
/* A value at every depth is named by its place, as "device 1/virtio 3/2 u8"; NULL past the last.
 */
TK_API const char *tk_state_name(const struct tk_state *s, unsigned index);
/* The state without value @index, the lengths around it put right; NULL past the last. */
TK_API struct tk_state *tk_state_without(const struct tk_state *s, unsigned index);
/* The state with every bit of the value turned over. */
TK_API struct tk_state *tk_state_flipped(const struct tk_state *s, unsigned index);
/* The name of the first value that is not the same in both; NULL = they are equal. */
TK_API const char *tk_state_differs(const struct tk_state *a, const struct tk_state *b);

/*
 * Loads @s into fresh devices, damaged in every way: cut off at every byte, without each value,
 * with each value turned over, and with every call of a service failing once.  Each is refused with
 * a sentence, or accepted; one that is accepted is saved, started, run and quiesced.  Guest memory
 * is the same for each.  Returns how many loads there were.  The device that @s comes from is gone,
 * for both may not fit a machine.
 */
TK_API unsigned tk_state_sweep(const struct tk_state *s, const char *type, const char *settings);

/*
 * The device's firmware description as text, a line for each node and thing, or NULL when the
 * device refused:
 *	serial: compatible=ns16550a hid=PNP0501 pio=0x3f8+8 irq=4 clock-frequency=1843200
 *	power-registers: pio=0x604 sleep-control=0 sleep-status=1 reset=2 reset-value=1
 *	power-button: irq=5
 */
TK_API const char *tk_describe(struct tk_dev *d);

/* Why the last thing that failed did: the sentence that a user of the core would read; "" = none.
 */
TK_API const char *tk_error(void);
/* Lines logged at @level (TENON_LOG_*) so far. */
TK_API unsigned tk_log_count(uint32_t level);
/* Whether a line with @part in it was logged. */
TK_API int tk_log_has(const char *part);
/* Forgets them. */
TK_API void tk_log_clear(void);

/* ---- loop and clock ---- */

/* Runs callbacks until there is none left to run.  One that never ends fails the test.  All devices
 * share the loop; @d is for reading. */
TK_API void tk_run_until_idle(struct tk_dev *d);
/* One round; 0 when there was nothing to do. */
TK_API int tk_step(void);
/* For how many milliseconds of the real clock the loop waits for a device whose rings another
 * process works on, before it is idle; 250 unless said otherwise. */
TK_API void tk_patience(unsigned ms);
/* Waits until a descriptor that a device watches, or the call of a ring that another process works
 * on, has something for tk_step(); 0 when @ms of the real clock went by without. */
TK_API int tk_wait(unsigned ms);
/* Moves the clock, stopping at each timer on the way. */
TK_API void tk_advance_ms(uint64_t ms);
TK_API void tk_advance_ns(uint64_t ns);
/* What the device's clocks say.  [any] */
TK_API uint64_t tk_now_ns(void);
/* Jobs of tenon.work/1 run in tk_step() (0, so it begins) or on a thread (1). */
TK_API void tk_work_on_thread(int on);

/* ---- registers, interrupts ---- */

/* Accesses window @window (in the order of creation) as a vCPU does.  [any] */
TK_API uint64_t tk_read(struct tk_dev *d, unsigned window, uint64_t offset, uint32_t size);
TK_API void tk_write(
	struct tk_dev *d, unsigned window, uint64_t offset, uint32_t size, uint64_t value);
/* Where the window is; 0, or -ENOENT past the last.  TENON_ADDR_ANY = not mapped. */
TK_API int tk_window(struct tk_dev *d, unsigned window, uint32_t *ret_space, uint64_t *ret_address,
	uint64_t *ret_size);
/* The platform has no ports (1): TENON_SPACE_PIO is refused with -ENOTSUP. */
TK_API void tk_no_ports(int on);
/* How often doorbells of the device rang. */
TK_API unsigned tk_doorbells(struct tk_dev *d);

/* Edges on all of the device's interrupts, level changes to 1 included. */
TK_API unsigned tk_irqs(struct tk_dev *d);
/* Counts from 0 again. */
TK_API void tk_irqs_clear(struct tk_dev *d);
/* One of them, in the order of allocation. */
TK_API unsigned tk_irq_edges(struct tk_dev *d, unsigned index);
TK_API unsigned tk_irq_level(struct tk_dev *d, unsigned index);
TK_API int tk_irq_number(struct tk_dev *d, unsigned index); /* -ENOENT past the last */

/* ---- guest memory ---- */

/*
 * Three regions of RAM and one that the guest cannot write; around each the host has guard pages.
 * A and B adjoin in the guest's addresses and nowhere else: what lies across TK_RAM_B comes in two
 * pieces.  Between B and C is a hole.
 */
#define TK_RAM_SIZE 0x100000u
#define TK_RAM_A    0x10000000ull
#define TK_RAM_B    0x10100000ull
#define TK_HOLE     0x10200000ull /* TK_RAM_SIZE bytes of nothing */
#define TK_RAM_C    0x10300000ull
#define TK_ROM      0x10500000ull /* TK_ROM_SIZE bytes, read-only */
#define TK_ROM_SIZE 0x10000u

/* Host address of a range that lies in one piece. */
TK_API void *tk_mem(uint64_t gpa, size_t size);
/* Writes as the driver does (@data NULL: zeroes); the range may cross from A to B. */
TK_API void tk_put(uint64_t gpa, const void *data, size_t size);
/* Zeroed memory that nothing else has, in region C. */
TK_API uint64_t tk_alloc(size_t size, size_t align);
/* Gives back what tk_alloc() gave. */
TK_API void tk_release(uint64_t gpa);
/* From now on the device may change only what is allowed; tk_mem_check() fails the test if it
 * changed something else.  Buffers and rings of the driver below are allowed by themselves; what
 * the test changes meanwhile goes through tk_put(). */
TK_API void tk_mem_watch(void);
TK_API void tk_mem_allow(uint64_t gpa, uint64_t size);
TK_API void tk_mem_check(void);

/* ---- terminal ---- */

/* Keys are pressed; the device takes them when the loop runs. */
TK_API void tk_type(const char *text);
TK_API void tk_type_bytes(const void *bytes, size_t size);
TK_API void tk_close_input(void);   /* end of input, after what was typed */
TK_API size_t tk_input_left(void);  /* bytes typed that no device has taken */
TK_API const char *tk_output(void); /* what was written, with a NUL at its end */
TK_API size_t tk_output_size(void); /* of it, in bytes */
/* Forgets what was written so far. */
TK_API void tk_output_clear(void);
TK_API void tk_output_room(size_t size); /* takes that many more bytes; SIZE_MAX = all */
/* The window's size changes; the device hears of it. */
TK_API void tk_resize(uint32_t columns, uint32_t rows);
TK_API void tk_no_terminal(void); /* a pipe: size() says -ENOTTY */

/* ---- screens ---- */

/*
 * The kit is viewer and drawer, keyboard and person, to a device that is one of them.  @screen
 * counts from 0.
 */
struct tenon_surface;
struct tenon_input_event;
struct tenon_rect;

/* What the device draws: 0 and the surface, whose pixels stay till the loop runs; -ENODATA = dark.
 */
TK_API int tk_screen(struct tk_dev *d, unsigned screen, struct tenon_surface *ret_surface);
/* What it said of changes since the last call, as one rectangle; 0 = nothing, else how often. */
TK_API unsigned tk_screen_damage(struct tk_dev *d, unsigned screen, struct tenon_rect *ret_rect);
/* Where its cursor is; 0 = not seen.  @ret_argb: its pixel at the hot spot. */
TK_API int tk_screen_cursor(
	struct tk_dev *d, unsigned screen, int32_t *ret_x, int32_t *ret_y, uint32_t *ret_argb);
/* A viewer wants that size. */
TK_API void tk_screen_resize(struct tk_dev *d, unsigned screen, uint32_t width, uint32_t height);

/* To a viewer: @surface is shown from now on (NULL: nothing), @rect of it has changed.  The kit
 * draws one screen; to be called before the device is started, too. */
TK_API void tk_show(const struct tenon_surface *surface);
TK_API void tk_show_damage(const struct tenon_rect *rect);
TK_API void tk_show_cursor(int32_t x, int32_t y, int visible, uint32_t size, uint32_t argb);
/* The size that a viewer asked for last; 0, or -ENOENT. */
TK_API int tk_wanted_size(uint32_t *ret_width, uint32_t *ret_height);
/* Somebody wants a picture. */
TK_API void tk_want_picture(void);

/* What viewers have handed on, as an input device of every kind would get it; returns how many
 * events there were, of which the first @room are stored, and forgets them. */
TK_API unsigned tk_input_events(struct tenon_input_event *events, unsigned room);
/* Hands events on to an input device: 0, or what the core would answer. */
TK_API int tk_input(uint32_t kind, const struct tenon_input_event *events, unsigned n);

/* ---- power ---- */

/* How often the device said so; the last mark, and how many. */
TK_API unsigned tk_power_offs(struct tk_dev *d);
TK_API unsigned tk_power_resets(struct tk_dev *d);
TK_API unsigned tk_power_marks(struct tk_dev *d, uint64_t *ret_last);
/* Somebody asks for an orderly shutdown. */
TK_API void tk_press_button(struct tk_dev *d);

/* ---- fault injection ---- */

/*
 * The @n-th call of the kind from now on fails, once; 0 = none.  It holds for calls from the
 * plugin's own code: the kit puts its functions into the plugin's table of imported symbols, so the
 * file under test is the one that ships and nothing else in the process is touched.
 */
#define TK_FAIL_ALLOC   0u /* malloc, calloc, realloc, strdup, asprintf, ...: NULL, ENOMEM */
#define TK_FAIL_SERVICE 1u /* a service function that can fail, and the host's memory for it */
#define TK_FAIL_READ    2u /* read, pread, readv, recv, getrandom, ...: -1, EIO */
#define TK_FAIL_WRITE   3u /* write, pwrite, writev, send, ...: -1, EIO */
#define TK_FAIL_OPEN    4u /* open, openat, socket, eventfd, ...: -1, EMFILE */
#define TK_FAIL_KINDS   5u

TK_API void tk_fail_nth(unsigned kind, unsigned n);
/* The errno of that call, instead of the kind's own; after tk_fail_nth(). */
TK_API void tk_fail_as(int error);
TK_API int tk_fail_fired(void);          /* whether a call failed since */
TK_API unsigned tk_calls(unsigned kind); /* calls since tk_fail_nth() */

/* How many blocks of memory the plugin's own code has allocated and not yet freed.  [any] */
TK_API size_t tk_live_blocks(void);

/*
 * Takes a device through create, attach, start, quiesce, detach and destroy with every call of
 * every kind failing once; each time nothing may be left, memory included, and a step that fails
 * must say so.  Returns how many calls were made to fail.
 */
TK_API unsigned tk_fault_sweep(const char *type, const char *settings);

/* ---- virtio: the driver's side ---- */

#define TK_F_INDIRECT  (1ull << 28)
#define TK_F_EVENT_IDX (1ull << 29)
#define TK_F_VERSION_1 (1ull << 32)

#define TK_S_ACKNOWLEDGE 1u
#define TK_S_DRIVER      2u
#define TK_S_DRIVER_OK   4u
#define TK_S_FEATURES_OK 8u
#define TK_S_NEEDS_RESET 64u
#define TK_S_FAILED      128u

/* Whether its attach made it a virtio device. */
TK_API int tk_is_virtio(struct tk_dev *d);
/* A register of the virtio-mmio window (4.2.2), 32 bits.  [any] */
TK_API uint32_t tk_reg(struct tk_dev *d, uint32_t offset);
TK_API void tk_set_reg(struct tk_dev *d, uint32_t offset, uint32_t value);

/* What its registers say of it. */
TK_API uint32_t tk_device_id(struct tk_dev *d);
TK_API unsigned tk_n_queues(struct tk_dev *d);
TK_API uint64_t tk_features(struct tk_dev *d); /* offered */
/* Up to FEATURES_OK with those of @features that are offered; -EINVAL when it does not stick. */
TK_API int tk_negotiate(struct tk_dev *d, uint64_t features);
/* Sets queue @queue up with @size entries, 0 = its largest; -EINVAL when it does not become ready.
 */
TK_API int tk_queue(struct tk_dev *d, unsigned queue, uint32_t size);
/* DRIVER_OK; -EIO when the device asks for a reset thereupon. */
TK_API int tk_driver_ok(struct tk_dev *d);
/* All of that, after a reset. */
TK_API int tk_driver(struct tk_dev *d, uint64_t features, uint32_t queue_size);
/* The device status (2.1): TK_S_*. */
TK_API uint32_t tk_status(struct tk_dev *d);
/* Resets the device; the driver forgets its queues and chains. */
TK_API void tk_driver_reset(struct tk_dev *d);

/* @size (1, 2, 4, 8) bytes of the configuration, as a number. */
TK_API uint64_t tk_config(struct tk_dev *d, uint32_t offset, uint32_t size);
TK_API void tk_set_config(struct tk_dev *d, uint32_t offset, uint32_t size, uint64_t value);

/* Shared memory region @id (2.10) as the driver finds it, and its size; NULL when there is none. */
TK_API void *tk_shm(struct tk_dev *d, uint32_t id, uint64_t *ret_size);

/*
 * Make one chain available, without a kick.  Out is what the device reads, in what it fills.
 * Buffers are allocated in guest memory, each surrounded by bytes that tk_mem_check() looks after.
 */
TK_API struct tk_buf *tk_in(struct tk_dev *d, unsigned queue, size_t in_size);
TK_API struct tk_buf *tk_out(struct tk_dev *d, unsigned queue, const void *data, size_t size);
TK_API struct tk_buf *tk_request(
	struct tk_dev *d, unsigned queue, const void *data, size_t size, size_t in_size);
/* The general form: parts in order; gpa 0 = allocate; data may be NULL. */
struct tk_part {
	uint64_t gpa;
	const void *data; /* copied to the buffer of an out part */
	uint32_t size;
	uint32_t in; /* 1: the device writes it */
};
TK_API struct tk_buf *tk_chain(
	struct tk_dev *d, unsigned queue, const struct tk_part *parts, unsigned n);
/* Chains go through indirect tables from now on, where that was negotiated. */
TK_API void tk_use_indirect(struct tk_dev *d, int on);

/* Rings the queue's doorbell; the device works when the loop runs. */
TK_API void tk_kick(struct tk_dev *d, unsigned queue);
/* Whether the device wants to be kicked for what was added since the last kick. */
TK_API int tk_kick_wanted(struct tk_dev *d, unsigned queue);
/* Whether the driver wants interrupts: the flag or, with event-idx, an index at or away from the
 * next used one. */
TK_API void tk_want_irqs(struct tk_dev *d, unsigned queue, int on);
/* Takes back what the device has used; returns how many chains.  tk_used_len() does it by itself.
 */
TK_API unsigned tk_reap(struct tk_dev *d, unsigned queue);
/* What the used ring says was written; -1 = not used yet. */
TK_API long long tk_used_len(struct tk_buf *b);
/* The in parts, one after the other, as far as @size goes; returns how many bytes. */
TK_API size_t tk_in_bytes(struct tk_buf *b, void *to, size_t size);
/* The only in part, in place. */
TK_API const void *tk_in_data(struct tk_buf *b);
/* Gives its memory back, once it is used. */
TK_API void tk_free(struct tk_buf *b);

/* The raw ring of a queue that is set up, for tests that break it on purpose. */
struct tk_ring {
	uint32_t size;
	uint64_t desc, avail, used;
};
/* Reads and writes it as a driver does, with no check at all. */
TK_API struct tk_ring tk_ring(struct tk_dev *d, unsigned queue);
TK_API void tk_set_desc(struct tk_dev *d, unsigned queue, unsigned index, uint64_t addr,
	uint32_t len, uint16_t flags, uint16_t next);
TK_API void tk_set_avail(struct tk_dev *d, unsigned queue, uint16_t slot, uint16_t head);
TK_API void tk_set_avail_idx(struct tk_dev *d, unsigned queue, uint16_t idx);
TK_API uint16_t tk_avail_idx(struct tk_dev *d, unsigned queue);
TK_API uint16_t tk_used_idx(struct tk_dev *d, unsigned queue);

/* ---- the hostile driver ---- */

/*
 * Runs every case against the started device, queue by queue, with all features and with as few as
 * can be.  Each case must end in NEEDS_RESET, in a refusal or in something that the specification
 * lets pass; the device must touch nothing that it was not given, come to rest, and work for the
 * next driver.  Prints the count and returns it.  A device that is no virtio device has its
 * registers accessed at random.
 */
TK_API unsigned tk_hostile_run(struct tk_dev *d);
/* One case by its name; 0 when there is none of that name or it does not apply. */
TK_API unsigned tk_hostile_one(struct tk_dev *d, const char *name);
/* Name and one line about case @index; 0, or -ENOENT past the last. */
TK_API int tk_hostile_case(unsigned index, const char **ret_name, const char **ret_what);

#ifdef __cplusplus
}
#endif

#endif
