/* SPDX-License-Identifier: Apache-2.0 */
/* console: what the lines of `ports` may say, and the sentence for each that they may not. */
#include <stdio.h>

#include <tenon/testkit.h>

static void refused(const char *ports, const char *why)
{
	char text[600];

	(void)snprintf(text, sizeof(text), "ports = ( %s );", ports);
	TK_TRUE(tk_create("console", text) == NULL);
	TK_HAS_TEXT(tk_error(), why);
}

TK_TEST(names_the_element_that_is_wrong)
{
	refused("\"terminal\", \"name=x\"", "element 2 of \"ports\" is \"name=x\": it does not say "
					    "where it leads; wanted one of terminal, file, socket, "
					    "pty, pipe or fd");
}

TK_TEST(refuses_what_it_does_not_know)
{
	refused("\"name=x,sokcet=y\"", "there is no \"sokcet\"; wanted name, terminal, file");
	refused("\"\"", "a word is missing");
	refused("\"terminal,\"", "a word is missing between its commas");
	refused("\"=x\"", "a word is missing");
}

TK_TEST(refuses_values_that_are_missing_or_too_many)
{
	refused("\"name=,pty\"", "\"name\" wants a value");
	refused("\"name,pty\"", "\"name\" wants a value");
	refused("\"file\"", "\"file\" wants a value");
	refused("\"file=\"", "\"file\" wants a value");
	refused("\"pty=\"", "\"pty=\" wants a value");
	refused("\"terminal=tty\"", "\"terminal\" takes no value");
	refused("\"socket=s,listen=yes\"", "\"listen\" takes no value");
}

TK_TEST(refuses_what_contradicts)
{
	refused("\"file=a,pty\"", "it is both file and pty");
	refused("\"name=a,name=b,pty\"", "\"name\" is there twice");
	refused("\"socket=s,listen,listen\"", "\"listen\" is there twice");
	refused("\"pty,listen\"", "\"listen\" is for sockets, this is a pty");
	refused("\"pty,append\"", "\"append\" is for files, this is a pty");
	refused("\"terminal\", \"terminal,name=x\"", "port 0 is on the terminal");
	refused("\"name=x,pty\", \"name=x,file=f\"", "port 0 has that name");
}

TK_TEST(refuses_names_that_are_no_file_names)
{
	char line[100] = "\"pty,name=";

	refused("\"pty,name=a/b\"", "the name has a character 0x2f");
	refused("\"pty,name=a\\nb\"", "the name has a character 0x0a");
	refused("\"pty,name=..\"", "the name is \"..\"");
	memset(line + 10, 'n', 64);
	line[74] = '"';
	refused(line, "the name has 64 bytes; wanted at most 63");
}

TK_TEST(refuses_descriptors_that_cannot_be)
{
	refused("\"fd=x\"", "fd is \"x\"; wanted N, or IN:OUT");
	refused("\"fd=:\"", "fd is \":\"; wanted N, or IN:OUT");
	refused("\"fd=7x\"", "fd is \"7x\"; wanted N, or IN:OUT");
	refused("\"fd=7:8:9\"", "wanted N, or IN:OUT");
	refused("\"fd=-1\"", "wanted N, or IN:OUT");
	refused("\"fd=1\"", "0, 1 and 2 are tenon's own");
	refused("\"fd=5:0\"", "0, 1 and 2 are tenon's own");
	refused("\"fd=99999999999999999999\"", "that number is too large");
}

TK_TEST(refuses_sockets_with_long_paths)
{
	char line[200] = "\"socket=/";

	memset(line + 9, 'p', 107);
	line[116] = '"';
	refused(line, "the path of the socket has 108 bytes; wanted at most 107");
}

TK_TEST(an_empty_list_is_as_none)
{
	TK_EQ(tk_n_queues(tk_device("console", "ports = ();")), 2);
}

TK_TEST(needs_memory)
{
	for (unsigned n = 1; n <= 3; n++) {
		tk_fail_nth(TK_FAIL_ALLOC, n);
		TK_TRUE(tk_create("console", "ports = ( \"file=x\" );") == NULL);
		TK_TRUE(tk_fail_fired());
	}
}

TK_MAIN()
