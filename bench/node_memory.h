/* SPDX-License-Identifier: MIT */
/* Where the pools of a run have their node memory from, as --node-memory says. */
#ifndef BENCH_NODE_MEMORY_H
#define BENCH_NODE_MEMORY_H

#include <jansson.h>

#include "pagetree.h"
#include "say.h"

struct node_memory;
struct place;

/*
 * @choice: default (the library's own: near whoever uses it first) or jemalloc (an arena for each
 * NUMA node, bound there). On failure a message has been printed.
 * Return: EXIT_USAGE: another word; EXIT_UNSUPPORTED: not in this build or on this machine.
 */
enum exit_code node_memory_create(const char *choice, const struct place *place,
				  struct node_memory **ret_memory);

/* @in_use: pools that were found wrong have been left as they are, and keep their memory. */
void node_memory_destroy(struct node_memory *memory, bool in_use);

/* Fill in what a pool has to know: chunk operations and the number of homes. */
void node_memory_configure(struct node_memory *memory, struct pt_pool_config *pool);

/* The choice as text. */
const char *node_memory_name(const struct node_memory *memory);

/* For result files: provider and homes. */
json_t *node_memory_describe(const struct node_memory *memory);

#endif
