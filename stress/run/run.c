/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "interrupt.h"
#include "progress.h"
#include "report.h"
#include "run.h"
#include "verdict.h"

/* Cases in the order in which they run. */
struct plan {
	struct run_case *cases;
	size_t count;
};

static size_t at_present; /* index of the case, for the bar */
static const struct run_case *present;

static void show(double part)
{
	char label[128];

	snprintf(label, sizeof(label), "%s/%s/%s/threads:%u", present->strategy, present->format,
		 present->pages, present->threads);
	progress_update((double)at_present + part, label);
}

/* A strategy without synchronisation has one thread, whatever was asked for. */
static void add(struct plan *p, struct run_case c)
{
	if (pt_strategy_find(c.strategy)->isolation == PT_ISOLATION_NONE)
		c.threads = 1;
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->cases[i].strategy, c.strategy) &&
		    !strcmp(p->cases[i].format, c.format) && !strcmp(p->cases[i].pages, c.pages) &&
		    p->cases[i].threads == c.threads)
			return;
	p->cases[p->count++] = c;
}

static bool plan_create(const struct run_options *o, struct plan *ret)
{
	struct plan p = {0};

	p.cases = calloc(o->strategies.count * o->formats.count * o->pages.count * o->nr_threads,
			 sizeof(*p.cases));
	if (!p.cases)
		return false;
	for (size_t s = 0; s < o->strategies.count; s++)
		for (size_t f = 0; f < o->formats.count; f++)
			for (size_t g = 0; g < o->pages.count; g++)
				for (size_t t = 0; t < o->nr_threads; t++)
					add(&p, (struct run_case){
							o->strategies.words[s], o->formats.words[f],
							o->pages.words[g], o->threads[t]});
	*ret = p;
	return true;
}

static enum exit_code run_cases(const struct run_options *o, const struct plan *p,
				const struct place *place, struct report *report)
{
	enum exit_code code = EXIT_FINE;

	progress_start((double)p->count);
	for (size_t i = 0; i < p->count && !code && !interrupt_seen(); i++) {
		struct outcome outcome = {0};

		at_present = i;
		present = &p->cases[i];
		report_replay(o, present, verdict_replay, sizeof(verdict_replay));
		report_begin(report, present);
		code = engine_run(o, present, place, show, &outcome);
		progress_hide();
		if (code)
			break;
		report_case(report, present, &outcome);
		if (outcome.stuck || (outcome.failed && o->fail_fast))
			code = EXIT_VIOLATION;
	}
	progress_finish();
	return code;
}

int run_main(int argc, char **argv)
{
	struct run_options options;
	struct report *report;
	struct place *place;
	struct plan plan;
	enum exit_code code = run_options_parse(argc, argv, &options), closed;

	if (code)
		return code;
	if (place_create(options.place, &place)) {
		run_options_free(&options);
		return EXIT_USAGE;
	}
	if (!plan_create(&options, &plan))
		return EXIT_RESOURCES;
	report = report_open(&options, plan.count);
	if (!report)
		return EXIT_RESOURCES;
	interrupt_catch();
	verdict_catch_crashes();
	code = run_cases(&options, &plan, place, report);
	closed = report_close(report, interrupt_seen());
	place_destroy(place);
	free(plan.cases);
	run_options_free(&options);
	/* What broke is left as it is: no destructor may look at it. */
	if (closed == EXIT_VIOLATION) {
		fflush(stdout);
		_exit(EXIT_VIOLATION);
	}
	return code ? code : closed;
}
