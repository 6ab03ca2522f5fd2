/* SPDX-License-Identifier: Apache-2.0 */
/* tenon-plugin-check FILE: the command line, the order of the checks, the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/check/check.h"

#define FILE_SIZE (4 << 20) /* of the file for settings of type path */

#define LOADED "elf imports exports"
#define USABLE LOADED " descriptor classes keys init"
#define WORKS  USABLE " create attach run"

const struct check checks[] = {
	{ "elf", "", false, "the file is a shared object for this machine", check_elf },
	{ "exports", "elf", false, "it exports its description and nothing else", check_exports },
	{ "imports", "elf", false, "what it needs is in libraries that it links", check_imports },
	{ "binding", "elf", false, "symbols are bound at load", check_binding },
	{ "sections", "elf", false, "no writable tables, code or stack", check_sections },
	{ "constructors", "elf", false, "no code runs at load", check_constructors },
	{ "descriptor", LOADED, false, "the plugin's description is in order", check_descriptor },
	{ "classes", LOADED " descriptor", false, "so are its classes", check_classes },
	{ "keys", LOADED " descriptor classes", false, "so are their settings", check_keys },
	{ "note", LOADED " descriptor classes", false, "the note says the same", check_note },
	{ "init", LOADED " descriptor classes keys", false, "it starts, or says what it lacks",
		check_init },
	{ "create", USABLE, true, "an instance can be created and destroyed", check_create },
	{ "attach", USABLE " create", true, "attached, described, detached", check_attach },
	{ "run", USABLE " create attach", true, "started, quiesced, resumed", check_running },
	{ "services", WORKS, true, "a core without this or that is survived", check_services },
	{ "leaks", WORKS, true, "a thousand instances leave nothing behind", check_leaks },
	{ "faults", WORKS " leaks", true, "every call may fail, once", check_faults },
	{ "lifecycle", WORKS, true, "odd orders are survived", check_lifecycle },
	{ "state", WORKS, true, "saved, loaded and saved is the same", check_state },
	{ "conformance", WORKS, true, "virtio 1.2, section by section", check_conformance },
	{ "hostile", WORKS, true, "a hostile driver gets nowhere", check_hostile },
	{ NULL, NULL, false, NULL, NULL },
};

static const char usage[] =
	"usage: tenon-plugin-check [OPTION...] FILE\n"
	"  --set TYPE.KEY=VALUE  a setting for the devices that are made; may be repeated\n"
	"  --only NAME,...       these checks alone\n"
	"  --timeout SECONDS     that a check may take; 60\n"
	"  --patience MS         that a device whose rings another process works on is waited\n"
	"                        for before it counts as idle; 250\n"
	"  --verbose             every test of the conformance suite\n"
	"  --json                for programs\n"
	"  --dump                print what the plugin says of itself, check nothing\n"
	"  --list                print the checks\n"
	"  --help, --version\n"
	"Exit codes: 0 every check passed, 1 some did not, 2 it could not be checked.\n";

/* ---- which checks ---- */

#define MAX_CHECKS 32u

/* By check and class; whole-file checks have class 0. */
static enum verdict verdict_of[MAX_CHECKS][MAX_CLASSES];
static bool tried[MAX_CHECKS][MAX_CLASSES];

static bool in_words(const char *words, const char *name, const char *separators)
{
	size_t size = strlen(name);

	for (const char *p = words; *p;) {
		size_t n = strcspn(p, separators);

		if (n == size && memcmp(p, name, n) == 0)
			return true;
		p += n + (p[n] != '\0');
	}
	return false;
}

/* The first check that has to pass before this one and did not; NULL = none. */
static const struct check *missing(const struct check *c, unsigned cls)
{
	for (unsigned i = 0; checks[i].name; i++) {
		unsigned of = checks[i].per_class ? cls : 0;

		if (in_words(c->needs, checks[i].name, " ") && tried[i][of] &&
			verdict_of[i][of] == VERDICT_FAILED)
			return &checks[i];
	}
	return NULL;
}

struct count {
	unsigned n[3];
};

static void run_one(const struct options *options, unsigned index, const struct survey *survey,
	unsigned cls, struct count *count)
{
	static struct result result;
	const struct check *c = &checks[index], *first = missing(c, cls);
	struct subject s = { options, c->per_class ? &survey->classes[cls] : NULL };
	bool begin = count->n[0] + count->n[1] + count->n[2] == 0;

	if (options->only && !in_words(options->only, c->name, ","))
		return;
	if (first) {
		result = (struct result){ .check = c->name, .verdict = VERDICT_SKIPPED };
		(void)snprintf(
			result.subject, sizeof(result.subject), "%s", s.cls ? s.cls->type : "");
		(void)snprintf(
			result.text, sizeof(result.text), "because \"%s\" failed", first->name);
	} else {
		check_run(c, &s, &result);
	}
	/* What was not tried for want of another is as good as failed to those that need it. */
	tried[index][cls] = true;
	verdict_of[index][cls] = first ? VERDICT_FAILED : result.verdict;
	count->n[result.verdict]++;
	report_result(options, &result, begin);
}

