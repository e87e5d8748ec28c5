/* SPDX-License-Identifier: MIT */
/*
 * Rounds of range calls: as many ranges as fit into an area of each thread's own, each mapped by
 * base pages with one call and unmapped with one call. One of the two is timed.
 */
#ifndef BENCH_RANGES_H
#define BENCH_RANGES_H

#include "workload.h"

/* workload.needs, prepare, verify, release */
void ranges_needs(const struct settings *settings, struct area_needs *ret);
void ranges_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding);
uint64_t ranges_verify(struct trial *trial, struct pt_thread *self, struct finding *finding);
void ranges_release(struct trial *trial);

/* workload.run */
void ranges_run_map(struct worker *worker);
void ranges_run_unmap(struct worker *worker);

#endif
