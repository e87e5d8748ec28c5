/* SPDX-License-Identifier: MIT */
/* Threads that make no progress: noticed by the main thread, which prints where they are. */
#ifndef RUN_WATCHDOG_H
#define RUN_WATCHDOG_H

#include "worker.h"

struct watchdog {
	uint64_t stall_ns;
	uint64_t looked_ns; /* at last */
	uint64_t seen[THREADS_MOST], stalled_ns[THREADS_MOST];
};

void watchdog_start(struct watchdog *d, uint64_t stall_ns);

/*
 * To be called now and then while workers should run, or should come to their stop @phase. If one has
 * not begun an operation for too long, print every thread's stack, say so and return false.
 */
bool watchdog_look(struct watchdog *d, struct arena *a, uint64_t phase);

#endif
