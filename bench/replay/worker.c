/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <inttypes.h>
#include <sched.h>
#include <sys/resource.h>

#include "clock.h"
#include "worker.h"

#define POLLS_BEFORE_YIELD 64
#define EVENTS_PER_SAMPLE 256

static uint64_t involuntary_switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_nivcsw;
}

/* With the qsbr flavour of RCU a waiting thread must not hold up the others' grace periods. */
static void relax(struct worker *w, unsigned *polls)
{
	if (++*polls % POLLS_BEFORE_YIELD)
		return;
	if (w->self)
		pt_thread_quiescent(w->self);
	sched_yield();
}

/*
 * All workers wait for each other. Return: has any failed before? All get the same answer, so that
 * either all of them go on or none.
 * [ORD-gate] what each did before is visible to all after; the round is stored by release here and
 * loaded by acquire below.
 */
static bool gate(struct worker *w)
{
	struct run *run = w->run;
	uint32_t round = atomic_load_explicit(&run->gate_round, memory_order_relaxed);
	unsigned polls = 0;

	if (atomic_fetch_add_explicit(&run->gate_arrived, 1, memory_order_acq_rel) + 1 ==
	    run->nr_workers) {
		if (run->config->interrupted && run->config->interrupted())
			run_fail(run, RUN_INTERRUPTED, "interrupted");
		run->stopped = run_failed(run);
		atomic_store_explicit(&run->gate_arrived, 0, memory_order_relaxed);
		atomic_store_explicit(&run->gate_round, round + 1, memory_order_release);
		return run->stopped;
	}
	while (atomic_load_explicit(&run->gate_round, memory_order_acquire) == round)
		relax(w, &polls);
	return run->stopped;
}

/* [ORD-done] acquire: the peer's table changes; pairs with the store in replay_events(). */
static bool is_done(struct worker *peer, uint32_t count)
{
	return atomic_load_explicit(&peer->done, memory_order_acquire) >= count;
}

/* The clocks are read only where waiting is needed, so a wait that is over costs one load. */
static void wait_for(struct worker *w, const struct plan_wait *wait)
{
	struct worker *peer = &w->peers[wait->worker];
	uint64_t wall, cpu;
	unsigned polls = 0;

	if (is_done(peer, wait->count))
		return;
	wall = clock_wall_ns();
	cpu = clock_thread_cpu_ns();
	while (!is_done(peer, wait->count) && !run_failed(w->run))
		relax(w, &polls);
	w->waited++;
	w->wait_cpu_ns += clock_thread_cpu_ns() - cpu;
	w->wait_ns += clock_wall_ns() - wall;
}

static void sample_memory(struct worker *w)
{
	struct pt_pool_stats stats;

	pt_pool_get_stats(w->run->pool, &stats);
	if (stats.node_bytes > w->node_bytes_max)
		w->node_bytes_max = stats.node_bytes;
}

static void replay_events(struct worker *w)
{
	const struct plan_queue *q = &w->run->config->plan->queues[w->index];
	uint32_t wait = 0;

	for (uint32_t i = 0; i < q->nr_steps; i++) {
		const struct plan_step *step = &q->steps[i];

		for (; wait < step->wait_end; wait++)
			wait_for(w, &q->waits[wait]);
		if (run_failed(w->run))
			return;
		execute_event(w, step->event);
		/* [ORD-done] release: what this event did; pairs with is_done(). */
		atomic_store_explicit(&w->done, i + 1, memory_order_release);
		if (i % EVENTS_PER_SAMPLE == 0) {
			pt_thread_quiescent(w->self);
			sample_memory(w);
		}
	}
}

static void destroy_table(struct worker *w, uint32_t space)
{
	int rc = pt_table_destroy(w->self, w->tables[space]);

	if (rc)
		run_fail(w->run, RUN_VIOLATION, "as %" PRIu32 ": pt_table_destroy returned %s",
			 space + 1, run_error_name(rc));
	w->tables[space] = NULL;
}

static void destroy_exited(struct worker *w)
{
	for (uint32_t i = 0; i < w->nr_exited; i++)
		destroy_table(w, w->exited[i]);
	w->nr_exited = 0;
}

struct clocks {
	uint64_t cpu, switches;
};

static void measure_begin(struct worker *w, struct clocks *c)
{
	c->switches = involuntary_switches();
	c->cpu = clock_thread_cpu_ns();
	w->start_ns = clock_wall_ns();
}

static void measure_end(struct worker *w, const struct clocks *c)
{
	w->end_ns = clock_wall_ns();
	w->own_ns += w->end_ns - w->start_ns;
	w->cpu_ns += clock_thread_cpu_ns() - c->cpu;
	w->involuntary += involuntary_switches() - c->switches;
}

