/* SPDX-License-Identifier: MIT */
/*
 * Schedules, and how they are written: "step:thread" for a switch, "step~thread" if the call left is
 * uninvoked, "step=alternative" for a pick; "serial" if there is nothing to say.
 */
#ifndef EXPLORE_SCHEDULE_H
#define EXPLORE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define SCHEDULE_MAX 256
#define SCHEDULE_ALTERNATIVES 32

/* The choices of a schedule that differ from the default, which is to go on if possible. */
struct schedule {
	unsigned count;
	struct schedule_switch {
		uint32_t step; /* before which possible scheduling point */
		uint8_t to;    /* a thread; an alternative */
		bool pick;
		bool uninvoked; /* the call of who is left has not done anything visible */
		bool preempts;
	} at[SCHEDULE_MAX];
};

bool schedule_parse(const char *text, struct schedule *ret);
void schedule_print(const struct schedule *schedule, FILE *out);

#endif
