/* SPDX-License-Identifier: MIT */
#include "differential.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "compare.h"
#include "generate.h"
#include "list.h"
#include "options.h"

#define MAX_SUBJECTS 32
#define HANG_SECONDS 20
#define MAX_REPORTED 10 /* of a format; more would say the same */

/* All strategies on one format. */
struct group {
	const struct options *options;
	const struct pt_format_info *format;
	struct subject subjects[MAX_SUBJECTS];
	unsigned nr_subjects;
	struct program *program;
	struct pair pair;
	uint64_t passed, failed, calls;
	bool no_resources;
	bool nothing; /* to compare: one strategy that has but one thread, or itself */
};

static volatile sig_atomic_t stopped;
static char hang_text[512]; /* what to say if the present run does not end */

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

/* A lock that nobody gives back. Nothing can be cleaned up, nor shrunk. */
static void on_alarm(int signal)
{
	(void)signal;
	_exit(write(STDOUT_FILENO, hang_text, strlen(hang_text)) < 0 ? EXIT_RESOURCES
								     : EXIT_VIOLATION);
}

/* ---- who is compared ---- */

static void add_subject(struct group *g, const struct pt_strategy_info *strategy,
			const char *node_lock)
{
	if (g->nr_subjects == MAX_SUBJECTS || g->no_resources)
		return;
	g->no_resources =
		subject_open(&g->subjects[g->nr_subjects++], g->format, strategy, node_lock) != 0;
}

static void add_strategy(struct group *g, const struct pt_strategy_info *strategy)
{
	if (!list_has(g->options->strategies, strategy->name) ||
	    !pt_pair_exists(g->format->name, strategy->name))
		return;
	unsigned before = g->nr_subjects;

	for (unsigned i = 0; pt_node_lock_at(i); i++)
		if (strategy->node_locks >> i & 1 &&
		    list_has(g->options->node_locks, pt_node_lock_at(i)))
			add_subject(g, strategy, pt_node_lock_at(i));
	if (g->nr_subjects == before) /* it has none of those */
		add_subject(g, strategy, NULL);
}

/* ---- differences ---- */

static void print_numbers(const bool *has, size_t n)
{
	const char *comma = "";

	for (size_t i = 0; i < n; i++) {
		size_t last = i;

		if (!has[i])
			continue;
		while (last + 1 < n && has[last + 1])
			last++;
		printf("%s%zu", comma, i);
		if (last > i)
			printf("..%zu", last);
		comma = ",";
		i = last;
	}
}

static void print_replay(const struct group *g, uint64_t number)
{
	const struct pair *p = &g->pair;
	const char *a = p->reference->node_lock, *b = p->other->node_lock;

	printf("  replay: ptstress differential --format %s --strategy %s", g->format->name,
	       p->reference->strategy->name);
	if (p->other->strategy != p->reference->strategy)
		printf(",%s", p->other->strategy->name);
	if (a || b)
		printf(" --node-lock %s%s%s", a ? a : b, a && b && a != b ? "," : "",
		       a && b && a != b ? b : "");
	printf(" --threads %u --seed %" PRIu64 " --first %" PRIu64
	       " --programs 1 --calls %u --keep ",
	       p->program->threads, g->options->seed, number, g->options->calls);
	print_numbers(p->keep, p->program->n);
	printf("\n");
}

static void report(struct group *g, uint64_t number)
{
	struct pair *p = &g->pair;

	if (++g->failed > MAX_REPORTED)
		return;
	alarm(10 * HANG_SECONDS);
	printf("%s, program %" PRIu64 " of seed %" PRIu64 ", %u thread%s: %s and %s differ\n",
	       g->format->name, number, g->options->seed, p->program->threads,
	       p->program->threads > 1 ? "s" : "", p->reference->name, p->other->name);
	fflush(stdout);
	compare_shrink(p);
	compare_print(p, stdout);
	print_replay(g, number);
	fflush(stdout);
}

/* ---- programs ---- */

/* Return: are there any? */
static bool choose_calls(struct group *g)
{
	bool any = false;

	for (size_t i = 0; i < MAX_CALLS; i++) {
		g->pair.keep[i] = i < g->program->n && (!g->options->keep || g->options->kept[i]);
		any |= g->pair.keep[i];
	}
	return any;
}

static bool judge(struct group *g, enum comparison comparison, uint64_t number)
{
	g->no_resources = comparison == COMPARE_FAILED;
	if (comparison != COMPARE_EQUAL && !g->no_resources)
		report(g, number);
	return comparison == COMPARE_EQUAL;
}

