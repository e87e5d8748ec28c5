/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* pthread_tryjoin_np */
#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "engine.h"
#include "interrupt.h"
#include "logbook.h"
#include "nodelock.h"
#include "settle.h"
#include "verdict.h"
#include "watchdog.h"

#define NODE_BYTES (UINT64_C(16) << 20)
#define CHUNK_BYTES (UINT64_C(2) << 20)
#define PHYS_BASE (UINT64_C(1) << 30)
#define PHASES 8 /* of a round */
#define NAP_NS 500000

struct engine {
	const struct run_options *options;
	const struct run_case *c;
	const struct place *place;
	engine_progress_fn progress;
	struct arena arena;
	struct watchdog watchdog;
	struct logbook logbook;
	char *mapped, *region;
	uint64_t begin_ns;
	struct outcome out;
};

/* ---- memory that lasts for the case ---- */

static int reserve_region(struct engine *e)
{
	e->mapped = mmap(NULL, NODE_BYTES + CHUNK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (e->mapped == MAP_FAILED) {
		e->mapped = NULL;
		return -ENOMEM;
	}
	e->region = e->mapped + (-(uintptr_t)e->mapped & (CHUNK_BYTES - 1));
	return 0;
}

static void *zeroed(size_t align, size_t bytes)
{
	void *memory = aligned_alloc(align, (bytes + align - 1) & ~(align - 1));

	return memory ? memset(memory, 0, (bytes + align - 1) & ~(align - 1)) : NULL;
}

static int create_workers(struct engine *e)
{
	struct arena *a = &e->arena;
	int plan[THREADS_MOST];

	a->place = e->place;
	a->nr_workers = e->c->threads;
	a->readers = e->options->readers < 0 ? a->nr_workers / 4 : (unsigned)e->options->readers;
	if (a->readers > a->nr_workers)
		a->readers = a->nr_workers;
	a->workers = zeroed(alignof(struct worker), a->nr_workers * sizeof(*a->workers));
	a->machine.cpus = zeroed(alignof(struct cpu), a->nr_workers * sizeof(*a->machine.cpus));
	a->machine.nr_cpus = a->nr_workers;
	if (!a->workers || !a->machine.cpus || place_plan(e->place, a->nr_workers, plan))
		return -ENOMEM;
	for (unsigned i = 0; i < a->nr_workers; i++) {
		struct worker *w = &a->workers[i];

		w->arena = a;
		w->index = i;
		w->where = plan[i];
		w->cpu = &a->machine.cpus[i];
		w->stale = calloc(a->space.nr_pages, sizeof(*w->stale));
		w->old = calloc(a->space.nr_pages, sizeof(*w->old));
		if (!w->stale || !w->old)
			return -ENOMEM;
		purse_init(&w->purse, i, a->nr_workers);
	}
	return 0;
}

static void release(struct engine *e)
{
	struct arena *a = &e->arena;

	for (unsigned i = 0; a->workers && i < a->nr_workers; i++) {
		free(a->workers[i].stale);
		free(a->workers[i].old);
	}
	free(a->workers);
	free(a->machine.cpus);
	if (a->logbook)
		logbook_destroy(a->logbook);
	frames_destroy(&a->frames);
	space_destroy(&a->space);
	if (e->mapped)
		munmap(e->mapped, NODE_BYTES + CHUNK_BYTES);
}

static int prepare(struct engine *e)
{
	struct arena *a = &e->arena;
	int rc;

	a->strategy = pt_strategy_find(e->c->strategy);
	a->format = pt_format_find(e->c->format);
	a->mix = e->options->mix;
	a->seed = e->options->seed;
	a->machine.hardware = hardware_find(e->c->format);
	a->machine.space = &a->space;
	a->machine.frames = &a->frames;
	rc = space_create(a->format, e->c->pages, &a->space);
	if (!rc)
		rc = frames_create(&a->frames, a->space.page_bytes, a->space.block_pages);
	if (!rc)
		rc = create_workers(e);
	if (!rc)
		rc = reserve_region(e);
	if (!rc && e->options->history) {
		a->logbook = &e->logbook;
		rc = logbook_create(a->logbook, &a->space, a->nr_workers, e->options->history,
				    e->options->clock);
	}
	if (!rc)
		inject_configure(&e->options->inject, a->machine.hardware->garbage());
	return rc;
}

/* ---- a round ---- */

static int open_pool(struct engine *e)
{
	const char *mode = e->options->reclaim;
	struct arena *a = &e->arena;
	bool sync = !strcmp(mode, "sync") || (!strcmp(mode, "both") && a->rounds % 2);
	struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = a->format->node_shift,
		.chunk_bytes = CHUNK_BYTES,
		.max_bytes = NODE_BYTES,
		.magazine = 16,
		.reclaim = sync ? PT_RECLAIM_SYNC : PT_RECLAIM_CALLBACK,
		.region = e->region,
		.phys_base = PHYS_BASE,
	};
	int rc = pt_pool_create(&config, &a->pool);

	a->machine.memory = (struct memory){
		.offset = (uintptr_t)e->region - PHYS_BASE,
		.first = PHYS_BASE,
		.last = PHYS_BASE + NODE_BYTES - 1,
	};
	return rc ? rc : pt_thread_register(a->pool, &a->self);
}

