/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "worker.h"
#include "xalloc.h"

#define PROPS (PT_READ | PT_WRITE | PT_EXEC | PT_USER)

const char *run_error_name(int rc)
{
	const char *name = strerrorname_np(-rc);

	return name ? name : "an unknown error";
}

void run_fail(struct run *run, enum run_status status, const char *format, ...)
{
	uint32_t nobody = 0;
	va_list args;

	if (!atomic_compare_exchange_strong(&run->failed, &nobody, 1))
		return;
	run->status = status;
	va_start(args, format);
	vsnprintf(run->failure, sizeof(run->failure), format, args);
	va_end(args);
}

/* ---- what a format can hold ---- */

const char *run_unsupported(const struct script *s, const char *format, unsigned copies)
{
	const struct pt_format_info *f = pt_format_find(format);
	unsigned half;
	pt_va_t first, last;

	if (!f)
		return "there is no such format";
	if (f->page_shift != TRACE_PAGE_SHIFT)
		return "its base page is not the 4096 bytes of the trace";
	half = 1u << (f->va_bits - f->page_shift - f->index_bits * (f->levels - 1));
	if (f->sign_extended)
		half /= 2;
	if (pt_index_range(f, 0, half, 0, &first, &last) || s->trace->last_va > last)
		return "the trace has addresses beyond its range";
	if ((uint64_t)copies * s->trace->nr_events >= (1ull << (f->pa_bits - f->page_shift)) - 1)
		return "its physical addresses are too few for the trace";
	return NULL;
}

/* ---- setting up ---- */

static void set_up_worker(struct run *run, struct worker *w, struct pt_table **tables)
{
	const struct run_config *config = run->config;
	unsigned number = (unsigned)(w - run->workers), per_copy = config->plan->workers;
	uint32_t spaces = run->trace->nr_spaces;

	w->run = run;
	w->copy = number / per_copy;
	w->index = number % per_copy;
	w->peers = w - w->index;
	w->tables = tables + (size_t)w->copy * spaces;
	w->carried = xcalloc(config->script->max_carried, sizeof(*w->carried));
	w->exited = xcalloc(spaces, sizeof(*w->exited));
}

static void start_workers(struct run *run)
{
	pthread_t *threads = xcalloc(run->nr_workers, sizeof(*threads));

	for (unsigned i = 0; i < run->nr_workers; i++) {
		int error = pthread_create(&threads[i], NULL, replay_worker, &run->workers[i]);

		/* Those that exist wait for the others, so there is no way back. */
		if (error) {
			fprintf(stderr, "ptbench replay: cannot start thread %u of %u: %s\n", i + 1,
				run->nr_workers, strerror(error));
			exit(RUN_NO_RESOURCES);
		}
	}
	for (unsigned i = 0; i < run->nr_workers; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

static void add_up(struct run *run, struct run_result *ret)
{
	uint64_t least = UINT64_MAX, most = 1;
	uint64_t passes = (uint64_t)run->config->loops * run->config->copies;
	struct pt_pool_stats stats;

	pt_pool_get_stats(run->pool, &stats);
	ret->events = passes * run->trace->nr_events;
	ret->calls = passes * run->config->script->nr_calls;
	ret->wall_ns = run->wall_ns + run->teardown_ns;
	ret->teardown_ns = run->teardown_ns;
	ret->retired_bytes_max = stats.retired_bytes_max;
	for (unsigned i = 0; i < run->nr_workers; i++) {
		const struct worker *w = &run->workers[i];

		least = w->own_ns < least ? w->own_ns : least;
		most = w->own_ns > most ? w->own_ns : most;
		ret->own_ns += w->own_ns;
		ret->cpu_ns += w->cpu_ns;
		ret->wait_cpu_ns += w->wait_cpu_ns;
		ret->wait_ns += w->wait_ns;
		ret->waited += w->waited;
		ret->involuntary += w->involuntary;
		ret->misplaced += w->misplaced;
		why_add(&run->why, &w->why);
		if (w->node_bytes_max > ret->node_bytes_max)
			ret->node_bytes_max = w->node_bytes_max;
	}
	ret->why = run->why;
	ret->why.operations = ret->events;
	ret->why.retired_bytes_max = stats.retired_bytes_max;
	ret->balance = (double)least / (double)most;
}

static void run_workers(struct run *run, struct pt_table **tables)
{
	run->workers = must(
		aligned_alloc(_Alignof(struct worker), run->nr_workers * sizeof(*run->workers)));
	memset(run->workers, 0, run->nr_workers * sizeof(*run->workers));
	for (unsigned i = 0; i < run->nr_workers; i++)
		set_up_worker(run, &run->workers[i], tables);
	start_workers(run);
	for (unsigned i = 0; i < run->nr_workers; i++) {
		free(run->workers[i].carried);
		free(run->workers[i].exited);
	}
}

/*
 * What a failed run leaves behind: destroying a table that has been found wrong may well crash, and
 * the message is worth more than the memory. Kept in reach, for debuggers and leak checkers.
 */
struct wreck {
	struct wreck *next;
	struct pt_pool *pool;
	struct pt_table **tables;
};

static struct wreck *wrecks;

static void abandon(struct run *run, struct pt_table **tables)
{
	struct wreck *w = xcalloc(1, sizeof(*w));

	*w = (struct wreck){wrecks, run->pool, tables};
	wrecks = w;
}

static void clean_up(struct run *run, struct pt_table **tables)
{
	struct pt_pool_stats stats;
	int rc;

	pt_pool_get_stats(run->pool, &stats);
	if (stats.node_bytes + stats.retired_bytes && !stats.threads)
		run_fail(run, RUN_VIOLATION, "%" PRIu64 " bytes of nodes left at the end",
			 stats.node_bytes + stats.retired_bytes);
	rc = pt_pool_destroy(run->pool);

	if (rc)
		run_fail(run, RUN_VIOLATION, "pt_pool_destroy returned %s", run_error_name(rc));
	free(tables);
}

enum run_status run_replay(const struct run_config *config, struct run_result *ret)
{
	struct run run = {
		.config = config,
		.trace = config->script->trace,
		.format = pt_format_find(config->format),
		.nr_workers = config->copies * config->plan->workers,
	};
	struct pt_table **tables;
	int rc;

	*ret = (struct run_result){0};
	rc = pt_pool_create(config->pool, &run.pool);
	if (rc) {
		snprintf(ret->failure, sizeof(ret->failure), "pt_pool_create returned %s",
			 run_error_name(rc));
		return RUN_NO_RESOURCES;
	}
	run.props = PROPS & run.format->props;
	run.table = (struct pt_config){
		.size = sizeof(run.table),
		.format = config->format,
		.strategy = config->strategy,
		.node_lock = config->node_lock,
		.stats = config->counts,
		.pool = run.pool,
	};
	tables = xcalloc((size_t)config->copies * run.trace->nr_spaces, sizeof(*tables));
	run_workers(&run, tables);
	add_up(&run, ret);
	free(run.workers);
	if (run_failed(&run))
		abandon(&run, tables);
	else
		clean_up(&run, tables);
	memcpy(ret->failure, run.failure, sizeof(ret->failure));
	return run.status;
}
