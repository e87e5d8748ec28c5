/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <string.h>

#include "trace.h"

#define CROWD 64 /* threads that share a group of counters */
#define NR_FIGURES (sizeof(struct pt_stats) / sizeof(uint64_t))

union figures {
	struct pt_stats stats;
	uint64_t of[NR_FIGURES];
};

static struct pt_thread *crowd[CROWD];
static unsigned nr_crowd;

static struct looks {
	struct pt_thread *handles[MAX_THREADS];
	union figures last[MAX_THREADS]; /* what the thread saw when it looked */
	union figures gone;              /* shares of registrations that have ended */
	union figures before;            /* when set-up was done */
} seen, snapshot;

static union figures look(struct program *p)
{
	union figures now;

	if (pt_table_get_stats(p->table, &now.stats))
		rt_fail("S1", "the table does not count");
	return now;
}

static void add_share(struct program *p, unsigned t, union figures *sum)
{
	union figures share;

	if (pt_thread_get_stats(p->handles[t], p->table, &share.stats))
		rt_fail("S1", "%s does not count", trace_thread(t));
	for (unsigned i = 0; i < NR_FIGURES; i++)
		sum->of[i] += share.of[i];
}

static void register_thread(struct program *p, struct pt_thread **ret)
{
	if (pt_thread_register(p->pool, ret))
		rt_fail("-", "a thread cannot be registered");
}

struct pt_thread *figures_crowd(struct program *p)
{
	nr_crowd = p->scenario->crowd ? CROWD : 0;
	for (unsigned i = 0; i < nr_crowd; i++)
		register_thread(p, &crowd[i]);
	return nr_crowd ? crowd[0] : NULL;
}

void figures_snapshot(struct program *p)
{
	seen = (struct looks){0};
	for (unsigned t = 0; t < p->threads; t++)
		seen.handles[t] = p->handles[t];
	if (p->scenario->stats)
		seen.before = look(p);
	snapshot = seen;
}

void figures_restore(struct program *p)
{
	seen = snapshot;
	for (unsigned t = 0; t < p->threads; t++)
		p->handles[t] = seen.handles[t];
}

/* ---- steps ---- */

void figures_run(struct program *p, struct call *call, unsigned t)
{
	union figures now;

	if (call->step->kind == STEP_REGISTER) {
		add_share(p, t, &seen.gone);
		call->rc = pt_thread_unregister(p->handles[t]);
		register_thread(p, &p->handles[t]);
		return;
	}
	now = look(p);
	for (unsigned i = 0; i < NR_FIGURES; i++)
		if (now.of[i] < seen.last[t].of[i] || now.of[i] < seen.before.of[i])
			rt_fail("S1", "figure %u of the table has fallen to %llu", i,
				(unsigned long long)now.of[i]);
	seen.last[t] = now;
	call->value = now.stats.locks << 32 | now.stats.nodes_taken << 16 | now.stats.nodes_given;
}

/* ---- the end ---- */

/* The table's; the node's; that under this; that of each node on the way; or none. */
static unsigned locks_of_a_page_call(const char *strategy)
{
	if (!strcmp(strategy, "coupling"))
		return pt_format_find("toy")->levels;
	if (!strcmp(strategy, "cas"))
		return 0;
	return strcmp(strategy, "split") ? 1 : 2;
}

void figures_judge(struct program *p, uint64_t nodes)
{
	union figures now = look(p), sum = seen.gone;
	const struct pt_stats *s = &now.stats;
	unsigned taken;

	for (unsigned t = 0; t < p->threads; t++)
		add_share(p, t, &sum);
	/* the crowd has only created the table, with a root for each home */
	if (nr_crowd)
		sum.stats.nodes_taken += 1 + pt_strategy_find(p->strategy)->replicates;
	for (unsigned i = 0; i < NR_FIGURES; i++)
		if (now.of[i] != sum.of[i])
			rt_fail("S1", "figure %u of the table is %llu, that of its threads %llu", i,
				(unsigned long long)now.of[i], (unsigned long long)sum.of[i]);
	nodes *= 1u + pt_strategy_find(p->strategy)->replicates;
	if (s->nodes_taken - s->nodes_given != nodes)
		rt_fail("S1", "%llu nodes counted, %llu there",
			(unsigned long long)(s->nodes_taken - s->nodes_given),
			(unsigned long long)nodes);
	taken = p->scenario->page_calls * locks_of_a_page_call(p->strategy);
	if (p->scenario->page_calls && s->locks - seen.before.stats.locks != taken)
		rt_fail("S1", "%llu locks counted, %u taken",
			(unsigned long long)(s->locks - seen.before.stats.locks), taken);
}

void figures_tear_down(void)
{
	for (unsigned i = 0; i < nr_crowd; i++)
		if (pt_thread_unregister(crowd[i]))
			rt_fail("S1", "a thread cannot be unregistered");
}
