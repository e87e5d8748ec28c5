/* SPDX-License-Identifier: MIT */
/*
 * Counted frames that threads take, hand on and give back, and that tracked items of the table are.
 *
 * A step does nothing if the thread has no reference that it needs. What a thread holds is noted when
 * a call has succeeded, and forgotten before it is given back; so who is noted does hold it.
 */
#ifndef EXPLORE_FRAMES_H
#define EXPLORE_FRAMES_H

#include "oracle.h"
#include "program.h"

/* Create the frames; tracked items of @config's tables are such from now on. */
void frames_setup(struct program *program, struct pt_config *config);

/* State outside the arena: as it is after set-up, back to that. */
void frames_snapshot(void);
void frames_restore(void);

/* Make the calls of @call->step on one frame. */
void frames_run(struct call *call, unsigned t);

/* The references that @step's items need: before it, and back if it fails. */
void frames_take(const struct step *step);
void frames_give(const struct step *step);

/* A reference that a query has brought goes back. */
void frames_drop(pt_pa_t pa, unsigned level);

/* Counts are what threads hold and pages map; then all of it goes. */
void frames_judge(const struct page_state *final);
void frames_tear_down(void);

#endif
