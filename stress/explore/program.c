/* SPDX-License-Identifier: MIT */
/*
 * A scenario as a subject of the search: set-up, the threads, judgement, tear-down.
 *
 * After an execution the final state is judged only if no execution before has had the same one:
 * same memory, same results, same order of calls. Most schedules differ in nothing that matters.
 */
#include "program.h"

#include <stdio.h>
#include <string.h>

#include "apart.h"
#include "calls.h"
#include "figures.h"
#include "frames.h"
#include "oracle.h"
#include "roles.h"
#include "spares.h"
#include "tlb.h"
#include "trace.h"

#define POOL_BYTES 4096

/* Are there two NUMA homes? Where each has a tree of its own, always, but for who tries the pool alone. */
static bool two_homes(const struct program *p)
{
	return p->scenario->homes ||
	       (pt_strategy_find(p->strategy)->replicates && !p->scenario->spares);
}

const char *program_node_lock = DEFAULT_NODE_LOCK;

/* ---- final states ---- */

static struct seen judged, outcomes;
static struct seen torn_down;        /* also by programs before, as long as set-up is the same */
static const struct program *set_up; /* whose set-up the memory holds, or NULL */
struct seen program_histories;

bool program_isolates_slots(const struct program *program)
{
	return pt_strategy_find(program->strategy)->isolation == PT_ISOLATION_SLOT;
}

unsigned program_outcomes(void)
{
	return outcomes.count;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* What an execution came to, as hashes: each tells apart more than the one before. */
struct signatures {
	uint64_t memory;  /* what is left behind */
	uint64_t outcome; /* and what calls returned */
	uint64_t history; /* and when */
};

static struct signatures sign(const struct program *p)
{
	uint64_t memory = memory_signature(), outcome, times = 0;

	if (p->scenario->hardware)
		memory = mix(memory, tlb_signature());
	outcome = memory;
	for (unsigned t = 0; t < p->threads; t++)
		for (unsigned i = 0; i < p->nr_calls[t]; i++) {
			const struct call *c = &p->calls[t][i];

			times = mix(times, (uint64_t)c->invoked << 32 | c->responded);
			if (unlikely(rt.weak))
				times = mix(mix(times ^ (uint16_t)c->ended, c->began.word[0]),
					    c->began.word[1]);
			outcome = mix(outcome,
				      (uint64_t)(uint32_t)c->rc << 32 | c->page << 8 | c->pages);
			outcome = mix(outcome, c->done);
			outcome = mix(outcome, c->value ^ (uint64_t)c->prop << 32 ^
						       (uint64_t)c->kind << 60 ^
						       (uint64_t)c->translated << 59);
		}
	return (struct signatures){memory, outcome, mix(outcome, times)};
}

/* Which calls had ended before which began: what the oracle sees of their times. */
static uint64_t order_of_calls(const struct program *p)
{
	uint64_t order = 0;

	for (unsigned t = 0; t < p->threads; t++)
		for (unsigned i = 0; i < p->nr_calls[t]; i++)
			for (unsigned u = 0; u < p->threads; u++)
				for (unsigned k = 0; k < p->nr_calls[u] && u != t; k++)
					order = mix(order, p->calls[t][i].responded <
								   p->calls[u][k].invoked);
	return order;
}

/* ---- executions ---- */

static void body(void *ctx, unsigned t)
{
	struct program *p = ctx;

	rt.self->alloc_may_fail = p->scenario->memory_may_fail;
	calls_begin(p, t);
	p->nr_calls[t] = calls_run(p, p->scenario->threads[t], p->calls[t], t, p->text[t]);
}

static void start(void *ctx)
{
	struct program *p = ctx;

	if (p->scenario->hardware)
		tlb_restore();
	roles_restore();
	frames_restore();
	figures_restore(p);
	spares_restore();
}

static void look_at_all(struct program *p, struct page_state *final)
{
	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		struct pt_table *table = roles_user_is_gone(p) ? p->kernel : table_of(p, page);
		struct pt_mapping mapping;
		struct call look;

		if (roles_user_is_gone(p) && page < KERNEL_PAGE)
			continue;
		if (pt_query(p->handles[0], table, page_va(p, page), &mapping))
			rt_fail("Q1", "a query of page %u fails after all threads have ended",
				page);
		call_set_mapping(&look, page_va(p, page), &mapping);
		final[page] = (struct page_state){look.kind, look.value, look.prop};
	}
}

/* Return: nodes of the table. */
static uint64_t check_shape(struct program *p, struct pt_table *table)
{
	struct pt_check_report report;

	if (pt_check(p->handles[0], table, &report))
		rt_fail("S1", "pt_check() fails: a thread still holds a cursor");
	if (report.violation)
		rt_fail("S1", "%s (page %u, level %u)", report.violation, VA_PAGE(report.va),
			report.level);
	return report.nodes;
}

