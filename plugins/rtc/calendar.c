/* SPDX-License-Identifier: Apache-2.0 */
#include "calendar.h"

#define AFTERNOON 0x80u

uint8_t calendar_put(uint32_t value, struct calendar_form form)
{
	return (uint8_t)(form.binary ? value : value / 10 << 4 | value % 10);
}

uint32_t calendar_get(uint8_t reg, struct calendar_form form)
{
	return form.binary ? reg : (uint32_t)(reg >> 4) * 10 + (reg & 0xf);
}

uint8_t calendar_put_hour(uint32_t hour, struct calendar_form form)
{
	uint32_t twelve = hour % 12 == 0 ? 12 : hour % 12;

	if (form.hours24)
		return calendar_put(hour, form);
	return (uint8_t)(calendar_put(twelve, form) | (hour >= 12 ? AFTERNOON : 0));
}

uint32_t calendar_get_hour(uint8_t reg, struct calendar_form form)
{
	if (form.hours24)
		return calendar_get(reg, form);
	return calendar_get(reg & (uint8_t)~AFTERNOON, form) % 12 + (reg & AFTERNOON ? 12 : 0);
}
