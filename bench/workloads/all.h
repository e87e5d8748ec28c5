/* SPDX-License-Identifier: MIT */
/* All workloads, in the order in which they are listed. */
#ifndef BENCH_WORKLOADS_ALL_H
#define BENCH_WORKLOADS_ALL_H

#include "workload.h"

#define WORKLOADS(X)   \
	X(map)         \
	X(unmap)       \
	X(map_unmap)   \
	X(query)       \
	X(protect)     \
	X(map_range)   \
	X(unmap_range) \
	X(mixed)       \
	X(query_beside_writer)

#define WORKLOAD_DECLARE(name) extern const struct workload workload_##name;
WORKLOADS(WORKLOAD_DECLARE)

#endif
