/* SPDX-License-Identifier: Apache-2.0 */
/* Where the environment is, for libraries too. */
#ifndef TENON_DARWIN_CRT_EXTERNS_H
#define TENON_DARWIN_CRT_EXTERNS_H

char ***_NSGetEnviron(void);

#endif
