/* SPDX-License-Identifier: MIT */
/* What the library's speed is judged by: ratios to floors, each beside what it may be at most. */
#ifndef BENCH_MICRO_TARGETS_H
#define BENCH_MICRO_TARGETS_H

#include <stdbool.h>

/* Measure all targets and print a line for each. Returns an exit code: 0 also if some are missed. */
int targets_run(bool quick);

/* Run a kernel once, named KERNEL/SUBJECT, and print the number of operations. For callgrind. */
int targets_once(const char *name);

/* Print the names that targets_once() takes. */
int targets_list(void);

#endif
