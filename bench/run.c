/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "interrupt.h"
#include "machine.h"
#include "node_memory.h"
#include "place.h"
#include "progress.h"
#include "run.h"
#include "run_report.h"
#include "run_summary.h"

/* What a repetition takes besides warm-up and measuring: preparing and verifying. */
#define OVERHEAD_NS 20000000.0

struct run {
	struct run_options options;
	struct place *place;
	struct node_memory *memory;
	struct results *results; /* NULL: no file is wanted */
	double total, done;      /* repetitions */
	size_t disturbed;
	double load; /* of the machine, before */
};

static void show_progress(void *ctx, const struct configuration *next)
{
	struct run *run = ctx;
	char label[160], lock[CONTENDER_NAME];

	snprintf(label, sizeof(label), "%s, %s%s, %u thread%s", next->workload,
		 next->contender->strategy->name, contender_suffix(lock, next->contender),
		 next->threads, next->threads > 1 ? "s" : "");
	progress_update(run->done++, label);
}

static size_t count_repetitions(const struct run_options *options)
{
	size_t count = 0, i;

	for (i = 0; i < options->variant_count; i++) {
		struct campaign campaign;

		campaign_init(&campaign, options, (unsigned)i);
		count += campaign.count * options->repetitions;
		campaign_free(&campaign);
	}
	return count;
}

/* Do the areas of all variants fit, with the most threads? */
static enum exit_code check_areas(const struct run_options *options)
{
	struct trial *scratch = aligned_alloc(alignof(struct trial), sizeof(*scratch));
	enum exit_code code = scratch ? EXIT_FINE : EXIT_RESOURCES;
	unsigned most = 1;
	size_t i;

	for (i = 0; i < options->thread_count; i++)
		most = options->threads[i] > most ? options->threads[i] : most;
	for (i = 0; !code && i < options->variant_count; i++) {
		const struct variant *variant = &options->variants[i];

		if (trial_areas(variant->workload, &variant->settings, options->format, most,
				scratch)) {
			complain("run: workload %s cannot be run so", variant->workload->name);
			code = EXIT_USAGE;
		}
	}
	free(scratch);
	return code;
}

static double estimate_seconds(const struct run *run)
{
	const struct run_options *o = &run->options;

	return run->total * ((double)o->warmup_ns + (double)o->duration_ns + OVERHEAD_NS) / 1e9;
}

static void print_plan(const struct run *run)
{
	const struct run_options *o = &run->options;
	size_t i, k;

	for (i = 0; i < o->variant_count; i++) {
		struct campaign campaign;
		char title[256];

		report_title(&o->variants[i], title, sizeof(title));
		printf("%s\n", title);
		campaign_init(&campaign, o, (unsigned)i);
		for (k = 0; k < campaign.count; k++)
			printf("    %s\n", campaign.configurations[k].name);
		campaign_free(&campaign);
	}
	printf("%.0f repetitions, about %.0f seconds\n", run->total, estimate_seconds(run));
}

static void print_head(const struct run *run)
{
	const struct run_options *o = &run->options;
	char machine[128], warmup[UNITS_TEXT], duration[UNITS_TEXT];

	place_describe(run->place, machine, sizeof(machine));
	printf("machine: %s; load %.1f\n", machine, run->load);
	printf("%s, placement %s, %u times %s after %s warm-up, seed %llu\n", o->format->name,
	       o->place, o->repetitions, format_duration(duration, o->duration_ns),
	       format_duration(warmup, o->warmup_ns), (unsigned long long)o->seed);
	if (strcmp(o->node_memory, "default"))
		printf("node memory: %s\n", o->node_memory);
	if (o->why)
		printf("tables count what they do (--why): figures include what that costs\n");
	printf("\n");
	fflush(stdout);
}

static void keep_rows(struct run *run, struct campaign *campaign)
{
	size_t i, r;

	for (i = 0; i < campaign->count; i++) {
		struct configuration *configuration = &campaign->configurations[i];

		for (r = 0; r < configuration->count; r++) {
			results_add(run->results, &configuration->rows[r]);
			configuration->rows[r].more = NULL;
		}
	}
}

