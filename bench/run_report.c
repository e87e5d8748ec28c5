/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

#include "run_report.h"
#include "text_table.h"

/* Three significant digits, and no more behind the point than that needs. */
static void cell_number(struct table *table, double value)
{
	int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;

	if (value > 0 && value < 0.1)
		table_cell(table, "%.2g", value);
	else
		table_cell(table, "%.*f", digits, value);
}

void report_ratio(struct table *table, double value, double reference)
{
	if (value > 0 && reference > 0)
		cell_number(table, value / reference);
	else
		table_cell(table, "-");
}

static double median_of(const struct configuration *configuration, enum figure figure)
{
	return configuration ? campaign_summary(configuration, figure).median : 0;
}

void report_title(const struct variant *variant, char *text, size_t size)
{
	char settings[160];

	settings_print(settings, sizeof(settings), &variant->settings, variant->workload->settings,
		       SETTINGS_TITLE);
	snprintf(text, size, "%s%s", variant->workload->name, settings);
}

/* Less than a kibibyte, as of toy tables, is not worth the width. */
static void cell_mib(struct table *table, uint64_t bytes)
{
	if (bytes && bytes < 1024)
		table_cell(table, "<.001");
	else
		cell_number(table, (double)bytes / 1048576);
}

static const struct pt_strategy_info *bare_of(const struct contender_list *contenders)
{
	for (size_t i = 0; i < contenders->count; i++)
		if (contenders->items[i].strategy->isolation == PT_ISOLATION_NONE)
			return contenders->items[i].strategy;
	return NULL;
}

double report_bare_cpu(const struct campaign *campaign)
{
	const struct pt_strategy_info *bare = bare_of(&campaign->options->contenders);

	return bare ? median_of(campaign_find(campaign, bare, 1), FIGURE_CPU) : 0;
}

static void add_row(const struct campaign *c, const struct configuration *configuration,
		    struct table *table)
{
	const struct configuration *baseline =
		campaign_find(c, c->options->baseline, configuration->threads);
	struct summary ops = campaign_summary(configuration, FIGURE_OPS);
	double cpu = median_of(configuration, FIGURE_CPU);
	char label[CONTENDER_NAME];

	table_cell(table, "%s",
		   contender_label(label, &c->options->contenders, configuration->contender));
	table_cell(table, "%u", configuration->threads);
	cell_number(table, ops.median / 1e6);
	table_cell(table, "%.1f", stats_spread_percent(&ops));
	report_ratio(table, ops.median, median_of(baseline, FIGURE_OPS));
	cell_number(table, median_of(configuration, FIGURE_WALL));
	cell_number(table, cpu);
	report_ratio(table, cpu, report_bare_cpu(c));
	table_cell(table, "%.2f", median_of(configuration, FIGURE_CPU_OVER_WALL));
	if (c->variant->workload->min_threads > 1)
		cell_number(table, median_of(configuration, FIGURE_BACKGROUND_OPS) / 1e6);
	else
		table_cell(table, "%.2f", median_of(configuration, FIGURE_FAIRNESS));
	cell_mib(table, configuration->node_bytes);
	cell_mib(table, configuration->retired_bytes_max);
	table_cell(table, "%zu/%zu", campaign_disturbed(configuration), configuration->count);
}

static struct table *create_table(const struct campaign *c)
{
	char baseline[64];
	const char *columns[] = {
		"<strategy",    ">thr",        ">Mop/s",       ">+-\n%",      baseline,
		">wall\nns/op", ">CPU\nns/op", ">times\nbare", ">CPU/\nwall", ">fair",
		">nodes\nMiB",  ">limbo\nMiB", ">noisy\nreps", NULL,
	};

	snprintf(baseline, sizeof(baseline), ">times\n%s", c->options->baseline->name);
	if (c->variant->workload->min_threads > 1)
		columns[9] = ">writer\nMop/s";
	return table_create(columns);
}

static void report_why(const struct campaign *c, FILE *out, bool color)
{
	struct table *table = why_table("op");
	size_t i;

	for (i = 0; i < c->count; i++) {
		const struct configuration *configuration = &c->configurations[i];
		char label[CONTENDER_NAME];

		if (!configuration->count)
			continue;
		contender_label(label, &c->options->contenders, configuration->contender);
		why_row(table, label, configuration->threads, &configuration->why);
		if (configuration->background_why.operations)
			why_row(table, " writer", 1, &configuration->background_why);
	}
	why_print(table, out, color);
	for (i = 0; i < c->count; i++) {
		const struct configuration *configuration = &c->configurations[i];
		char label[CONTENDER_NAME];

		contender_label(label, &c->options->contenders, configuration->contender);
		why_log(label, configuration->threads, &configuration->why, "op", out);
	}
}

void report_campaign(const struct campaign *campaign, FILE *out, bool color)
{
	const struct workload *workload = campaign->variant->workload;
	struct table *table = create_table(campaign);
	char title[256];
	size_t i;

	report_title(campaign->variant, title, sizeof(title));
	fprintf(out, "%s%s%s\n", color ? "\033[1m" : "", title, color ? "\033[0m" : "");
	fprintf(out, "an operation: %s\n", workload->operation);

	for (i = 0; i < campaign->count; i++)
		if (campaign->configurations[i].count)
			add_row(campaign, &campaign->configurations[i], table);
	if (campaign->single_only)
		table_line(table, "%s runs with one thread only: it has no synchronisation",
			   bare_of(&campaign->options->contenders)->name);
	if (campaign->too_few)
		table_line(table, "not run with %u thread%s: %s needs %u", campaign->too_few,
			   campaign->too_few > 1 ? "s" : "", workload->name, workload->min_threads);
	table_print(table, out, color);
	table_destroy(table);
	fputc('\n', out);
	if (campaign->options->why)
		report_why(campaign, out, color);
	fflush(out);
}

void report_legend(const struct run_options *options, FILE *out)
{
	char baseline[CONTENDER_NAME];

	contender_baseline(baseline, &options->contenders, options->baseline);
	contender_legend(&options->contenders, out);
	fprintf(out,
		"thr           threads\n"
		"Mop/s         million operations per second, all threads together\n"
		"+- %%          half the distance between the quartiles of Mop/s\n"
		"times %-6s  Mop/s over that of %s with as many threads: more is better\n"
		"ns/op         time of one operation, wall clock and CPU: less is better\n"
		"times bare    CPU ns/op over bare's with 1 thread: the cost of synchronising\n"
		"CPU/wall      less than 1: threads waited for a CPU, or slept on a lock\n"
		"fair          slowest thread over fastest\n"
		"nodes, limbo  memory of page tables; most that was waiting to be freed\n"
		"noisy reps    repetitions with CPU/wall < %.2f: trust CPU ns/op more than Mop/s\n"
		"Figures are medians of %u repetition%s; memory is the largest of them.\n",
		options->baseline->name, baseline, UNDISTURBED, options->repetitions,
		options->repetitions > 1 ? "s" : "");
	contender_baseline_note(&options->contenders, options->baseline, out);
	if (options->why) {
		fputc('\n', out);
		why_legend("op", out);
	}
}
