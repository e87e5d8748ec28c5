/* SPDX-License-Identifier: MIT */
/*
 * Chunks of node memory from jemalloc: an arena for each NUMA node, whose extent hooks bind memory
 * there and advise huge pages. Built where there is a jemalloc and no sanitizer.
 */
#ifndef BENCH_ARENA_H
#define BENCH_ARENA_H

#include <hwloc.h>

#include "pagetree.h"

struct arenas;
struct place;

/* As hwloc_set_area_membind(). */
typedef int (*membind_fn)(hwloc_topology_t topology, const void *addr, size_t bytes,
			  hwloc_const_bitmap_t set, hwloc_membind_policy_t policy, int flags);

/*
 * An arena for each home of @place. @membind: hwloc_set_area_membind, or something for tests.
 * Return: 0; -ENOTSUP: jemalloc is not set up as chunks need it: see arena.c;
 * -ENOMEM; or why memory cannot be bound here.
 */
__attribute__((warn_unused_result)) int arenas_create(const struct place *place, membind_fn membind,
						      struct arenas **ret_arenas);

/* When no pool uses them any more. */
void arenas_destroy(struct arenas *arenas);

/* For any number of pools; the context is the struct arenas. */
extern const struct pt_chunk_ops arenas_chunk_ops;

#endif