/* The next run ends within some seconds, or never. */
static void watch(const struct group *g, uint64_t number)
{
	const struct pair *p = &g->pair;
	const char *lock = p->other->node_lock;

	snprintf(hang_text, sizeof(hang_text),
		 "%s, program %" PRIu64 " of seed %" PRIu64 ", %u thread%s: does not end by %s\n"
		 "  replay: ptstress differential --format %s --strategy %s,%s%s%s --threads %u"
		 " --seed %" PRIu64 " --first %" PRIu64 " --programs 1 --calls %u\n"
		 "0 passed, 1 failed\n",
		 g->format->name, number, g->options->seed, p->program->threads,
		 p->program->threads > 1 ? "s" : "", p->other->name, g->format->name,
		 p->reference->strategy->name, p->other->strategy->name,
		 lock ? " --node-lock " : "", lock ? lock : "", p->program->threads,
		 g->options->seed, number, g->options->calls);
	alarm(HANG_SECONDS);
}

/* The first subject is the reference; with threads, itself as well, unless it can have but one. */
static void run_program(struct group *g, unsigned threads, uint64_t number)
{
	const uint64_t failed = g->failed, calls = g->calls;
	struct pair *p = &g->pair;

	generate(g->program, g->format, threads, g->options->calls, g->options->seed, number);
	if (!choose_calls(g)) {
		g->nothing = true;
		return;
	}
	p->threads = threads > 1;
	p->other = p->reference = &g->subjects[0];
	watch(g, number);
	if (!judge(g, compare_reference(p), number))
		return;
	for (unsigned i = !p->threads; i < g->nr_subjects && g->failed == failed; i++) {
		p->other = &g->subjects[i];
		if (p->threads && p->other->strategy->isolation == PT_ISOLATION_NONE)
			continue;
		watch(g, number);
		if (!judge(g, compare_other(p), number) && g->no_resources)
			return;
		g->calls += p->program->n;
	}
	if (g->calls == calls)
		g->nothing = true;
	else
		g->passed += g->failed == failed;
}

static void run_programs(struct group *g, unsigned threads)
{
	const uint64_t failed = g->failed, passed = g->passed;
	const struct options *o = g->options;

	g->calls = 0;
	for (uint64_t i = 0; i < o->programs && !stopped && !g->no_resources; i++)
		run_program(g, threads, o->first + i);
	printf("%s, %u thread%s: %" PRIu64 " programs on", g->format->name, threads,
	       threads > 1 ? "s" : "", g->passed - passed + g->failed - failed);
	for (unsigned i = 0; i < g->nr_subjects; i++)
		printf(" %s", g->subjects[i].name);
	printf(", %" PRIu64 " calls: %" PRIu64 " differ\n", g->calls, g->failed - failed);
	fflush(stdout);
}

static bool open_group(struct group *g, const struct options *options,
		       const struct pt_format_info *format)
{
	*g = (struct group){.options = options, .format = format};
	g->program = calloc(1, sizeof(*g->program));
	g->pair.program = g->program;
	g->pair.want = calloc(1, sizeof(*g->pair.want));
	g->pair.got = calloc(1, sizeof(*g->pair.got));
	g->no_resources = !g->program || !g->pair.want || !g->pair.got;
	for (unsigned i = 0; pt_strategy_at(i); i++)
		add_strategy(g, pt_strategy_at(i));
	return !g->no_resources;
}

static void close_group(struct group *g)
{
	for (unsigned i = 0; i < g->nr_subjects; i++)
		subject_close(&g->subjects[i]);
	if (g->pair.want)
		outcome_free(g->pair.want);
	if (g->pair.got)
		outcome_free(g->pair.got);
	free(g->pair.want);
	free(g->pair.got);
	free(g->program);
}

int differential_main(int argc, char **argv)
{
	static struct options options;
	static struct group g;
	uint64_t passed = 0, failed = 0;
	bool no_resources = false, nothing = false;

	if (!options_parse(&options, argc, argv))
		return EXIT_USAGE;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGALRM, on_alarm);
	printf("seed %" PRIu64 "\n", options.seed);
	for (unsigned i = 0; pt_format_at(i) && !no_resources; i++) {
		if (!list_has(options.formats, pt_format_at(i)->name))
			continue;
		if (open_group(&g, &options, pt_format_at(i)))
			for (unsigned t = 1; t <= MAX_THREADS; t++)
				if (options.threads[t] && g.nr_subjects)
					run_programs(&g, t);
		passed += g.passed;
		failed += g.failed;
		no_resources = g.no_resources;
		nothing |= g.nothing;
		close_group(&g);
	}
	alarm(0);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
	if (no_resources)
		command_complain("out of memory or threads");
	else if (nothing)
		command_complain("--strategy %s%s%s leaves nothing to compare", options.strategies,
				 options.keep ? " --keep " : "", options.keep ? options.keep : "");
	return failed         ? EXIT_VIOLATION
	       : no_resources ? EXIT_RESOURCES
	       : stopped      ? EXIT_SIGNAL
	       : nothing      ? EXIT_USAGE
			      : EXIT_FINE;
}
