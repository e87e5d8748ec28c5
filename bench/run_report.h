/* SPDX-License-Identifier: MIT */
/* A campaign as a table for people. */
#ifndef BENCH_RUN_REPORT_H
#define BENCH_RUN_REPORT_H

#include "campaign.h"

/* What the section is about, in words: the workload, its settings, what is counted. */
void report_title(const struct variant *variant, char *text, size_t size);

void report_campaign(const struct campaign *campaign, FILE *out, bool color);

/* What the columns mean; once, after all tables. */
void report_legend(const struct run_options *options, FILE *out);

#endif
