/* SPDX-License-Identifier: MIT */
/* What a set of repetitions says. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stddef.h>

struct summary {
	double min, quartile1, median, quartile3, max;
};

/*
 * Quantile `q` in 0..1 of `count` > 0 sorted values, interpolated linearly between neighbours (the
 * definition that R calls type 7).
 */
double stats_quantile(const double *sorted, size_t count, double q);

/* Sorts `values`. All zero if `count` is 0. */
struct summary stats_summarize(double *values, size_t count);

/* Half the distance of the quartiles, in percent of the median; 0 if the median is 0. */
double stats_spread_percent(const struct summary *summary);

/* The least of `count` values over the largest: 1 is fair, 0 means that one starved. */
double stats_fairness(const double *values, size_t count);

/* Jain's index: 1 is fair, 1/count means that one had everything. */
double stats_jain(const double *values, size_t count);

#endif
