/* SPDX-License-Identifier: MIT */
/*
 * All cells of a trace, repetition by repetition: each block runs every cell once, in random order,
 * so that what changes on the machine meanwhile hits all of them alike.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "progress.h"
#include "random.h"
#include "session.h"
#include "xalloc.h"

/* Events that a measurement should have, if the number of loops is left to us. */
#define ENOUGH_EVENTS 1000000u
#define MOST_LOOPS 200u

/* `bare` is not synchronised at all. */
static bool can_run(const struct session *s, const struct contender *contender, unsigned threads)
{
	return contender->strategy->isolation != PT_ISOLATION_NONE || threads * s->copies == 1;
}

size_t matrix_cells(const struct session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->contenders.count; i++) {
		for (size_t j = 0; j < s->nr_threads; j++)
			n += can_run(s, &s->contenders.items[i], s->threads[j]);
	}
	return n;
}

static void make_cells(struct matrix *m)
{
	struct session *s = m->session;

	m->cells = xcalloc(matrix_cells(s), sizeof(*m->cells));
	for (size_t i = 0; i < s->contenders.count; i++) {
		unsigned instance = 0;

		for (size_t j = 0; j < s->nr_threads; j++) {
			if (!can_run(s, &s->contenders.items[i], s->threads[j]))
				continue;
			m->cells[m->nr_cells++] = (struct cell){
				.contender = &s->contenders.items[i],
				.threads = s->threads[j],
				.plan = &m->plans[j],
				.reps = xcalloc(s->reps, sizeof(struct run_result)),
				.family = s->families,
				.instance = instance++,
			};
		}
		s->families++;
	}
}

static unsigned choose_loops(const struct session *s, const struct trace *t)
{
	uint64_t loops = s->loops;

	if (loops == 0)
		loops = 1 + ENOUGH_EVENTS / (t->nr_events + 1);
	if (s->loops == 0 && loops > MOST_LOOPS)
		loops = MOST_LOOPS;
	return (unsigned)loops;
}

/* ---- placement ---- */

struct placement {
	const struct place *place;
	int *cpus;
};

static unsigned bind_worker(void *ctx, unsigned worker)
{
	const struct placement *p = ctx;
	unsigned home = place_home(p->place, p->cpus[worker]);

	/* Whether it worked shows at the end, in is_bound(). */
	if (place_bind(p->place, p->cpus[worker]))
		return home;
	return home;
}

static bool is_bound(void *ctx, unsigned worker)
{
	const struct placement *p = ctx;

	return place_is_on(p->cpus[worker]);
}

/* ---- running ---- */

static void complain_violation(const struct matrix *m, const struct cell *c, const char *failure)
{
	const struct session *s = m->session;
	char label[CONTENDER_NAME], lock[CONTENDER_NAME];

	complain("%s with %s, %u threads: %s", m->trace->path,
		 contender_label(label, &s->contenders, c->contender), c->threads, failure);
	complain(
		"reproduce: ptbench replay %s --strategy %s%s --format %s --threads %u --copies %" PRIu64
		" --loop %u --warmup %" PRIu64 " --reps %" PRIu64
		" --place %s --node-memory %s --seed %" PRIu64,
		m->trace->path, c->contender->strategy->name, contender_option(lock, c->contender),
		s->format->name, c->threads, s->copies, m->loops, s->warmup, s->reps,
		place_name(s->place), node_memory_name(s->memory), s->seed);
}

static enum exit_code run_cell(struct matrix *m, struct cell *c, unsigned rep)
{
	struct session *s = m->session;
	unsigned workers = c->threads * (unsigned)s->copies;
	struct placement placement = {s->place, xcalloc(workers, sizeof(int))};
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = s->format->node_shift,
	};
	const struct run_config config = {
		.script = m->script,
		.plan = c->plan,
		.format = s->format->name,
		.strategy = c->contender->strategy->name,
		.node_lock = c->contender->node_lock,
		.copies = (unsigned)s->copies,
		.warmup = (unsigned)s->warmup,
		.loops = m->loops,
		.pool = &pool,
		.counts = s->why,
		.place = bind_worker,
		.in_place = is_bound,
		.place_ctx = &placement,
		.interrupted = interrupt_seen,
	};
	enum run_status status = RUN_NO_RESOURCES;
	char label[CONTENDER_NAME];

	node_memory_configure(s->memory, &pool);
	if (place_plan(s->place, workers, placement.cpus) == 0)
		status = run_replay(&config, &c->reps[rep]);
	if (status == RUN_VIOLATION)
		complain_violation(m, c, c->reps[rep].failure);
	else if (status == RUN_NO_RESOURCES)
		complain("%s with %s: %s", m->trace->path,
			 contender_label(label, &s->contenders, c->contender),
			 c->reps[rep].failure);
	free(placement.cpus);
	return (enum exit_code)status;
}

static enum exit_code run_block(struct matrix *m, unsigned rep, struct rng *rng)
{
	struct session *s = m->session;
	uint32_t *order = xcalloc(m->nr_cells, sizeof(*order));
	enum exit_code code = EXIT_FINE;

	for (uint32_t i = 0; i < m->nr_cells; i++)
		order[i] = i;
	rng_shuffle(rng, order, (uint32_t)m->nr_cells);
	for (uint32_t i = 0; i < m->nr_cells && code == EXIT_FINE; i++) {
		struct cell *c = &m->cells[order[i]];
		char label[160], name[CONTENDER_NAME];

		snprintf(label, sizeof(label), "%s %s threads:%u", m->trace->name,
			 contender_label(name, &s->contenders, c->contender), c->threads);
		progress_update(s->runs_done++, label);
		code = run_cell(m, c, rep);
		if (code == EXIT_FINE)
			replay_row(m, c, rep, i);
		s->disturbed += !run_is_clean(&c->reps[rep]);
	}
	free(order);
	return code;
}

enum exit_code matrix_run(struct session *s, const struct trace *t, const struct script *script)
{
	struct matrix m = {.session = s, .trace = t, .script = script};
	enum exit_code code = EXIT_FINE;
	struct rng rng;

	m.loops = choose_loops(s, t);
	m.plans = xcalloc(s->nr_threads, sizeof(*m.plans));
	for (size_t i = 0; i < s->nr_threads; i++)
		plan_build(t, s->threads[i], &m.plans[i]);
	make_cells(&m);
	rng_seed(&rng, s->seed, s->families);
	for (unsigned rep = 0; rep < s->reps && code == EXIT_FINE; rep++)
		code = run_block(&m, rep, &rng);
	if (code == EXIT_FINE)
		replay_table(&m);
	for (size_t i = 0; i < m.nr_cells; i++)
		free(m.cells[i].reps);
	free(m.cells);
	for (size_t i = 0; i < s->nr_threads; i++)
		plan_free(&m.plans[i]);
	free(m.plans);
	return code;
}
