/* SPDX-License-Identifier: MIT */
#ifndef BENCH_WORKLOADS_ALL_H
#define BENCH_WORKLOADS_ALL_H

#include "workload.h"

extern const struct workload workload_map;
extern const struct workload workload_unmap;
extern const struct workload workload_map_unmap;
extern const struct workload workload_query;
extern const struct workload workload_protect;
extern const struct workload workload_map_range;
extern const struct workload workload_unmap_range;
extern const struct workload workload_mixed;
extern const struct workload workload_query_beside_writer;

#endif
