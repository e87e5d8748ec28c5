/* SPDX-License-Identifier: MIT */
/* All workloads of a run in one table: what is left to see when the tables of each have gone by. */
#ifndef BENCH_RUN_SUMMARY_H
#define BENCH_RUN_SUMMARY_H

#include "campaign.h"

struct run_summary;

/* Out of memory ends the program. */
struct run_summary *run_summary_create(const struct run_options *options);
void run_summary_destroy(struct run_summary *summary);

/* Keep what the table is to say of @campaign, which has run to its end. */
void run_summary_add(struct run_summary *summary, const struct campaign *campaign);

/* Nothing if there was one workload only. */
void run_summary_print(const struct run_summary *summary, FILE *out, bool color);

#endif
