/* SPDX-License-Identifier: MIT */
/* Tables of one strategy, on which programs are run. */
#ifndef DIFFERENTIAL_SUBJECT_H
#define DIFFERENTIAL_SUBJECT_H

#include <stdatomic.h>

#include "call.h"
#include "content.h"

struct subject {
	char name[64]; /* strategy, or strategy/node lock */
	const struct pt_format_info *format;
	const struct pt_strategy_info *strategy;
	const char *node_lock; /* NULL: any */
	struct pt_pool *pool;
	struct pt_thread *self;
	/* of the run */
	struct pt_table *tables[NR_TABLES];
	_Atomic int64_t references; /* base pages of tracked items, handed in and not yet dropped */
};

/* What a run leaves. */
struct outcome {
	struct result results[MAX_CALLS];
	struct content content[NR_TABLES];
	int64_t references;
	const char *failed; /* NULL; else what went wrong whatever others do, a constant sentence */
};

/* Return: 0, or a negative errno. */
int subject_open(struct subject *s, const struct pt_format_info *format,
		 const struct pt_strategy_info *strategy, const char *node_lock);
void subject_close(struct subject *s);

/*
 * Run the calls of @p that @keep has, one after the other, or by p->threads threads at once.
 * Return: 0; -ENOMEM, -EAGAIN: no resources.
 */
int subject_run(struct subject *s, const struct program *p, const bool *keep, bool threads,
		struct outcome *ret);

void outcome_free(struct outcome *o);

#endif
