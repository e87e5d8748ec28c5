/* SPDX-License-Identifier: MIT */
/*
 * What explains a figure: what the table counted (pt_config.stats) while it was measured, and what its
 * pool said. Counting costs something, so tables count only if they are asked to (--why).
 */
#ifndef BENCH_WHY_H
#define BENCH_WHY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "pagetree.h"

struct table;

struct why {
	uint64_t operations; /* in which `counts` came about */
	struct pt_stats counts;
	/* Of the pool, in `ns` of wall time, which may hold more than is timed; 0: not known. */
	uint64_t grace_periods, ns;
	uint64_t retired_bytes, retired_bytes_max; /* at the end of that, and at most */
};

/* Add what was counted between two moments. */
static inline void why_count(struct pt_stats *sum, const struct pt_stats *start,
			     const struct pt_stats *end)
{
	sum->nodes_taken += end->nodes_taken - start->nodes_taken;
	sum->nodes_given += end->nodes_given - start->nodes_given;
	sum->locks += end->locks - start->locks;
	sum->contended += end->contended - start->contended;
	sum->retries += end->retries - start->retries;
	sum->splits += end->splits - start->splits;
	sum->detaches += end->detaches - start->detaches;
	sum->path += end->path - start->path;
	sum->revocations += end->revocations - start->revocations;
	sum->appended += end->appended - start->appended;
	sum->combined += end->combined - start->combined;
	sum->replayed += end->replayed - start->replayed;
	sum->uncounted += end->uncounted - start->uncounted;
	sum->lost += end->lost - start->lost;
	sum->passed += end->passed - start->passed;
}

/* Counts add up, bytes are the largest of them. */
static inline void why_add(struct why *sum, const struct why *more)
{
	static const struct pt_stats nothing;

	sum->operations += more->operations;
	why_count(&sum->counts, &nothing, &more->counts);
	sum->grace_periods += more->grace_periods;
	sum->ns += more->ns;
	if (more->retired_bytes > sum->retired_bytes)
		sum->retired_bytes = more->retired_bytes;
	if (more->retired_bytes_max > sum->retired_bytes_max)
		sum->retired_bytes_max = more->retired_bytes_max;
}

/* Did it count anything? Queries and walks do not, though they may take locks. */
static inline bool why_counted(const struct why *why)
{
	return why->counts.locks + why->counts.nodes_taken + why->counts.nodes_given > 0;
}

json_t *why_json(const struct why *why);

/* A table with a row for each contender; @unit: what is counted for one of, "op" or "ev". */
struct table *why_table(const char *unit);
void why_row(struct table *table, const char *who, unsigned threads, const struct why *why);
void why_print(struct table *table, FILE *out, bool color); /* and destroy it */

/* A line for a contender whose calls went through a log; nothing for others. */
void why_log(const char *who, unsigned threads, const struct why *why, const char *unit, FILE *out);

/* What the columns mean. */
void why_legend(const char *unit, FILE *out);

#endif
