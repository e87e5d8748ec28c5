/* SPDX-License-Identifier: MIT */
/* Who is compared: strategies chosen by name, those that lock nodes with each kind of lock. */
#ifndef BENCH_CONTENDERS_H
#define BENCH_CONTENDERS_H

#include <stddef.h>
#include <stdio.h>

#include "pagetree.h"
#include "say.h"

struct contender {
	const struct pt_strategy_info *strategy;
	const char *node_lock; /* of pt_node_lock_at(); NULL: it locks no nodes */
};

struct contender_list {
	struct contender *items;
	size_t count;
	bool default_locks; /* only the kind that a table has unless asked: names do not tell */
	bool some_once;     /* several kinds are there, and strategies that lock no nodes */
};

/*
 * Every strategy of @strategies with every kind of @node_locks that it has; one that has none of them is
 * there once, with its default. If none locks nodes, a warning says that @node_locks means nothing. Each is `all` (of
 * strategies: those built for @format) or names. Prints what is wrong and returns an exit code:
 * EXIT_USAGE for an unknown name, EXIT_UNSUPPORTED for a pair that is not built.
 */
enum exit_code select_contenders(const char *strategies, const char *node_locks,
				 const struct pt_format_info *format, struct contender_list *ret);
void contender_list_free(struct contender_list *list);

#define CONTENDER_NAME 64

/* "/lock:queued" for the name of a result; empty if the kind is the default, or there is none. */
const char *contender_suffix(char text[CONTENDER_NAME], const struct contender *contender);

/* " --node-lock queued" for a command line; empty in the same cases. */
const char *contender_option(char text[CONTENDER_NAME], const struct contender *contender);

/* For tables: "rcu", or "rcu queued" where the list has not only the default kind. */
const char *contender_label(char text[CONTENDER_NAME], const struct contender_list *list,
			    const struct contender *contender);

/* The same for the first contender with this strategy; its name if there is none. */
const char *contender_baseline(char text[CONTENDER_NAME], const struct contender_list *list,
			       const struct pt_strategy_info *strategy);

/* A line for those who wonder why no strategy is compared: this one, the baseline, is not run. */
void contender_baseline_note(const struct contender_list *list,
			     const struct pt_strategy_info *baseline, FILE *out);

/* What such labels mean; prints nothing if they only name strategies. */
void contender_legend(const struct contender_list *list, FILE *out);

/* Prints the known names and returns NULL if there is no such format or strategy. */
const struct pt_format_info *select_format(const char *what, const char *name);
const struct pt_strategy_info *select_strategy(const char *what, const char *name);

/* Why a pair is not built; NULL if it is. */
const char *pair_missing(const struct pt_format_info *format,
			 const struct pt_strategy_info *strategy);

const char *isolation_name(enum pt_isolation isolation);

#endif
