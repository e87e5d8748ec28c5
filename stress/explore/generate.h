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
	unsigned slice, slices; /* give out the programs of one part, from 0, of so many */
	uint64_t number;        /* of the next program, of all */
	uint64_t swapped;       /* left out: another order of the threads is the same program */
	uint64_t idle;          /* left out: they sync what holds nothing */
	bool started;
	char name[64], about[160];
	struct scenario scenario;
};

extern const unsigned generate_calls, generate_trees; /* sizes of the alphabet */

/* Return: false when @shape is no list of at most MAX_THREADS small numbers. */
bool generate_begin(struct generator *g, const char *shape);

/* The next program of the slice; NULL when all have been given out. Valid until the next call. */
const struct scenario *generate_next(struct generator *g);

/* The program of that name; NULL when it is none. */
const struct scenario *generate_named(struct generator *g, const char *name);

#endif
