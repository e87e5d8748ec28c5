/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "session.h"
#include "stats.h"
#include "text_table.h"
#include "xalloc.h"

/* Below this share of CPU in wall time something else ran on a worker's CPU. */
#define CLEAN_CPU_SHARE 0.98

/* ---- figures of one repetition ---- */

static double events_per_second(const struct run_result *r)
{
	return r->wall_ns ? (double)r->events * 1e9 / (double)r->wall_ns : 0;
}

/* Without the time in which a worker had to wait for another one's events. */
static double cpu_ns_per_event(const struct run_result *r)
{
	return r->events ? (double)(r->cpu_ns - r->wait_cpu_ns) / (double)r->events : 0;
}

static double cpu_share(const struct run_result *r)
{
	return r->own_ns ? (double)r->cpu_ns / (double)r->own_ns : 0;
}

/* Share of the workers' time that was waiting for one another. */
static double wait_share(const struct run_result *r)
{
	return r->own_ns ? (double)r->wait_ns / (double)r->own_ns : 0;
}

bool run_is_clean(const struct run_result *r)
{
	return r->misplaced == 0 && cpu_share(r) > CLEAN_CPU_SHARE;
}

/* ---- results file ---- */

static json_t *describe(const struct matrix *m, const struct cell *c, const struct run_result *r,
			unsigned block, unsigned order)
{
	const struct session *s = m->session;
	double events = (double)m->trace->nr_events;

	json_t *more = json_must(json_pack(
		"{s:s?, s:s, s:I, s:i, s:i, s:i, s:i, s:b, s:f, s:i, s:i, s:s, "
		"s:I, s:I, s:I, s:{s:f, s:f, s:I, s:I, s:I}, s:{s:i, s:b}}",
		"node_lock", c->contender->node_lock, "trace", m->trace->name, "trace_events",
		(json_int_t)m->trace->nr_events, "loops", (int)m->loops, "copies", (int)s->copies,
		"block", (int)block, "order", (int)order, "clean", (int)run_is_clean(r),
		"cpu_over_wall", cpu_share(r), "nivcsw", (int)r->involuntary, "misplaced",
		(int)r->misplaced, "place", place_name(s->place), "page_table_calls",
		(json_int_t)r->calls, "wall_ns", (json_int_t)r->wall_ns, "teardown_ns",
		(json_int_t)r->teardown_ns, "waits", "conflicting_events",
		(double)c->plan->conflicts / events, "waiting_events",
		(double)c->plan->waiting / events, "waited", (json_int_t)r->waited, "wall_ns",
		(json_int_t)r->wait_ns, "cpu_ns", (json_int_t)r->wait_cpu_ns, "verify", "spaces",
		(int)(m->trace->nr_spaces * s->copies), "ok", 1));

	if (s->why)
		json_object_set_new(more, "why", why_json(&r->why));
	return more;
}

void replay_row(const struct matrix *m, const struct cell *c, unsigned rep, unsigned order)
{
	const struct session *s = m->session;
	const struct run_result *r = &c->reps[rep];
	unsigned workers = c->threads * (unsigned)s->copies;
	char copies[32] = "", lock[CONTENDER_NAME], name[4096];

	if (!s->results)
		return;
	if (s->copies > 1)
		snprintf(copies, sizeof(copies), "/copies:%" PRIu64, s->copies);
	snprintf(name, sizeof(name), "replay:%s/strategy:%s/format:%s%s%s/threads:%u",
		 m->trace->name, c->contender->strategy->name, s->format->name,
		 contender_suffix(lock, c->contender), copies, c->threads);
	results_add(s->results,
		    &(struct result_row){
			    .name = name,
			    .family = c->family,
			    .instance = c->instance,
			    .repetitions = (unsigned)s->reps,
			    .repetition = rep,
			    .threads = workers,
			    .operations = r->events,
			    .wall_ns_per_op = (double)r->wall_ns * workers / (double)r->events,
			    .cpu_ns_per_op = cpu_ns_per_event(r),
			    .ops_per_second = events_per_second(r),
			    .fairness = r->balance,
			    .node_bytes = r->node_bytes_max,
			    .retired_bytes_max = r->retired_bytes_max,
			    .more = describe(m, c, r, rep, order),
		    });
}

/* ---- table ---- */

static struct summary summarize(const struct matrix *m, const struct cell *c,
				double (*figure)(const struct run_result *r))
{
	size_t reps = (size_t)m->session->reps;
	double *values = xcalloc(reps, sizeof(*values));
	struct summary summary;

	for (size_t i = 0; i < reps; i++)
		values[i] = figure(&c->reps[i]);
	summary = stats_summarize(values, reps);
	free(values);
	return summary;
}

static const struct cell *find_cell(const struct matrix *m, const char *strategy, unsigned threads)
{
	for (size_t i = 0; i < m->nr_cells; i++) {
		const struct cell *c = &m->cells[i];

		if (c->threads == threads && strcmp(c->contender->strategy->name, strategy) == 0)
			return c;
	}
	return NULL;
}

/* `c` in units of `other`, by the medians of a figure. */
static void ratio_cell(struct table *table, const struct matrix *m, const struct cell *c,
		       const struct cell *other, double (*figure)(const struct run_result *r))
{
	double base = other ? summarize(m, other, figure).median : 0;

	if (base > 0)
		table_cell(table, "%.2f", summarize(m, c, figure).median / base);
	else
		table_cell(table, "-");
}

