/* SPDX-License-Identifier: Apache-2.0 */
/* What `ps` says of this process. */
#ifndef TENON_CORE_PROCESS_NAME_H
#define TENON_CORE_PROCESS_NAME_H

/* Where the arguments lie, which are the only place that there is for another text.  [main] */
void process_name_init(int argc, char **argv);
/*
 * @text in place of the arguments, as far as there is room where they were, and of the name of the
 * program what fits.  The arguments are gone: for a forked process that does not need them.  [main]
 */
void process_name_set(const char *text);
/* The name of the program alone.  [main] */
void process_name_set_short(const char *text);

#endif
