/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as the MC146818's registers hold them: in binary or in BCD, with hours of 24 or of 12.
 */
#ifndef RTC_CALENDAR_H
#define RTC_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct calendar_form {
	bool binary, hours24;
};

/* A value from 0 to 99 as a register holds it, and back. */
uint8_t calendar_put(uint32_t value, struct calendar_form form);
uint32_t calendar_get(uint8_t reg, struct calendar_form form);

/* Hours have their afternoon in bit 7 where there are 12 of them. */
uint8_t calendar_put_hour(uint32_t hour, struct calendar_form form);
uint32_t calendar_get_hour(uint8_t reg, struct calendar_form form);

#endif
