/* SPDX-License-Identifier: MIT */
/*
 * A progress bar with the time left, on stderr and only if that is a terminal. One at a time, from
 * one thread.
 */
#ifndef BENCH_PROGRESS_H
#define BENCH_PROGRESS_H

#include <stddef.h>

/* `total` is in any unit in which work done grows evenly with time. */
void progress_start(double total);

/* `done` of the total is finished; `label` says what is being done now. */
void progress_update(double done, const char *label);

/* Clear the line, so that other output can be written; the next update draws it again. */
void progress_hide(void);

/* Clear the line for good. */
void progress_finish(void);

/*
 * The line as it would be drawn `elapsed` seconds after the start, at most `width` columns.
 * Separate from drawing so that it can be tested.
 */
void progress_line(char *line, size_t size, unsigned width, double done, double total,
		   double elapsed, const char *label);

#endif
