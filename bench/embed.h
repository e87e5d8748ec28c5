/* SPDX-License-Identifier: MIT */
/* The library as the programs here use it: one pool with one table. */
#ifndef BENCH_EMBED_H
#define BENCH_EMBED_H

#include "contenders.h"

struct node_memory;

struct embed {
	struct pt_pool *pool;
	struct pt_table *table;
};

/* EXIT_UNSUPPORTED for -ENOTSUP and -ENOSYS, EXIT_RESOURCES otherwise. */
enum exit_code embed_exit_code(int error);

/*
 * A pool with memory from @memory (NULL: the library's, one home), and an empty table in it, which @counts or not. The
 * calling thread is registered only meanwhile. On failure a message has been printed.
 */
enum exit_code embed_create(struct embed *embed, const struct pt_format_info *format,
			    const struct contender *contender, struct node_memory *memory,
			    bool counts);

/*
 * A negative errno is a fault of the caller or of the library: somebody still uses the table.
 * *ret_leaked: bytes of nodes that have not come back though everything is gone.
 */
int embed_destroy(struct embed *embed, uint64_t *ret_leaked);

#endif