/* One of the kinds that were asked for and that the strategy has, in turn; NULL if there is none. */
static const char *choose_node_lock(const struct engine *e)
{
	const struct names *locks = &e->options->node_locks;
	unsigned own = 0, turn;

	for (size_t i = 0; i < locks->count; i++)
		own += strategy_has_node_lock(e->c->strategy, locks->words[i]);
	turn = own ? e->arena.rounds % own : 0;
	for (size_t i = 0; own && i < locks->count; i++)
		if (strategy_has_node_lock(e->c->strategy, locks->words[i]) && !turn--)
			return locks->words[i];
	return NULL;
}

/* Leaves are counted items or not, and reported or not; in turn, as the node locks are. */
static int open_table(struct engine *e)
{
	struct arena *a = &e->arena;
	struct pt_config config = {
		.size = sizeof(config),
		.format = e->c->format,
		.strategy = e->c->strategy,
		.node_lock = choose_node_lock(e),
		.pool = a->pool,
		.flush = cpu_shootdown,
		.flush_ctx = &a->machine,
	};
	int rc;

	a->frames.tracked = a->rounds / 2 % 3 != 1;
	a->frames.reported = a->rounds / 2 % 3 != 2;
	a->frames.destroying = false;
	if (a->frames.tracked) {
		config.item_ops = &frames_item_ops;
		config.item_ctx = &a->frames;
	}
	rc = pt_table_create(a->self, &config, &a->table);
	if (!rc)
		a->machine.root = pt_table_root(a->table);
	cpu_reset(&a->machine);
	space_clear(&a->space);
	return rc;
}

static int start_workers(struct engine *e)
{
	struct arena *a = &e->arena;
	int rc = 0;

	atomic_store_explicit(&a->leave, false, memory_order_relaxed);
	for (unsigned i = 0; i < a->nr_workers && !rc; i++) {
		atomic_store_explicit(&a->workers[i].parked, UINT64_MAX, memory_order_relaxed);
		rc = pthread_create(&a->workers[i].id, NULL, worker_main, &a->workers[i]);
	}
	return -rc;
}

static void nap(struct engine *e)
{
	/* This thread is registered, too, and must not hold up grace periods. */
	pt_thread_quiescent(e->arena.self);
	clock_sleep_until_ns(clock_wall_ns() + NAP_NS);
}

