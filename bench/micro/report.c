/* SPDX-License-Identifier: MIT */
#include "report.h"

struct table *report_open(void)
{
	static const char *const columns[] = {"<what",    "<who",   ">figure",  ">+- %",
					      ">at most", ">ns/op", "<verdict", NULL};

	return table_create(columns);
}

void report_target(struct table *table, const char *what, const char *who, double *figures,
		   unsigned count, double most, double ns)
{
	struct summary summary = stats_summarize(figures, count);

	table_cell(table, "%s", what);
	table_cell(table, "%s", who);
	table_cell(table, "%.3f", summary.median);
	table_cell(table, "%.1f", stats_spread_percent(&summary));
	if (most > 0)
		table_cell(table, "%.2f", most);
	else
		table_skip(table);
	if (ns > 0)
		table_cell(table, "%.2f", ns);
	else
		table_skip(table);
	table_cell(table, "%s", most <= 0 ? "" : summary.median <= most ? "PASS" : "MISS");
}

double report_median(const double *values, unsigned count)
{
	double sorted[REPETITIONS_MOST + 1];

	memcpy(sorted, values, count * sizeof(*values));
	return stats_summarize(sorted, count).median;
}

void report_pair(struct table *table, const struct pair *pair, unsigned repetitions)
{
	double measured[REPETITIONS_MOST], base[REPETITIONS_MOST + 1];
	double ratios[REPETITIONS_MOST], noise[REPETITIONS_MOST], most = pair->most;
	struct summary summary;
	unsigned i;

	pair->base(pair->context); /* the first is not like the others */
	pair->measured(pair->context);
	for (i = 0; i < repetitions; i++) {
		base[i] = pair->base(pair->context);
		measured[i] = pair->measured(pair->context);
	}
	base[i] = pair->base(pair->context);
	for (i = 0; i < repetitions; i++) {
		ratios[i] = 2 * measured[i] / (base[i] + base[i + 1]);
		noise[i] = base[i + 1] / base[i];
	}
	summary = stats_summarize(noise, repetitions);
	if (pair->add_noise)
		most *= 1 + stats_spread_percent(&summary) / 100;
	report_target(table, pair->what, pair->who, ratios, repetitions, most,
		      report_median(measured, repetitions));
	report_target(table, pair->what, pair->base_who, noise, repetitions, 0,
		      report_median(base, repetitions + 1));
}
