/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const names[] = {
	[CLOCK_SHARED] = "shared",
	[CLOCK_TSC] = "tsc",
	[CLOCK_NONE] = "none",
};

#define NR_NAMES (sizeof(names) / sizeof(names[0]))

const char *clock_name(enum clock_mode mode)
{
	return (size_t)mode < NR_NAMES ? names[mode] : NULL;
}

bool clock_find(const char *name, enum clock_mode *ret_mode)
{
	for (size_t i = 0; i < NR_NAMES; i++)
		if (!strcmp(name, names[i])) {
			*ret_mode = (enum clock_mode)i;
			return true;
		}
	return false;
}

#define POWER_LEAF 0x80000007u
#define INVARIANT_TSC (1u << 8)

const char *clock_unsupported(enum clock_mode mode)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	if (mode == CLOCK_TSC && (!__get_cpuid(POWER_LEAF, &a, &b, &c, &d) || !(d & INVARIANT_TSC)))
		return "this processor's time stamp counter is not invariant";
#else
	if (mode == CLOCK_TSC)
		return "it is x86-64's time stamp counter";
#endif
	return NULL;
}

void clock_init(struct history_clock *c, enum clock_mode mode)
{
	c->mode = mode;
	atomic_init(&c->now, 1);
}