/* Everything goes; nothing may be left, or freed twice. */
static void tear_down(struct program *p)
{
	struct pt_pool_stats stats;
	struct pt_home_stats home;
	unsigned rc = 0;

	rt.self->operation = "tear-down";
	if (p->scenario->spares)
		spares_tear_down(p);
	if (p->kernel)
		roles_tear_down(p);
	else
		rc |= (unsigned)pt_table_destroy(p->handles[0], p->table);
	if (p->second)
		rc |= (unsigned)pt_table_destroy(p->handles[0], p->second);
	for (unsigned t = 0; t < p->threads; t++)
		rc |= (unsigned)pt_thread_unregister(p->handles[t]);
	figures_tear_down();
	pt_pool_get_stats(p->pool, &stats);
	if (rc)
		rt_fail("S1", "the table cannot be destroyed: a cursor is still open");
	if (stats.node_bytes || stats.retired_bytes)
		rt_fail("R1", "%llu bytes of nodes, %llu of them retired, were never freed",
			(unsigned long long)stats.node_bytes,
			(unsigned long long)stats.retired_bytes);
	for (unsigned h = 0; !pt_pool_get_home_stats(p->pool, h, &home); h++)
		if (home.node_bytes)
			rt_fail("R1", "nodes of NUMA home %u have gone to another", h);
	if (p->scenario->frames)
		frames_tear_down();
	if (pt_pool_destroy(p->pool))
		rt_fail("R1", "the pool cannot be destroyed");
	if (port_model_objects())
		rt_fail("R1", "%u small objects were never freed", port_model_objects());
	if (p->scenario->hardware)
		tlb_judge_references();
}

/* Does tearing down depend on nothing but what the memory's signature tells apart? */
static bool only_memory_counts(const struct program *p)
{
	return !p->scenario->roles && !p->scenario->frames && !p->scenario->stats;
}

static void finish(void *ctx)
{
	struct program *p = ctx;
	struct page_state final[SCENARIO_PAGES] = {0}, plain[SCENARIO_PAGES];
	const struct signatures now = sign(p);
	uint64_t nodes = 0;

	if (p->scenario->apart)
		apart_judge(p);
	if (!rt.recording && seen_has(&judged, now.history))
		return;
	rt.self->operation = "the final check";
	if (!roles_user_is_gone(p))
		nodes = check_shape(p, p->table);
	if (p->kernel)
		check_shape(p, p->kernel);
	if (p->second)
		check_shape(p, p->second);
	look_at_all(p, final);
	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		plain[page] = final[page];
		plain[page].prop &= ~HARDWARE_BITS;
	}
	oracle_judge(p, plain);
	if (p->scenario->hardware)
		tlb_judge_dirty(final);
	if (p->scenario->frames)
		frames_judge(final);
	if (p->scenario->stats)
		figures_judge(p, nodes);
	if (rt.recording || !only_memory_counts(p) || !seen_has(&torn_down, now.memory))
		tear_down(p);
	seen_add(&torn_down, now.memory);
	seen_add(&judged, now.history);
	seen_add(&outcomes, now.outcome);
	seen_add(&program_histories, mix(now.outcome, order_of_calls(p)));
}

/* ---- set-up ---- */

static void must(int rc, const char *what)
{
	if (rc)
		rt_fail("-", "set-up: %s returned %d", what, rc);
}

/* A table created and destroyed leaves the thread with spare nodes. */
static void warm(struct program *p, struct pt_config config, unsigned t)
{
	struct pt_table *scratch;

	config.flush = NULL;
	config.item_ops = NULL;
	must(pt_table_create(p->handles[t], &config, &scratch), "creating a table");
	must(pt_table_destroy(p->handles[t], scratch), "destroying a table");
}

static void setup_pool(struct program *p)
{
	const struct scenario *s = p->scenario;
	size_t chunks = s->spares ? s->spares : 1u + (two_homes(p) && !s->scarce);
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = pt_format_find("toy")->node_shift,
		.chunk_bytes = POOL_BYTES,
		.max_bytes = chunks * POOL_BYTES,
		.homes = 1u + two_homes(p),
		.magazine = 16,
		.retire_batch = 1,
		.phys_base = PHYS_BASE,
		.reclaim = p->scenario->synchronous ? PT_RECLAIM_SYNC : PT_RECLAIM_CALLBACK,
		.retired_bound = p->scenario->backlog,
	};

	must(pt_pool_create(&pool, &p->pool), "creating the pool");
}