static enum exit_code run_all(struct run *run)
{
	const struct run_options *o = &run->options;
	bool color = wants_color(STDOUT_FILENO);
	struct run_summary *summary = run_summary_create(o);
	enum exit_code code = EXIT_FINE;
	size_t i, k;

	print_head(run);
	progress_start(run->total);
	for (i = 0; !code && i < o->variant_count; i++) {
		struct campaign campaign;

		campaign_init(&campaign, o, (unsigned)i);
		code = campaign_run(&campaign, run->place, run->memory, show_progress, run);
		progress_hide();
		for (k = 0; k < campaign.count; k++)
			run->disturbed += campaign_disturbed(&campaign.configurations[k]);
		if (!code || code == EXIT_SIGNAL) {
			report_campaign(&campaign, stdout, color);
			run_summary_add(summary, &campaign);
			if (run->results)
				keep_rows(run, &campaign);
		}
		campaign_free(&campaign);
	}
	progress_finish();
	if (!code) {
		run_summary_print(summary, stdout, color);
		report_legend(o, stdout);
	}
	run_summary_destroy(summary);
	return code;
}

static void keep_noise(struct run *run)
{
	json_t *noise;
	double load = 0;

	getloadavg(&load, 1);
	noise = json_pack("{s:f, s:f, s:i, s:i}", "load_before", run->load, "load_after", load,
			  "repetitions", (int)run->done, "disturbed", (int)run->disturbed);
	results_set(run->results, "noise", noise);
}

static enum exit_code run_and_write(struct run *run)
{
	const char *output = run->options.output;
	enum exit_code code;

	interrupt_catch();
	code = run_all(run);
	/* A table is wrong, or threads hang in it, or memory is short: nothing can be tidied up. */
	if (code == EXIT_VIOLATION || code == EXIT_RESOURCES) {
		fflush(NULL);
		_exit(code);
	}
	if (code == EXIT_SIGNAL)
		complain("interrupted: what is shown is complete, the rest is missing");
	if ((double)run->disturbed > run->done / 2)
		warn("more than half of the repetitions had no CPU of their own");
	if (run->results && (!code || code == EXIT_SIGNAL)) {
		results_set(run->results, "complete", json_boolean(!code));
		keep_noise(run);
		if (results_write(run->results, output))
			return EXIT_RESOURCES;
		fprintf(stderr, "results: %s\n", output);
	}
	return code;
}

static enum exit_code run_with_place(struct run *run, int argc, char **argv)
{
	const struct run_options *o = &run->options;
	enum exit_code code;
	size_t i;

	run->total = (double)count_repetitions(o);
	if (o->dry_run) {
		print_plan(run);
		return EXIT_FINE;
	}
	if (!run->total) {
		complain("run: nothing to run with these strategies and numbers of threads");
		return EXIT_USAGE;
	}
	getloadavg(&run->load, 1);
	if (build_flaw())
		warn("this build %s: its times mean little", build_flaw());
	for (i = 0; i < o->thread_count; i++)
		place_warn_crowded(run->place, o->threads[i]);
	if (o->output)
		run->results = results_create(argc, argv, o->seed, run->place);
	if (run->results) {
		results_set(run->results, "counting", json_boolean(o->why));
		results_set(run->results, "node_memory", node_memory_describe(run->memory));
	}
	code = run_and_write(run);
	if (run->results)
		results_destroy(run->results);
	return code;
}

int run_command(int argc, char **argv)
{
	struct run run = {0};
	enum exit_code code;
	int error;

	code = run_options_parse(argc, argv, &run.options);
	if (!code)
		code = check_areas(&run.options);
	if (!code) {
		error = place_create(run.options.place, &run.place);
		if (error)
			code = error == -EINVAL ? EXIT_USAGE : EXIT_RESOURCES;
	}
	if (!code)
		code = node_memory_create(run.options.node_memory, run.place, &run.memory);
	if (!code)
		code = run_with_place(&run, argc, argv);
	if (run.memory)
		node_memory_destroy(run.memory, false);
	if (run.place)
		place_destroy(run.place);
	run_options_free(&run.options);
	return code;
}
