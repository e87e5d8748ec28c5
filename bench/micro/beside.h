/* SPDX-License-Identifier: MIT */
/* Targets that are not by the floor: a second thread, statistics, memory, locks of a large unmap. */
#ifndef BENCH_MICRO_BESIDE_H
#define BENCH_MICRO_BESIDE_H

#include "report.h"
#include "subject.h"

/* What a thread pays for a second one, which maps and unmaps pages of its own all the while. */
void beside_threads(struct table *table, struct subject *rcu, unsigned repetitions);

/* What counting (pt_config.stats) costs. */
void beside_stats(struct table *table, struct subject *rcu, unsigned repetitions);

/* Counted, and so the same on every run: memory of a node, locks for each table that goes. */
void beside_counts(struct table *table);

#endif
