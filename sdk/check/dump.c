/* SPDX-License-Identifier: Apache-2.0 */
/* --dump: what the plugin's description says. */
#include <string.h>

#include "sdk/check/check.h"

static const char *type_name(uint32_t type)
{
	static const char *const names[] = { "unknown", "boolean", "integer", "size", "address",
		"string", "path", "choice", "MAC address", "descriptor" };

	return names[type < sizeof(names) / sizeof(names[0]) ? type : 0];
}

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static void field(const char *name, const char *text, const char *after)
{
	(void)printf("\"%s\": ", name);
	report_json_text(text);
	(void)fputs(after, stdout);
}

static const struct tenon_key *keys_of(const struct tenon_device_class *c)
{
	return TENON_HAS(c, keys) ? c->keys : NULL;
}

static void class_text(const struct tenon_device_class *c)
{
	(void)printf("class %s: %s\n", c->name, TENON_HAS(c, summary) ? c->summary : "");
	for (const struct tenon_key *k = keys_of(c); k && k->name; k++)
		(void)printf("  %s (%s%s%s%s%s%s%s): %s\n", k->name,
			k->flags & TENON_KEY_LIST ? "list, each " : "", type_name(k->type),
			k->flags & TENON_KEY_REQUIRED ? ", required" : "", k->values ? ", " : "",
			text_of(k->values), k->fallback ? ", default " : "", text_of(k->fallback),
			text_of(k->help));
}

static void class_json(const struct tenon_device_class *c, bool first)
{
	(void)printf("%s\n    { ", first ? "" : ",");
	field("type", c->name, ", ");
	field("summary", TENON_HAS(c, summary) ? c->summary : "", ", \"settings\": [");
	for (const struct tenon_key *k = keys_of(c); k && k->name; k++) {
		(void)printf("%s\n      { ", k == c->keys ? "" : ",");
		field("name", k->name, ", ");
		field("type", type_name(k->type), ", ");
		(void)printf("\"list\": %s, \"required\": %s, ",
			k->flags & TENON_KEY_LIST ? "true" : "false",
			k->flags & TENON_KEY_REQUIRED ? "true" : "false");
		field("default", k->fallback, ", ");
		field("values", k->values, ", ");
		field("help", k->help, " }");
	}
	(void)printf(" ] }");
}

void dump_plugin(const struct options *options, const struct tenon_plugin *p)
{
	if (!options->json) {
		(void)printf("id %s\nversion %s\nlicense %s\nabi %u.%u\n", text_of(p->id),
			text_of(p->version), text_of(p->license), p->abi_major, p->abi_minor);
		for (unsigned i = 0; TENON_HAS(p, devices) && p->devices[i]; i++)
			class_text(p->devices[i]);
		return;
	}
	(void)printf("{ ");
	field("id", p->id, ", ");
	field("version", p->version, ", ");
	field("license", p->license, ", ");
	(void)printf("\"abi\": \"%u.%u\", \"classes\": [", p->abi_major, p->abi_minor);
	for (unsigned i = 0; TENON_HAS(p, devices) && p->devices[i]; i++)
		class_json(p->devices[i], i == 0);
	(void)printf(" ] }\n");
}
