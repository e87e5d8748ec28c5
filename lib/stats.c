/* SPDX-License-Identifier: MIT */
/* Making, finding and summing up the counters of a table. */
#include "stats.h"

#include <errno.h>

#include "table.h"

static_assert(sizeof(struct stats_line) % 64 == 0 && STAT_LOST < 8, "lines are not shared");

struct table_stats *pt_stats_create(void)
{
	return port_alloc(sizeof(struct table_stats));
}

void pt_stats_destroy(struct table_stats *stats)
{
	if (!stats)
		return;
	for (unsigned i = 0; i < STATS_GROUPS; i++)
		port_free(atomic_load_explicit(&stats->groups[i], memory_order_relaxed));
	port_free(stats);
}

/* The group of @slot, made if it does not exist yet; NULL when out of memory. */
static struct stats_group *group_of(struct table_stats *stats, unsigned slot)
{
	_Atomic(struct stats_group *) *place = &stats->groups[slot / STATS_GROUP_LINES];
	/* [ORD-stats] acq: the group is zeroed, by whichever thread made it */
	struct stats_group *seen = atomic_load_explicit(place, memory_order_acquire);
	struct stats_group *made;

	if (seen)
		return seen;
	made = port_alloc(sizeof(*made));
	if (!made)
		return NULL;
	/* [ORD-stats] rel: the group is zeroed; acq: or another thread's is */
	if (atomic_compare_exchange_strong_explicit(place, &seen, made, memory_order_acq_rel,
						    memory_order_acquire))
		return made;
	port_free(made);
	return seen;
}

/* The line in which @self counts for @t, which has counters; NULL without memory or slot number. */
static struct stats_line *line_of(struct pt_thread *self, const struct pt_table *t)
{
	struct stats_group *group = self->slot < POOL_SLOTS ? group_of(t->stats, self->slot) : NULL;
	struct stats_line *line;

	if (!group)
		return NULL;
	line = &group->lines[self->slot % STATS_GROUP_LINES];
	if (line->owner != self->id) {
		line->owner = self->id;
		for (unsigned i = 0; i < NR_STATS; i++)
			line->base[i] = atomic_load_explicit(&line->count[i], memory_order_relaxed);
	}
	return line;
}

struct stats_line *pt_stats_switch(struct pt_thread *self, const struct pt_table *t)
{
	struct stats_line *line = t->stats ? line_of(self, t) : &self->nowhere;

	if (!line) {
		/* Not remembered: perhaps there is memory the next time. */
		atomic_fetch_add_explicit(&t->stats->uncounted, 1, memory_order_relaxed);
		return &self->nowhere;
	}
	self->short_way = 0; /* that was for another table */
	self->works_on = t->id;
	self->counts_on = line;
	self->page_prop = THREAD_NO_PROP;
	return line;
}

static void add_line(uint64_t *sums, struct stats_line *line, bool since_base)
{
	for (unsigned i = 0; i < NR_STATS; i++)
		sums[i] += atomic_load_explicit(&line->count[i], memory_order_relaxed) -
			   (since_base ? line->base[i] : 0);
}

static struct pt_stats public_stats(const uint64_t *sums, uint64_t uncounted)
{
	return (struct pt_stats){
		.nodes_taken = sums[STAT_NODES_TAKEN],
		.nodes_given = sums[STAT_NODES_GIVEN],
		.locks = sums[STAT_LOCKS],
		.contended = sums[STAT_CONTENDED],
		.retries = sums[STAT_RETRIES],
		.splits = sums[STAT_SPLITS],
		.detaches = sums[STAT_DETACHES],
		.path = sums[STAT_PATH],
		.revocations = sums[STAT_REVOCATIONS],
		.appended = sums[STAT_APPENDED],
		.combined = sums[STAT_COMBINED],
		.replayed = sums[STAT_REPLAYED],
		.uncounted = uncounted,
		.lost = sums[STAT_LOST],
		.passed = sums[STAT_PASSED],
	};
}

int pt_table_get_stats(struct pt_table *table, struct pt_stats *ret_stats)
{
	uint64_t sums[NR_STATS] = {0};

	if (!table || !table->stats)
		return -EINVAL;
	for (unsigned i = 0; i < STATS_GROUPS; i++) {
		/* [ORD-stats] acq: as group_of() */
		struct stats_group *group =
			atomic_load_explicit(&table->stats->groups[i], memory_order_acquire);

		for (unsigned line = 0; group && line < STATS_GROUP_LINES; line++)
			add_line(sums, &group->lines[line], false);
	}
	*ret_stats = public_stats(
		sums, atomic_load_explicit(&table->stats->uncounted, memory_order_relaxed));
	return 0;
}

int pt_thread_get_stats(struct pt_thread *self, struct pt_table *table, struct pt_stats *ret_stats)
{
	uint64_t sums[NR_STATS] = {0};
	struct stats_line *line;

	if (!table || !table->stats || table->pool != self->pool)
		return -EINVAL;
	line = stats_of(self, table);
	if (line != &self->nowhere)
		add_line(sums, line, true);
	*ret_stats = public_stats(sums, 0);
	return 0;
}