/* Until all stand still. Return: they do. */
static bool wait_for_stop(struct engine *e)
{
	struct arena *a = &e->arena;
	uint64_t phase = atomic_load_explicit(&a->phase, memory_order_relaxed);
	uint64_t give_up = 0;
	unsigned stopped;

	for (;;) {
		for (stopped = 0; stopped < a->nr_workers; stopped++)
			/* Acquire: what they did; pairs with wait_for_phase(). */
			if (atomic_load_explicit(&a->workers[stopped].parked,
						 memory_order_acquire) != phase)
				break;
		if (stopped == a->nr_workers)
			return true;
		/* In a broken table threads may never come back. */
		if (verdict_failed() && !give_up)
			give_up = clock_wall_ns() + UINT64_C(3000000000);
		if ((give_up && clock_wall_ns() > give_up) ||
		    !watchdog_look(&e->watchdog, a, phase))
			return false;
		nap(e);
	}
}

static uint64_t ops_so_far(const struct engine *e)
{
	uint64_t ops = 0;

	for (unsigned i = 0; i < e->arena.nr_workers; i++)
		ops += atomic_load_explicit(&e->arena.workers[i].ops, memory_order_relaxed);
	return ops;
}

static double part_done(const struct engine *e)
{
	if (e->options->ops)
		return (double)ops_so_far(e) / (double)e->options->ops;
	return (double)(clock_wall_ns() - e->begin_ns) / (double)e->options->duration_ns;
}

static bool is_over(const struct engine *e)
{
	return part_done(e) >= 1 || interrupt_seen() || verdict_failed();
}

/* What each thread may still do, so that the sum of operations is what was asked for. */
static void set_limits(struct engine *e)
{
	struct arena *a = &e->arena;
	uint64_t limit = e->options->stutter;

	if (e->options->ops) {
		uint64_t left = e->options->ops - ops_so_far(e);
		uint64_t share = (left + a->nr_workers - 1) / a->nr_workers;

		limit = share < limit ? share : limit;
	}
	for (unsigned i = 0; i < a->nr_workers; i++)
		a->workers[i].limit = limit;
}

/* All run, and all stop. Return: they did. */
static bool run_phase(struct engine *e)
{
	struct arena *a = &e->arena;
	uint64_t phase = atomic_load_explicit(&a->phase, memory_order_relaxed) + 1;

	set_limits(e);
	if (a->logbook)
		logbook_open(a->logbook, phase_has_only_cursors(a));
	/* Release: pages are settled; pairs with phase_of(). */
	atomic_store_explicit(&a->phase, phase, memory_order_release);
	while (atomic_load_explicit(&a->phase, memory_order_relaxed) == phase) {
		uint64_t running = phase;

		if (!watchdog_look(&e->watchdog, a, 0))
			return false;
		if (is_over(e))
			atomic_compare_exchange_strong_explicit(&a->phase, &running, phase + 1,
								memory_order_relaxed,
								memory_order_relaxed);
		e->progress(part_done(e));
		nap(e);
	}
	if (!wait_for_stop(e))
		return false;
	if (a->logbook && !verdict_failed())
		logbook_judge(a->logbook);
	a->phases++;
	return true;
}

static bool join_workers(struct engine *e)
{
	struct arena *a = &e->arena;

	/* Release: pairs with wait_for_phase(). */
	atomic_store_explicit(&a->leave, true, memory_order_release);
	for (unsigned i = 0; i < a->nr_workers; i++) {
		/* Leaving may take a grace period, which must not wait for this thread. */
		while (pthread_tryjoin_np(a->workers[i].id, NULL)) {
			if (!watchdog_look(&e->watchdog, a, 0))
				return false;
			nap(e);
		}
	}
	return true;
}

