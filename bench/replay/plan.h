/* SPDX-License-Identifier: MIT */
/*
 * Which worker executes which event, and what it must wait for.
 *
 * The state that a trace describes is that of file order. Events that touch different pages may be
 * executed in any order, so a plan keeps file order only where it decides the outcome. Two events
 * conflict if they use the same address space and
 *   - the ranges of pages that they touch overlap, or
 *   - one of them concerns the space as a whole: the fork or exec that creates it, a fork that
 *     copies it, its exit.
 * An exec touches no page of the space that its thread leaves, but is over before that space exits.
 *
 * Each recorded thread belongs to one worker, and a worker executes the events of its threads in
 * file order. A conflict between workers becomes a wait: "go on when worker w has completed n of
 * its events". What a worker has waited for before is not waited for again, nor what precedes it in
 * its own queue. Waits point backwards in the file, so the earliest event that is not yet completed
 * never has to wait, and a replay cannot deadlock.
 */
#ifndef REPLAY_PLAN_H
#define REPLAY_PLAN_H

#include "trace.h"

struct plan_wait {
	uint32_t worker;
	uint32_t count; /* events of it to be completed */
};

struct plan_step {
	uint32_t event;
	uint32_t wait_end; /* waits[previous step's wait_end .. wait_end) */
};

struct plan_queue {
	struct plan_step *steps;
	struct plan_wait *waits;
	uint32_t nr_steps, nr_waits;
	size_t room_steps, room_waits;
};

struct plan {
	unsigned workers;
	struct plan_queue *queues;
	uint64_t conflicts; /* events that conflict with an earlier one of another worker */
	uint64_t waiting;   /* events that have waits left after the reduction */
};

void plan_build(const struct trace *t, unsigned workers, struct plan *ret);
void plan_free(struct plan *p);

#endif
