/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "must.h"
#include "run_report.h"
#include "run_summary.h"
#include "text_table.h"

/* So that a table fits a terminal of 80 columns. */
#define COLUMNS_MOST 9

/* What each workload counts for in sums over all: that many operations, however short they are. */
#define WEIGHT 1e9

/* A contender with a number of threads. */
struct line {
	const struct contender *contender;
	unsigned threads;
	double *cpu; /* ns for an operation of each variant; 0: was not run */
	struct why why;
};

struct run_summary {
	const struct run_options *options;
	struct line *lines;
	size_t count;
	double *bare; /* ns for an operation of each variant without synchronisation; 0: not known */
	bool some_bare;
};

struct run_summary *run_summary_create(const struct run_options *options)
{
	const struct contender_list *contenders = &options->contenders;
	struct run_summary *summary = must(calloc(1, sizeof(*summary)));
	size_t t, i;

	summary->options = options;
	summary->bare = must(calloc(options->variant_count, sizeof(double)));
	summary->lines = must(
		calloc(options->thread_count * contenders->count + 1, sizeof(*summary->lines)));
	for (t = 0; t < options->thread_count; t++) {
		for (i = 0; i < contenders->count; i++) {
			struct line *line = &summary->lines[summary->count++];

			line->contender = &contenders->items[i];
			line->threads = options->threads[t];
			line->cpu = must(calloc(options->variant_count, sizeof(double)));
		}
	}
	return summary;
}

void run_summary_destroy(struct run_summary *summary)
{
	for (size_t i = 0; i < summary->count; i++)
		free(summary->lines[i].cpu);
	free(summary->lines);
	free(summary->bare);
	free(summary);
}

static struct line *line_of(struct run_summary *summary, const struct configuration *configuration)
{
	struct line *line = summary->lines;

	while (line->contender != configuration->contender ||
	       line->threads != configuration->threads)
		line++;
	return line;
}

static void add_why(struct why *sum, struct why why)
{
	uint64_t *counts = (uint64_t *)&why.counts; /* of which it consists */
	double factor = why.operations ? WEIGHT / (double)why.operations : 0;

	if (!why_counted(&why))
		return;
	for (size_t i = 0; i < sizeof(why.counts) / sizeof(*counts); i++)
		counts[i] = (uint64_t)((double)counts[i] * factor);
	why.operations = (uint64_t)WEIGHT;
	why_add(sum, &why);
}

void run_summary_add(struct run_summary *summary, const struct campaign *campaign)
{
	summary->bare[campaign->number] = report_bare_cpu(campaign);
	summary->some_bare |= summary->bare[campaign->number] > 0;
	for (size_t i = 0; i < campaign->count; i++) {
		const struct configuration *configuration = &campaign->configurations[i];
		struct line *line = line_of(summary, configuration);

		line->cpu[campaign->number] = campaign_summary(configuration, FIGURE_CPU).median;
		add_why(&line->why, configuration->why);
	}
}

/* What the table says of a variant: times bare, or ns if bare was never run; 0: nothing. */
static double figure(const struct run_summary *summary, const struct line *line, size_t variant)
{
	if (!summary->some_bare)
		return line->cpu[variant];
	return summary->bare[variant] > 0 ? line->cpu[variant] / summary->bare[variant] : 0;
}

/* The geometric mean, as these are ratios; 0: there is nothing to say. */
static double mean_figure(const struct run_summary *summary, const struct line *line)
{
	double sum = 0;
	unsigned n = 0;

	for (size_t v = 0; v < summary->options->variant_count; v++) {
		if (figure(summary, line, v) > 0) {
			sum += log(figure(summary, line, v));
			n++;
		}
	}
	return n ? exp(sum / n) : 0;
}

/* a, b .. z, aa, ab ..: what stands for a workload over its column. */
static const char *letters(char text[4], size_t variant)
{
	char *p = text;

	if (variant >= 26)
		*p++ = (char)('a' + (variant / 26 - 1) % 26);
	*p++ = (char)('a' + variant % 26);
	*p = 0;
	return text;
}

/* The variants first..end-1; behind the last of all stands the mean. */
static void print_columns(const struct run_summary *summary, size_t first, size_t end, FILE *out,
			  bool color)
{
	bool mean = end == summary->options->variant_count;
	const char *columns[COLUMNS_MOST + 4] = {"<strategy", ">thr"};
	char names[COLUMNS_MOST][8], label[CONTENDER_NAME], text[4];
	struct table *table;
	size_t v, i, n = 2;

	for (v = first; v < end; v++, n++) {
		snprintf(names[v - first], sizeof(names[0]), ">%s", letters(text, v));
		columns[n] = names[v - first];
	}
	if (mean)
		columns[n] = ">mean";
	table = table_create(columns);
	for (i = 0; i < summary->count; i++) {
		const struct line *line = &summary->lines[i];

		if (mean_figure(summary, line) <= 0)
			continue;
		table_cell(table, "%s",
			   contender_label(label, &summary->options->contenders, line->contender));
		table_cell(table, "%u", line->threads);
		for (v = first; v < end; v++)
			report_ratio(table, figure(summary, line, v), 1);
		if (mean)
			report_ratio(table, mean_figure(summary, line), 1);
	}
	table_print(table, out, color);
	table_destroy(table);
	fputc('\n', out);
}

static void print_figures(const struct run_summary *summary, FILE *out, bool color)
{
	size_t variants = summary->options->variant_count, v, n;
	size_t parts = (variants + COLUMNS_MOST - 1) / COLUMNS_MOST;
	char title[256], text[4];

	fprintf(out, "CPU %s with 1 thread; mean: geometric\n",
		summary->some_bare ? "time of an operation, times that of bare"
				   : "ns of an operation, as bare was not run");
	for (v = 0; v < variants; v++) {
		report_title(&summary->options->variants[v], title, sizeof(title));
		fprintf(out, "  %-2s  %s\n", letters(text, v), title);
	}
	for (v = 0; v < variants; v += n) {
		n = (variants + parts - 1) / parts;
		print_columns(summary, v, v + n < variants ? v + n : variants, out, color);
	}
}

static void print_why(const struct run_summary *summary, FILE *out, bool color)
{
	struct table *table = why_table("op");
	char label[CONTENDER_NAME];
	size_t i;

	fprintf(out, "Means of the workloads in which something is counted:\n");
	for (i = 0; i < summary->count; i++) {
		const struct line *line = &summary->lines[i];

		contender_label(label, &summary->options->contenders, line->contender);
		if (line->why.operations)
			why_row(table, label, line->threads, &line->why);
	}
	why_print(table, out, color);
	for (i = 0; i < summary->count; i++) {
		const struct line *line = &summary->lines[i];

		contender_label(label, &summary->options->contenders, line->contender);
		why_log(label, line->threads, &line->why, "op", out);
	}
}

void run_summary_print(const struct run_summary *summary, FILE *out, bool color)
{
	if (summary->options->variant_count < 2)
		return;
	fprintf(out, "%sall workloads%s\n", color ? "\033[1m" : "", color ? "\033[0m" : "");
	print_figures(summary, out, color);
	if (summary->options->why)
		print_why(summary, out, color);
}
