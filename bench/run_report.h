/* SPDX-License-Identifier: MIT */
/* A campaign as a table for people. */
#ifndef BENCH_RUN_REPORT_H
#define BENCH_RUN_REPORT_H

#include "campaign.h"

struct table;

/* What the section is about, in words: the workload, its settings, what is counted. */
void report_title(const struct variant *variant, char *text, size_t size);

/* CPU time of an operation of the strategy without synchronisation, with one thread; 0: it was not run. */
double report_bare_cpu(const struct campaign *campaign);

/* A cell with three significant digits, or - if one of the two is not known. */
void report_ratio(struct table *table, double value, double reference);

void report_campaign(const struct campaign *campaign, FILE *out, bool color);

/* What the columns mean; once, after all tables. */
void report_legend(const struct run_options *options, FILE *out);

#endif
