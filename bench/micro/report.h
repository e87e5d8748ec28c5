/* SPDX-License-Identifier: MIT */
/* How a target is measured by pairs, and the line that says how it was met. */
#ifndef BENCH_MICRO_REPORT_H
#define BENCH_MICRO_REPORT_H

#include <string.h>

#include "stats.h"
#include "text_table.h"

#define REPETITIONS_MOST 31u

struct table *report_open(void);

/*
 * One line. @figures: what repetitions gave; will be sorted. @most: what their median may be; 0: it is
 * not judged. @ns: time of one operation, 0: not shown.
 */
void report_target(struct table *table, const char *what, const char *who, double *figures,
		   unsigned count, double most, double ns);

/* Does not sort what it is given. */
double report_median(const double *values, unsigned count);

/* What is measured, by something it is to be compared to: CPU time for one operation, in ns. */
struct pair {
	const char *what, *who, *base_who;
	double (*measured)(void *context);
	double (*base)(void *context);
	void *context;
	double most;
	bool add_noise; /* the spread of the base is added to `most` */
};

/* base, measured, base, measured ... base; each ratio is that to the mean of the two beside it. */
void report_pair(struct table *table, const struct pair *pair, unsigned repetitions);

#endif
