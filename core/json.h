/* SPDX-License-Identifier: Apache-2.0 */
/* Text as JSON strings. */
#ifndef TENON_CORE_JSON_H
#define TENON_CORE_JSON_H

#include <stdio.h>

/* Writes @text with quotes, escaped as RFC 8259 wants; NULL becomes null. */
void json_text(FILE *out, const char *text);

#endif
