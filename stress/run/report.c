/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "report.h"
#include "results.h"
#include "verdict.h"

#define LINE 1024

struct report {
	const struct run_options *options;
	size_t passed, failed;
	uint64_t ops, ns;
	struct results *results;
};

static void join(char *text, size_t size, const struct names *n)
{
	text[0] = 0;
	for (size_t i = 0; i < n->count; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? "," : "",
			 n->words[i]);
}

static void all_parameters(const struct run_options *o, char *text, size_t size)
{
	char strategies[128], formats[128], pages[128], threads[256] = "", rest[LINE];

	join(strategies, sizeof(strategies), &o->strategies);
	join(formats, sizeof(formats), &o->formats);
	join(pages, sizeof(pages), &o->pages);
	for (size_t i = 0; i < o->nr_threads; i++)
		snprintf(threads + strlen(threads), sizeof(threads) - strlen(threads), "%s%u",
			 i ? "," : "", o->threads[i]);
	run_options_text(o, rest, sizeof(rest));
	snprintf(text, size, "ptstress run --strategy %s --format %s --pages %s --threads %s %s",
		 strategies, formats, pages, threads, rest);
}

void report_replay(const struct run_options *options, const struct run_case *c, char *text,
		   size_t size)
{
	char rest[LINE];

	run_options_text(options, rest, sizeof(rest));
	snprintf(text, size,
		 "replay: ptstress run --strategy %s --format %s --pages %s --threads %u %.400s\n",
		 c->strategy, c->format, c->pages, c->threads, rest);
}

struct report *report_open(const struct run_options *options, size_t cases)
{
	struct report *r = must(calloc(1, sizeof(*r)));
	char line[2 * LINE];

	all_parameters(options, line, sizeof(line));
	r->options = options;
	r->results = results_open(options, line, cases);
	if (!r->results)
		return NULL;
	printf("%s: %zu case%s\n", line, cases, cases == 1 ? "" : "s");
	fflush(stdout);
	return r;
}

static void case_name(const struct run_case *c, char *text, size_t size)
{
	snprintf(text, size, "%s/%s/%s/threads:%u", c->strategy, c->format, c->pages, c->threads);
}

void report_begin(struct report *r, const struct run_case *c)
{
	char name[256], replay[2 * LINE];

	case_name(c, name, sizeof(name));
	report_replay(r->options, c, replay, sizeof(replay));
	results_begin(r->results, name, replay);
}

static void print_case(const struct run_options *options, const char *name, const struct outcome *o,
		       const char *replay)
{
	double seconds = (double)o->ns / 1e9;
	char history[128] = "";

	if (options->history)
		snprintf(history, sizeof(history), ", history %" PRIu64 ", gave up %" PRIu64,
			 o->logged, o->gave_up);
	printf("%-4s %-36s %11" PRIu64 " ops %6.2f M/s  %4" PRIu64 " round%s exact %" PRIu64
	       ", flushes %" PRIu64 ", dirtied %" PRIu64 "%s\n",
	       o->failed ? "FAIL" : "ok", name, o->ops, (double)o->ops / seconds / 1e6, o->rounds,
	       o->rounds == 1 ? ", " : "s,", o->exact, o->flushes, o->dirtied, history);
	if (o->failed)
		printf("%s  after %.3f s, %" PRIu64 " operations, in round %" PRIu64 "\n%s",
		       verdict_text(), seconds, o->ops, o->rounds, replay);
	fflush(stdout);
}

void report_case(struct report *r, const struct run_case *c, const struct outcome *o)
{
	char name[256], replay[2 * LINE];

	case_name(c, name, sizeof(name));
	report_replay(r->options, c, replay, sizeof(replay));
	print_case(r->options, name, o, replay);
	r->ops += o->ops;
	r->ns += o->ns;
	r->passed += !o->failed;
	r->failed += o->failed;
	results_end(r->results, &(struct result){
					.name = name,
					.seconds = (double)o->ns / 1e9,
					.failed = o->failed,
					.headline = verdict_headline(),
					.text = verdict_text(),
					.replay = replay,
				});
}

static void print_legend(const struct run_options *o)
{
	printf("rounds: tables, one after the other; exact: results compared with the only\n"
	       "right one; flushes: of translation caches; dirtied: dirty bits that hardware set\n");
	if (o->history)
		printf("history: calls logged and judged; gave up: pages too much for a judge\n");
}

enum exit_code report_close(struct report *r, bool interrupted)
{
	enum exit_code code = r->failed ? EXIT_VIOLATION : interrupted ? EXIT_SIGNAL : EXIT_FINE;
	char line[2 * LINE];

	if (!results_close(r->results, interrupted ? "interrupted" : "stopped early"))
		code = code ? code : EXIT_RESOURCES;
	print_legend(r->options);
	all_parameters(r->options, line, sizeof(line));
	printf("%s: %s, %" PRIu64 " operations, %.2f M/s\n", line,
	       r->failed     ? "VIOLATION"
	       : interrupted ? "interrupted, no violation so far"
			     : "no violation",
	       r->ops, r->ns ? (double)r->ops * 1e3 / (double)r->ns : 0);
	printf("%zu passed, %zu failed\n", r->passed, r->failed);
	free(r);
	return code;
}
