/* SPDX-License-Identifier: MIT */
/* Choices of workloads under one name. */
#ifndef BENCH_SUITES_H
#define BENCH_SUITES_H

#include "workload.h"

/* A workload with its settings: what a section of the results is about. */
struct variant {
	const struct workload *workload;
	struct settings settings;
};

/* A workload as a suite has it: its defaults but for the settings that `differs` names. */
struct suite_entry {
	const char *workload;
	unsigned differs;
	struct settings settings;
};

struct suite {
	const char *name;
	const char *summary;
	const char *threads; /* unless the user says otherwise; NULL: up to all CPUs */
	const struct suite_entry *entries; /* the last has no workload */
};

extern const struct suite suites[]; /* the last has no name */

/* Prints the known names and returns NULL if there is none of that name. */
const struct suite *suite_find(const char *what, const char *name);

#endif
