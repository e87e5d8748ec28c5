/* SPDX-License-Identifier: MIT */
/* Disturbing threads at the library's points: by giving way, and by being late. */
#ifndef RUN_INJECT_H
#define RUN_INJECT_H

#include <stddef.h>
#include <stdint.h>

/* One in that many points; 0: never. Delays are up to @delay_ns long. */
struct inject {
	uint32_t yield, delay;
	uint64_t delay_ns;
};

/* What free nodes are filled with, so that whoever walks into one finds what cannot be. */
void inject_configure(const struct inject *inject, uint64_t garbage);

/* From now on this thread is disturbed, or not. */
void inject_thread(uint64_t seed, uint64_t stream);
void inject_thread_off(void);

/* A point of the harness's own. */
void inject_here(void);

#endif
