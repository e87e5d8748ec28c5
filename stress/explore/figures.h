/* SPDX-License-Identifier: MIT */
/*
 * What a table with statistics counts, while threads work, look at the figures, and register anew. The
 * sums must be those of the threads' shares, and no figure ever falls.
 */
#ifndef EXPLORE_FIGURES_H
#define EXPLORE_FIGURES_H

#include "program.h"

/*
 * In scenarios with a crowd, fill the first group of counters with other threads before the
 * scenario's register: so the next group is made by whoever of these counts first. Return: one of the
 * others, who creates the table; or NULL.
 */
struct pt_thread *figures_crowd(struct program *program);

/* As it is after set-up, back to that. */
void figures_snapshot(struct program *program);
void figures_restore(struct program *program);

/* STEP_STATS: look; STEP_REGISTER: the end of a registration and another one. */
void figures_run(struct program *program, struct call *call, unsigned t);

/* @nodes: how many the table has by the checker. */
void figures_judge(struct program *program, uint64_t nodes);
void figures_tear_down(void);

#endif
