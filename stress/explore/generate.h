/* SPDX-License-Identifier: MIT */
/*
 * Scenarios nobody wrote: every program of a given shape over a small alphabet of calls.
 *
 * A shape such as "1,2" says how many calls each thread makes. A generated scenario is named by what
 * it consists of, "gen-T-a-b.c": initial tree T, one thread that calls a, one that calls b, then c.
 */
#ifndef EXPLORE_GENERATE_H
#define EXPLORE_GENERATE_H

#include "scenario.h"

struct generator {
	unsigned threads;
	unsigned length[MAX_THREADS];
	unsigned tree;
	unsigned call[MAX_THREADS][MAX_STEPS]; /* index into the alphabet */
	bool started;
	char name[64], about[160];
	struct scenario scenario;
};

/* Return: false when @shape is no list of at most MAX_THREADS small numbers. */
bool generate_begin(struct generator *g, const char *shape);

/* The next program; NULL when all have been given out. Valid until the next call. */
const struct scenario *generate_next(struct generator *g);

/* The program of that name; NULL when it is none. */
const struct scenario *generate_named(struct generator *g, const char *name);

#endif