static void table_row(struct table *table, const struct matrix *m, const struct cell *c)
{
	struct summary speed = summarize(m, c, events_per_second);
	uint64_t node_bytes = 0, retired = 0;
	char label[CONTENDER_NAME];
	unsigned noisy = 0;

	for (size_t i = 0; i < m->session->reps; i++) {
		const struct run_result *r = &c->reps[i];

		noisy += !run_is_clean(r);
		node_bytes = r->node_bytes_max > node_bytes ? r->node_bytes_max : node_bytes;
		retired = r->retired_bytes_max > retired ? r->retired_bytes_max : retired;
	}
	table_cell(table, "%s", contender_label(label, &m->session->contenders, c->contender));
	table_cell(table, "%u", c->threads);
	table_cell(table, "%.2f", speed.median / 1e6);
	table_cell(table, "%.1f", stats_spread_percent(&speed));
	ratio_cell(table, m, c, find_cell(m, m->session->baseline->name, c->threads),
		   events_per_second);
	table_cell(table, "%.1f", summarize(m, c, cpu_ns_per_event).median);
	ratio_cell(table, m, c, find_cell(m, "bare", 1), cpu_ns_per_event);
	table_cell(table, "%.2f", summarize(m, c, cpu_share).median);
	table_cell(table, "%.2f", 100.0 * (double)c->plan->waiting / (double)m->trace->nr_events);
	table_cell(table, "%.1f", 100 * summarize(m, c, wait_share).median);
	table_cell(table, "%.2f", (double)node_bytes / (1 << 20));
	table_cell(table, "%.2f", (double)retired / (1 << 20));
	table_cell(table, "%u/%" PRIu64, noisy, m->session->reps);
}

static void print_heading(const struct matrix *m)
{
	const struct trace *t = m->trace;

	printf("replay:%s, %s, placement %s%s\n%" PRIu32 " events of %" PRIu32
	       " threads in %" PRIu32 " address space%s, recorded in %.2f s\n",
	       t->name, m->session->format->name, place_name(m->session->place),
	       m->session->why ? ", counting (--why)" : "", t->nr_events, t->nr_threads,
	       t->nr_spaces, t->nr_spaces > 1 ? "s" : "", (double)t->last_ns / 1e9);
}

static void print_footing(const struct matrix *m)
{
	const struct session *s = m->session;

	printf("%u loop%s, %" PRIu64 " at a time, %" PRIu64
	       " repetition%s. Each replay ended in the\n"
	       "recorded state: %" PRIu64 " tables compared, page by page.\n\n",
	       m->loops, m->loops > 1 ? "s" : "", s->copies, s->reps, s->reps > 1 ? "s" : "",
	       s->reps * m->nr_cells * s->copies * m->trace->nr_spaces * (m->loops + s->warmup));
}

static void print_why(const struct matrix *m)
{
	const struct session *s = m->session;
	struct table *table = why_table("ev");

	for (size_t i = 0; i < m->nr_cells; i++) {
		const struct cell *c = &m->cells[i];
		char label[CONTENDER_NAME];
		struct why sum = {0};

		for (size_t rep = 0; rep < s->reps; rep++)
			why_add(&sum, &c->reps[rep].why);
		why_row(table, contender_label(label, &s->contenders, c->contender), c->threads,
			&sum);
	}
	why_print(table, stdout, wants_color(STDOUT_FILENO));
}

void replay_table(const struct matrix *m)
{
	char baseline[64];
	const char *const columns[] = {
		"<\nstrategy", ">\nthr",       ">\nMev/s",     ">+-\n%",       baseline,
		">CPU\nns/ev", ">times\nbare", ">CPU/\nwall",  ">waits\n% ev", ">waits\n% time",
		">nodes\nMiB", ">limbo\nMiB",  ">noisy\nreps", NULL,
	};
	struct table *table;

	snprintf(baseline, sizeof(baseline), ">times\n%s", m->session->baseline->name);
	table = table_create(columns);
	for (size_t i = 0; i < m->nr_cells; i++)
		table_row(table, m, &m->cells[i]);
	progress_hide();
	print_heading(m);
	table_print(table, stdout, wants_color(STDOUT_FILENO));
	print_footing(m);
	if (m->session->why)
		print_why(m);
	fflush(stdout);
	table_destroy(table);
}

void replay_legend(const struct session *s)
{
	char baseline[CONTENDER_NAME];

	contender_baseline(baseline, &s->contenders, s->baseline);
	contender_legend(&s->contenders, stdout);
	printf("thr           threads that replay; each carries some of the recorded ones\n"
	       "Mev/s         million events per second, all threads together\n"
	       "+- %%          half the distance between the quartiles of Mev/s\n"
	       "times %-6s  Mev/s over that of %s with as many threads: more is better\n"
	       "CPU ns/ev     CPU time per event without waiting for others: less is better\n"
	       "times bare    CPU ns/ev over that of bare with 1 thread\n"
	       "CPU/wall      less than 1: threads waited for a CPU, or slept on a lock\n"
	       "waits         events that must follow one of another thread; time that took\n"
	       "nodes, limbo  memory of page tables; most that was waiting to be freed\n"
	       "noisy reps    repetitions that other work or sleeping locks disturbed\n",
	       s->baseline->name, baseline);
	contender_baseline_note(&s->contenders, s->baseline, stdout);
	if (s->why) {
		putchar('\n');
		why_legend("ev", stdout);
	}
}
