/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "stats.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double stats_quantile(const double *sorted, size_t count, double q)
{
	double place = q * (double)(count - 1);
	size_t below = (size_t)floor(place);
	double part = place - (double)below;

	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

struct summary stats_summarize(double *values, size_t count)
{
	struct summary s = {0};

	if (!count)
		return s;
	qsort(values, count, sizeof(*values), compare);
	s.min = values[0];
	s.quartile1 = stats_quantile(values, count, 0.25);
	s.median = stats_quantile(values, count, 0.5);
	s.quartile3 = stats_quantile(values, count, 0.75);
	s.max = values[count - 1];
	return s;
}

double stats_spread_percent(const struct summary *summary)
{
	if (summary->median == 0)
		return 0;
	return 50 * (summary->quartile3 - summary->quartile1) / summary->median;
}

double stats_fairness(const double *values, size_t count)
{
	double least = count ? values[0] : 1, most = least;
	size_t i;

	for (i = 1; i < count; i++) {
		least = fmin(least, values[i]);
		most = fmax(most, values[i]);
	}
	return most > 0 ? least / most : 1;
}

double stats_jain(const double *values, size_t count)
{
	double sum = 0, squares = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		sum += values[i];
		squares += values[i] * values[i];
	}
	return squares > 0 ? sum * sum / ((double)count * squares) : 1;
}
