/* SPDX-License-Identifier: MIT */
/*
 * The pool by itself: threads take nodes from its chunks and give them back, without the magazines and
 * tables that come between otherwise. A node is one thread's at a time; none is lost.
 */
#ifndef EXPLORE_SPARES_H
#define EXPLORE_SPARES_H

#include "program.h"

/* STEP_NODES_TAKE: up to so many; STEP_NODES_GIVE: so many of those it has, if it has them. */
void spares_run(struct program *program, struct call *call, unsigned t);

void spares_setup(void);
/* As it is after set-up, back to that. */
void spares_snapshot(void);
void spares_restore(void);

/* Every node that the pool says it has can be taken, before anybody gives more. All are given back. */
void spares_tear_down(struct program *program);

#endif