static void count(struct engine *e)
{
	struct arena *a = &e->arena;

	e->out.ops = ops_so_far(e);
	e->out.exact = e->out.loose = e->out.hits = e->out.walks = e->out.flushes = 0;
	for (unsigned i = 0; i < a->nr_workers; i++) {
		e->out.exact += a->workers[i].exact;
		e->out.loose += a->workers[i].loose;
		e->out.hits += a->machine.cpus[i].hits;
		e->out.walks += a->machine.cpus[i].walks;
		e->out.flushes += a->machine.cpus[i].flushes;
	}
	e->out.dirtied = a->frames.dirtied;
	if (a->logbook) {
		e->out.logged = a->logbook->operations;
		e->out.gave_up = a->logbook->gave_up;
	}
	e->out.rounds = a->rounds;
	e->out.phases = a->phases;
}

/* Everything is given back; what is not, has leaked. */
static void close_round(struct engine *e)
{
	struct arena *a = &e->arena;
	struct pt_pool_stats stats;

	if (a->frames.tracked && a->rounds / 6 % 2)
		a->frames.destroying = true;
	else
		settle_empty(a, &a->workers[0]);
	if (verdict_failed())
		return;
	if (pt_table_destroy(a->self, a->table))
		verdict_fail("C2", 0, "a table cannot be destroyed");
	if (pt_thread_reclaim(a->self) || pt_thread_unregister(a->self))
		verdict_fail("C2", 0, "the main thread cannot be unregistered");
	if (atomic_load_explicit(&a->frames.lent, memory_order_relaxed))
		verdict_fail("R2", 0,
			     "the table is gone, but %" PRIu64 " mappings were never handed "
			     "back",
			     atomic_load_explicit(&a->frames.lent, memory_order_relaxed));
	pt_pool_get_stats(a->pool, &stats);
	if (stats.node_bytes || stats.retired_bytes)
		verdict_fail("R1", 0,
			     "the table is gone, but %" PRIu64 " bytes of nodes are in use "
			     "and %" PRIu64 " retired",
			     stats.node_bytes, stats.retired_bytes);
	if (pt_pool_destroy(a->pool))
		verdict_fail("C2", 0, "a pool cannot be destroyed");
}

static enum exit_code run_round(struct engine *e)
{
	struct arena *a = &e->arena;
	int rc = open_pool(e);

	if (!rc)
		rc = open_table(e);
	if (!rc)
		rc = start_workers(e);
	if (rc) {
		complain("cannot begin a round: %s", strerror(-rc));
		return EXIT_RESOURCES;
	}
	e->out.stuck = !wait_for_stop(e);
	for (unsigned i = 0; i < PHASES && !e->out.stuck && !is_over(e); i++) {
		e->out.stuck = !run_phase(e);
		if (!e->out.stuck && !verdict_failed())
			settle(a);
	}
	if (!e->out.stuck)
		e->out.stuck = !join_workers(e);
	if (!e->out.stuck && !verdict_failed())
		close_round(e);
	a->rounds++;
	return EXIT_FINE;
}

enum exit_code engine_run(const struct run_options *options, const struct run_case *c,
			  const struct place *place, engine_progress_fn progress,
			  struct outcome *ret)
{
	struct engine *e = calloc(1, sizeof(*e));
	enum exit_code code = EXIT_FINE;

	if (!e)
		return EXIT_RESOURCES;
	*e = (struct engine){.options = options, .c = c, .place = place, .progress = progress};
	verdict_clear();
	if (prepare(e)) {
		complain("out of memory for %u threads", c->threads);
		code = EXIT_RESOURCES;
	}
	watchdog_start(&e->watchdog, options->stall_ns);
	e->begin_ns = clock_wall_ns();
	do
		code = code ? code : run_round(e);
	while (!code && !is_over(e));
	e->out.ns = clock_wall_ns() - e->begin_ns;
	count(e);
	*ret = e->out;
	/* Of a broken table nothing is known, least of all that nobody uses it. */
	if (!verdict_failed()) {
		release(e);
		free(e);
	}
	verdict_of_sanitizer();
	ret->failed = verdict_failed();
	return code;
}