static int run_all(const struct options *options)
{
	struct count count = { { 0, 0, 0 } };
	static struct survey survey;

	survey_run(options, &survey);
	report_begin(options, &survey);
	for (unsigned i = 0; checks[i].name; i++)
		if (!checks[i].per_class)
			run_one(options, i, &survey, 0, &count);
	for (unsigned cls = 0; cls < survey.n; cls++)
		for (unsigned i = 0; checks[i].name; i++)
			if (checks[i].per_class)
				run_one(options, i, &survey, cls, &count);
	report_end(options, count.n[VERDICT_PASSED], count.n[VERDICT_FAILED],
		count.n[VERDICT_SKIPPED]);
	return count.n[VERDICT_FAILED] || count.n[VERDICT_PASSED] == 0 ? 1 : 0;
}

static void list_checks(void)
{
	for (const struct check *c = checks; c->name; c++)
		(void)printf("%-12s %s%s\n", c->name, c->what, c->per_class ? ", each class" : "");
}

/* ---- temporary files ---- */

static bool make_folder(struct options *options)
{
	const char *tmp = getenv("TMPDIR");
	char path[sizeof(options->folder) + 8];
	int fd;

	(void)snprintf(options->folder, sizeof(options->folder), "%.200s/tenon-check-XXXXXX",
		tmp && tmp[0] ? tmp : "/tmp");
	if (!mkdtemp(options->folder))
		return false;
	(void)snprintf(path, sizeof(path), "%s/file", options->folder);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (ftruncate(fd, FILE_SIZE) < 0) {
		(void)close(fd);
		return false;
	}
	return close(fd) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void remove_folder(const struct options *options)
{
	(void)nftw(options->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- the command line ---- */

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fprintf(stderr, "tenon-plugin-check: ");
	(void)vfprintf(stderr, format, args);
	(void)fprintf(stderr, "; see --help\n");
	va_end(args);
	return 2;
}

static bool names_are_known(const char *only)
{
	unsigned n = 1, known = 0;

	for (const char *p = only; *p; p++)
		n += *p == ',';
	for (const struct check *c = checks; c->name; c++)
		known += in_words(only, c->name, ",");
	return n == known;
}

static bool read_number(const char *text, unsigned *ret_number)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < 1 || n > 3600)
		return false;
	*ret_number = (unsigned)n;
	return true;
}

/* -1 = go on, else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = { { "set", required_argument, NULL, 's' },
		{ "only", required_argument, NULL, 'o' },
		{ "timeout", required_argument, NULL, 't' },
		{ "patience", required_argument, NULL, 'p' }, { "verbose", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' }, { "dump", no_argument, NULL, 'd' },
		{ "list", no_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "v", names, NULL)) != -1) {
		switch (c) {
		case 's':
			if (o->n_sets == MAX_SETS)
				return refuse("too many settings: \"%s\"", optarg);
			o->sets[o->n_sets++] = optarg;
			break;
		case 'o':
			o->only = optarg;
			if (!names_are_known(optarg))
				return refuse("unknown check in \"%s\"", optarg);
			break;
		case 't':
			if (!read_number(optarg, &o->timeout))
				return refuse("\"%s\" is no number of seconds, 1 to 3600", optarg);
			break;
		case 'p':
			if (!read_number(optarg, &o->patience_ms))
				return refuse(
					"\"%s\" is no number of milliseconds, 1 to 3600", optarg);
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'd':
			o->dump = true;
			break;
		case 'l':
			list_checks();
			return 0;
		case 'h':
			(void)fputs(usage, stdout);
			return 0;
		case 'V':
			(void)printf("tenon-plugin-check %s, ABI %u.%u\n", TENON_VERSION,
				(unsigned)TENON_ABI_MAJOR, (unsigned)TENON_ABI_MINOR);
			return 0;
		default:
			return 2; /* getopt has said it */
		}
	}
	if (optind + 1 != argc)
		return refuse("%s", optind == argc ? "a FILE is missing" : "more than one FILE");
	o->path = argv[optind];
	return -1;
}

int main(int argc, char **argv)
{
	static struct options options = { .timeout = 60, .patience_ms = 250 };
	char seconds[16];
	int ret = read_options(argc, argv, &options);

	if (ret >= 0)
		return ret;
	if (!realpath(options.path, options.full_path) || access(options.full_path, R_OK) < 0) {
		(void)fprintf(
			stderr, "tenon-plugin-check: %s: %s\n", options.path, strerror(errno));
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(seconds, sizeof(seconds), "%u", options.timeout);
	(void)setenv("TENON_TESTKIT_TIMEOUT", seconds, 1);
	if (!make_folder(&options)) {
		(void)fprintf(stderr, "tenon-plugin-check: cannot make a temporary file: %s\n",
			strerror(errno));
		ret = 2;
	} else if (options.dump) {
		ret = dump_run(&options) ? 0 : 2;
	} else {
		ret = run_all(&options);
	}
	if (options.folder[0])
		remove_folder(&options);
	return ret;
}