/* Return: who creates the tables. */
static struct pt_thread *setup_threads(struct program *p, const struct pt_config *config)
{
	struct pt_thread *other = figures_crowd(p);

	for (unsigned t = 0; t < p->threads; t++) {
		must(pt_thread_register(p->pool, &p->handles[t]), "registering a thread");
		must(pt_thread_set_home(p->handles[t], two_homes(p) && t), "a home");
		memory_describe("handle", p->handles[t], 64, 1);
		if (!p->scenario->cold)
			warm(p, *config, t);
	}
	return other ? other : p->handles[0];
}

/* Nothing has been seen of this program. */
static void renew(void *ctx)
{
	(void)ctx;
	seen_clear(&judged);
	seen_clear(&outcomes);
	seen_clear(&program_histories);
}

static void setup(void *ctx)
{
	static unsigned first_pages = 0, second_pages = SECOND_TABLE;
	struct program *p = ctx;
	struct pt_config config = {
		.size = sizeof(config),
		.flush_ctx = &first_pages,
		.format = "toy",
		.strategy = p->strategy,
		.node_lock = p->scenario->node_lock ? p->scenario->node_lock : program_node_lock,
		.stats = p->scenario->stats,
	};
	struct pt_thread *creator;

	rt.self->operation = "set-up";
	seen_clear(&torn_down);
	renew(p);
	tlb_clear(p->scenario);
	spares_setup();
	setup_pool(p);
	config.pool = p->pool;
	if (p->scenario->hardware) {
		config.item_ops = &tlb_item_ops;
		config.flush = tlb_flush;
	}
	if (p->scenario->frames)
		frames_setup(p, &config);
	creator = setup_threads(p, &config);
	p->kernel = NULL;
	p->second = NULL;
	if (p->scenario->roles)
		roles_setup(p, &config);
	else
		must(pt_table_create(creator, &config, &p->table), "creating the table");
	if (p->scenario->two_tables) {
		config.flush_ctx = &second_pages;
		must(pt_table_create(creator, &config, &p->second), "creating the second");
	}
	p->owned = memory_reserve(SCENARIO_PAGES * sizeof(*p->owned), 64, false);
	memory_describe("ownership of page", p->owned, sizeof(*p->owned), SCENARIO_PAGES);
	calls_run(p, p->scenario->initial, p->initial, 0, NULL);
	tlb_snapshot();
	roles_snapshot();
	frames_snapshot();
	figures_snapshot(p);
	spares_snapshot();
	set_up = p;
}

/*
 * Generated programs come by the thousand, and most begin as the one before did; setting up takes as
 * long as a hundred executions. Return: is what @before stands on what
 * @p, now of @scenario, needs?
 */
static bool begins_alike(const struct program *p, const struct program *before,
			 const struct scenario *scenario)
{
	static struct scenario last;
	struct scenario now = *scenario;
	bool alike;

	memset(now.threads, 0, sizeof(now.threads));
	now.name = now.about = NULL;
	alike = set_up == p && p->threads == before->threads && p->strategy == before->strategy &&
		!memcmp(&now, &last, sizeof(now));
	last = now;
	return alike;
}

/* What set-up has left in a program. */
static void inherit(struct program *p, const struct program *from)
{
	p->pool = from->pool;
	p->table = from->table;
	p->second = from->second;
	p->kernel = from->kernel;
	p->owned = from->owned;
	memcpy(p->handles, from->handles, sizeof(p->handles));
	memcpy(p->initial, from->initial, sizeof(p->initial));
	for (unsigned i = 0; i < MAX_STEPS; i++)
		if (p->initial[i].step)
			p->initial[i].step = &p->scenario->initial[i];
}

void program_subject(struct program *p, const struct scenario *scenario, const char *strategy,
		     struct subject *ret)
{
	const struct program before = *p;
	bool alike;

	*p = (struct program){.scenario = scenario, .strategy = strategy};
	while (p->threads < MAX_THREADS && scenario->threads[p->threads][0].kind)
		p->threads++;
	alike = begins_alike(p, &before, scenario);
	if (alike)
		inherit(p, &before);
	else
		set_up = NULL;
	for (unsigned t = 0; t < p->threads; t++)
		for (unsigned i = 0; i < MAX_STEPS && scenario->threads[t][i].kind; i++)
			step_text(&scenario->threads[t][i], p->text[t][i], sizeof(p->text[t][i]));
	*ret = (struct subject){
		.name = scenario->name,
		.threads = p->threads,
		.setup = setup,
		.as_before = alike,
		.renew = renew,
		.start = start,
		.body = body,
		.finish = finish,
		.ctx = p,
	};
}
