/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "player.h"

int subject_open(struct subject *s, const struct pt_format_info *format,
		 const struct pt_strategy_info *strategy, const char *node_lock)
{
	const struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = format->node_shift,
		.max_bytes = 256 << 20,
		.retired_bound = 8 << 20,
		.reclaim = PT_RECLAIM_SYNC,
	};
	int rc;

	*s = (struct subject){.format = format, .strategy = strategy, .node_lock = node_lock};
	snprintf(s->name, sizeof(s->name), "%s%s%s", strategy->name, node_lock ? "/" : "",
		 node_lock ? node_lock : "");
	rc = pt_pool_create(&config, &s->pool);
	if (rc)
		return rc;
	return pt_thread_register(s->pool, &s->self);
}

void subject_close(struct subject *s)
{
	if (s->self && pt_thread_unregister(s->self))
		abort();
	if (s->pool && pt_pool_destroy(s->pool))
		abort();
}

void outcome_free(struct outcome *o)
{
	for (unsigned i = 0; i < NR_TABLES; i++)
		content_free(&o->content[i]);
}

/* ---- running ---- */

/* Nobody caches anything. */
static void on_flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	(void)ctx;
	(void)va;
	(void)len;
	(void)tables;
}

static int create_tables(struct subject *s)
{
	const struct pt_config config = {
		.size = sizeof(config),
		.format = s->format->name,
		.strategy = s->strategy->name,
		.node_lock = s->node_lock,
		.pool = s->pool,
		.item_ops = &player_item_ops,
		.item_ctx = s,
		.flush = on_flush,
	};

	for (unsigned i = 0; i < NR_TABLES; i++) {
		int rc = pt_table_create(s->self, &config, &s->tables[i]);

		if (rc)
			return rc;
	}
	return 0;
}

static void run_alone(struct subject *s, const struct program *p, const bool *keep,
		      struct outcome *ret)
{
	struct player player = {.subject = s, .self = s->self, .loose = p->threads > 1};
	unsigned thread = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (!keep[i])
			continue;
		if (p->calls[i].thread != thread)
			player_end(&player);
		thread = p->calls[i].thread;
		player_play(&player, &p->calls[i], &ret->results[i]);
	}
	player_end(&player);
}

struct team {
	struct subject *subject;
	const struct program *program;
	const bool *keep;
	struct outcome *ret;
	_Atomic unsigned missing; /* who are not yet ready */
	_Atomic unsigned playing;
	_Atomic int rc;
};

struct member {
	struct team *team;
	unsigned thread;
	pthread_t id;
};

/* Programs are short: all begin at the same moment, or they would not meet. */
static void wait_for_all(struct team *team)
{
	atomic_fetch_sub_explicit(&team->missing, 1, memory_order_relaxed);
	while (atomic_load_explicit(&team->missing, memory_order_relaxed))
		sched_yield();
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct team *team = m->team;
	const struct program *p = team->program;
	struct player player = {.subject = team->subject, .loose = true};
	int rc = pt_thread_register(team->subject->pool, &player.self);

	wait_for_all(team);
	if (rc) {
		atomic_store(&team->rc, rc);
		atomic_fetch_sub(&team->playing, 1);
		return NULL;
	}
	for (size_t i = 0; i < p->n; i++) {
		if (p->calls[i].thread != m->thread || !team->keep[i])
			continue;
		player_play(&player, &p->calls[i], &team->ret->results[i]);
		if (!player.open)
			pt_thread_quiescent(player.self);
	}
	player_end(&player);
	if (pt_thread_unregister(player.self))
		abort();
	atomic_fetch_sub(&team->playing, 1);
	return NULL;
}

static int run_together(struct subject *s, const struct program *p, const bool *keep,
			struct outcome *ret)
{
	struct team team = {.subject = s, .program = p, .keep = keep, .ret = ret};
	struct member members[MAX_THREADS];
	unsigned started = 0;
	int rc = 0;

	atomic_store(&team.missing, p->threads);
	atomic_store(&team.playing, p->threads);
	for (; started < p->threads && !rc; started += !rc) {
		members[started] = (struct member){.team = &team, .thread = started};
		rc = -pthread_create(&members[started].id, NULL, member_main, &members[started]);
	}
	if (rc) { /* those that have begun wait no longer */
		atomic_fetch_sub(&team.missing, p->threads - started);
		atomic_fetch_sub(&team.playing, p->threads - started);
	}
	/* This thread is registered with the pools of all subjects: it must hold up no grace period. */
	while (atomic_load(&team.playing)) {
		pt_thread_quiescent(s->self);
		sched_yield();
	}
	for (unsigned t = 0; t < started; t++)
		pthread_join(members[t].id, NULL);
	return rc ? rc : atomic_load(&team.rc);
}

/* The references that leaves hold are all there are. */
static void judge_alone(struct subject *s, struct outcome *ret)
{
	int64_t tracked = 0;

	for (unsigned i = 0; i < NR_TABLES; i++) {
		if (!content_take(&ret->content[i], s->self, s->tables[i]))
			ret->failed = "the table could not be looked at";
		else if (ret->content[i].report.violation)
			ret->failed = ret->content[i].report.violation;
		tracked += ret->content[i].tracked;
	}
	if (pt_thread_reclaim(s->self))
		ret->failed = "pt_thread_reclaim() failed";
	ret->references = atomic_load(&s->references);
	if (!ret->failed && tracked != ret->references)
		ret->failed = "tracked items have other references than those that leaves hold";
}

/* What a thread keeps for its next calls is given back with its registration. */
static int register_anew(struct subject *s, struct outcome *ret)
{
	struct pt_pool_stats stats;

	if (pt_thread_reclaim(s->self) || pt_thread_unregister(s->self))
		abort();
	s->self = NULL;
	pt_pool_get_stats(s->pool, &stats);
	if (!ret->failed && stats.node_bytes)
		ret->failed = "nodes are left when the tables are gone";
	return pt_thread_register(s->pool, &s->self);
}

static int destroy_tables(struct subject *s, struct outcome *ret)
{
	int rc;

	for (unsigned i = 0; i < NR_TABLES; i++) {
		if (s->tables[i] && pt_table_destroy(s->self, s->tables[i]))
			abort();
		s->tables[i] = NULL;
	}
	rc = register_anew(s, ret);
	if (!ret->failed && atomic_load(&s->references))
		ret->failed = "references are left when the tables are gone";
	return rc;
}

int subject_run(struct subject *s, const struct program *p, const bool *keep, bool threads,
		struct outcome *ret)
{
	int rc;

	ret->failed = NULL;
	memset(ret->results, 0, p->n * sizeof(ret->results[0]));
	atomic_store(&s->references, 0);
	rc = create_tables(s);
	if (!rc && threads)
		rc = run_together(s, p, keep, ret);
	else if (!rc)
		run_alone(s, p, keep, ret);
	if (!rc)
		judge_alone(s, ret);
	if (s->self) {
		int destroyed = destroy_tables(s, ret);

		rc = rc ? rc : destroyed;
	}
	return rc;
}
