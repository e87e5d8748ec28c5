/* SPDX-License-Identifier: MIT */
/* What `ptstress explore` prints about searches. */
#ifndef EXPLORE_REPORT_H
#define EXPLORE_REPORT_H

#include "options.h"
#include "program.h"

struct totals {
	unsigned passed, failed, cut;
	unsigned lost; /* of the failed: jobs that handed back no result */
	uint64_t executions, pruned;
	uint64_t distinct; /* by DPOR: without searches that had to begin again */
	double seconds;
};

void totals_add(struct totals *all, const struct totals *some);
void totals_print(const char *what, const struct totals *t);

/* The first line: the command, with all that it did not say. */
void report_command(const struct options *options);

/* The table of scenarios, a line for each. */
void report_heading(const struct search_limits *limits);
void report_result(const struct program *program, const struct search_result *result,
		   const struct search_limits *limits);

/* What the columns mean, and, if there was a violation, its schedule. */
void report_legend(const struct options *options, const struct totals *totals);

/* A violation; @words: with all that happens in its schedule. */
void report_violation(const struct program *program, const struct search_result *result,
		      bool words);

#endif
