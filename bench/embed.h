/* SPDX-License-Identifier: MIT */
/* The library as the programs here use it: choosing pairs by name, and one pool with one table. */
#ifndef BENCH_EMBED_H
#define BENCH_EMBED_H

#include <stddef.h>

#include "pagetree.h"
#include "say.h"

struct strategy_list {
	const struct pt_strategy_info **items;
	size_t count;
};

/*
 * `all` (those built for @format) or names. Prints what is wrong and returns an exit code:
 * EXIT_USAGE for an unknown name, EXIT_UNSUPPORTED for a pair that is not built.
 */
enum exit_code select_strategies(const char *what, const char *text,
				 const struct pt_format_info *format, struct strategy_list *ret);
void strategy_list_free(struct strategy_list *list);

/* Prints the known names and returns NULL if there is no such format or strategy. */
const struct pt_format_info *select_format(const char *what, const char *name);
const struct pt_strategy_info *select_strategy(const char *what, const char *name);

/* Why a pair is not built; NULL if it is. */
const char *pair_missing(const struct pt_format_info *format,
			 const struct pt_strategy_info *strategy);

const char *isolation_name(enum pt_isolation isolation);

struct node_memory;

struct embed {
	struct pt_pool *pool;
	struct pt_table *table;
};

/* EXIT_UNSUPPORTED for -ENOTSUP and -ENOSYS, EXIT_RESOURCES otherwise. */
enum exit_code embed_exit_code(int error);

/*
 * A pool of at most `max_bytes` (0: the library's default), with memory from @memory (NULL: the
 * library's, one home), and an empty table in it. The calling thread is registered only meanwhile.
 * On failure a message has been printed.
 */
enum exit_code embed_create(struct embed *embed, const struct pt_format_info *format,
			    const struct pt_strategy_info *strategy, struct node_memory *memory,
			    size_t max_bytes);

/*
 * A negative errno is a fault of the caller or of the library: somebody still uses the table.
 * *ret_leaked: bytes of nodes that have not come back though everything is gone.
 */
int embed_destroy(struct embed *embed, uint64_t *ret_leaked);

#endif
