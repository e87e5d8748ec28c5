/* SPDX-License-Identifier: MIT */
/* Runs of one program, compared; and made shorter while they differ. */
#ifndef DIFFERENTIAL_COMPARE_H
#define DIFFERENTIAL_COMPARE_H

#include "subject.h"

struct pair {
	struct subject *reference, *other;
	const struct program *program;
	bool keep[MAX_CALLS];
	bool threads; /* the other one runs it with all its threads at once */
	struct outcome *want, *got;
};

enum comparison {
	COMPARE_EQUAL,
	COMPARE_DIFFERENT,
	COMPARE_FAILED, /* no resources */
};

/* Run the program on the reference, whose outcome stays in `want`. */
enum comparison compare_reference(struct pair *p);
/* Run it on the other one. */
enum comparison compare_other(struct pair *p);

/* They differ: leave out calls while they still do. */
void compare_shrink(struct pair *p);

/* Where the outcomes differ, and the calls kept. */
void compare_print(const struct pair *p, FILE *out);

#endif
