/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "hardware.h"

/* Generated from the list of formats in meson.build. */
#define HARDWARE(name) extern const struct hardware hardware_##name;
#include "hardware.def"
#undef HARDWARE

static const struct hardware *const all[] = {
#define HARDWARE(name) &hardware_##name,
#include "hardware.def"
#undef HARDWARE
};

const struct hardware *hardware_find(const char *format)
{
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i]->format, format))
			return all[i];
	return NULL;
}