/* From the first worker's start to the last one's end. */
static uint64_t part_ns(const struct run *run)
{
	uint64_t start = UINT64_MAX, end = 0;

	for (unsigned i = 0; i < run->nr_workers; i++) {
		if (run->workers[i].start_ns < start)
			start = run->workers[i].start_ns;
		if (run->workers[i].end_ns > end)
			end = run->workers[i].end_ns;
	}
	return end - start;
}

static bool is_first(const struct worker *w)
{
	return w == w->run->workers;
}

/* This worker's share of its copy's spaces. */
#define for_each_own_space(space, w)                                     \
	for ((space) = (w)->index; (space) < (w)->run->trace->nr_spaces; \
	     (space) += (w)->run->config->plan->workers)

static void create_initial(struct worker *w)
{
	uint32_t space;

	for_each_own_space(space, w)
	{
		if (!w->run->trace->spaces[space].created)
			execute_start(w, space);
	}
}

/* Before comparing, which takes locks, too. */
static void count_space(struct worker *w, uint32_t space)
{
	struct why why = {0};

	if (w->run->config->counts && !pt_table_get_stats(w->tables[space], &why.counts))
		why_add(&w->why, &why);
}

static void verify_all(struct worker *w)
{
	uint32_t space;

	for_each_own_space(space, w)
	{
		if (run_failed(w->run))
			continue;
		count_space(w, space);
		verify_space(w, space);
	}
}

static void destroy_live(struct worker *w)
{
	uint32_t space;

	for_each_own_space(space, w)
	{
		if (w->tables[space])
			destroy_table(w, space);
	}
}

/* By the first worker, while no events run. */
static void pool_begin(struct run *run)
{
	struct pt_pool_stats stats;

	pt_pool_get_stats(run->pool, &stats);
	run->chains_before = stats.retired_chains;
}

static void pool_end(struct run *run)
{
	struct pt_pool_stats stats;
	uint64_t ns = part_ns(run);

	pt_pool_get_stats(run->pool, &stats);
	run->wall_ns += ns;
	why_add(&run->why, &(struct why){
				   .grace_periods = stats.retired_chains - run->chains_before,
				   .ns = ns,
				   .retired_bytes = stats.retired_bytes,
			   });
}

/* Return: has any worker failed? Then tables stay as they are: see struct wreck. */
static bool replay_loop(struct worker *w)
{
	struct run *run = w->run;
	struct clocks clocks;

	atomic_store_explicit(&w->done, 0, memory_order_relaxed);
	create_initial(w);
	if (is_first(w))
		pool_begin(run);
	if (gate(w))
		return true;
	measure_begin(w, &clocks);
	replay_events(w);
	measure_end(w, &clocks);
	if (gate(w))
		return true;
	if (is_first(w))
		pool_end(run);
	sample_memory(w);
	verify_all(w);
	if (gate(w))
		return true;
	measure_begin(w, &clocks);
	destroy_exited(w);
	measure_end(w, &clocks);
	if (gate(w))
		return true;
	if (is_first(w))
		run->teardown_ns += part_ns(run);
	destroy_live(w);
	/* Each loop begins with nothing left to free. */
	pt_thread_reclaim(w->self);
	return gate(w);
}

/* What a warm-up has added up. */
static void forget_measurements(struct worker *w)
{
	w->own_ns = w->cpu_ns = w->wait_ns = w->wait_cpu_ns = w->waited = w->involuntary = 0;
	w->why = (struct why){0};
	if (!is_first(w))
		return;
	w->run->wall_ns = w->run->teardown_ns = 0;
	w->run->why = (struct why){0};
}

void *replay_worker(void *arg)
{
	struct worker *w = arg;
	struct run *run = w->run;
	const struct run_config *config = run->config;
	unsigned home = 0;
	int rc;

	if (config->place)
		home = config->place(config->place_ctx, (unsigned)(w - run->workers));
	rc = pt_thread_register(run->pool, &w->self);
	if (rc)
		run_fail(run, RUN_NO_RESOURCES, "pt_thread_register returned %s",
			 run_error_name(rc));
	rc = w->self ? pt_thread_set_home(w->self, home) : 0;
	if (rc)
		run_fail(run, RUN_NO_RESOURCES, "pt_thread_set_home returned %s",
			 run_error_name(rc));
	if (!gate(w)) {
		for (unsigned i = 0; i < config->warmup + config->loops; i++) {
			if (i == config->warmup)
				forget_measurements(w);
			if (replay_loop(w))
				break;
		}
	}
	if (config->in_place)
		w->misplaced = !config->in_place(config->place_ctx, (unsigned)(w - run->workers));
	rc = w->self ? pt_thread_unregister(w->self) : 0;
	if (rc)
		run_fail(run, RUN_VIOLATION, "pt_thread_unregister returned %s",
			 run_error_name(rc));
	return NULL;
}
