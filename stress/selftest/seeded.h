/* SPDX-License-Identifier: MIT */
/*
 * Small concurrent programs, each right and with one bug, to see that the explorer finds the bug
 * and says nothing about the rest. Compiled like the library: with the compiler's hooks.
 */
#ifndef SELFTEST_SEEDED_H
#define SELFTEST_SEEDED_H

#include <stdbool.h>
#include <stddef.h>

struct seeded {
	const char *name;
	const char *bug;
	const char *letter; /* the rule that the bug breaks */
	unsigned threads;
	void (*body)(void *memory, unsigned thread, bool buggy);
	bool (*right)(void *memory); /* the final state; NULL: anything */
	bool weak;                   /* the bug shows only where loads may read older values */
};

#define SEEDED_BYTES 512

extern const struct seeded seeded[];
extern const unsigned seeded_count;

#endif
