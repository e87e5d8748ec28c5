/* SPDX-License-Identifier: MIT */
/*
 * Repetitions are interleaved: floor, bare, rcu, floor, bare, rcu, and a last floor. Each of the
 * library's is divided by the mean of the floors before and after it, so that what slows the machine
 * down for longer than a repetition cancels out. Shown are the median of these ratios and half the
 * distance of their quartiles. The floors among themselves, each by its predecessor, show what noise
 * alone does.
 */
#include <stdio.h>

#include "beside.h"
#include "kernels.h"
#include "must.h"
#include "targets.h"

enum { FLOOR, BARE, RCU, SUBJECTS };
static const char *const subject_names[SUBJECTS] = {"floor", "bare", "rcu"};

struct target {
	const char *kernel;
	uint64_t operations;   /* of one repetition: some 10 ms */
	double most[SUBJECTS]; /* ratio to the floor; 0: shown, not judged */
};

static const struct target targets[] = {
	{"query", 4000000, {[BARE] = 1.15, [RCU] = 1.5}},
	{"walk", 4000000, {0}},
	{"query-dependent", 1000000, {[BARE] = 1.05, [RCU] = 1.10}},
	{"walk-dependent", 1000000, {0}},
	{"map-unmap", 1024 * 1000, {[BARE] = 1.5, [RCU] = 2.0}},
	{"map-2M", SUBJECT_PAGES *UINT64_C(8), {[BARE] = 1.3, [RCU] = 1.5}},
	{"unmap-2M", SUBJECT_PAGES *UINT64_C(8), {[BARE] = 1.3, [RCU] = 1.5}},
	{"protect", 1024 * 1000, {[BARE] = 1.4, [RCU] = 2.3}},
};

#define TARGETS (sizeof(targets) / sizeof(targets[0]))

struct sample {
	double ns[SUBJECTS][REPETITIONS_MOST + 1]; /* for one operation */
	unsigned repetitions;
};

static void sample_take(struct sample *sample, const struct kernel *kernel,
			struct subject *subjects, uint64_t operations)
{
	uint64_t sums[SUBJECTS], ns;
	unsigned i, k;

	for (k = 0; k < SUBJECTS; k++) { /* the first is not like the others */
		sums[k] = kernel_time(kernel, &subjects[k], operations, &ns);
		if (sums[k] != sums[FLOOR])
			subject_wrong(&subjects[k], kernel->name, 0, (int64_t)sums[k]);
	}
	for (i = 0; i <= sample->repetitions; i++)
		for (k = 0; k < (i < sample->repetitions ? (unsigned)SUBJECTS : 1); k++) {
			kernel_time(kernel, &subjects[k], operations, &ns);
			sample->ns[k][i] = (double)ns / (double)operations;
		}
}

static void sample_print(const struct sample *sample, const struct target *target,
			 const struct kernel *kernel, struct table *table)
{
	double ratios[REPETITIONS_MOST];
	const double *floor = sample->ns[FLOOR];
	unsigned n = sample->repetitions, i, k;

	for (k = BARE; k < SUBJECTS; k++) {
		for (i = 0; i < n; i++)
			ratios[i] = 2 * sample->ns[k][i] / (floor[i] + floor[i + 1]);
		report_target(table, kernel->summary, subject_names[k], ratios, n, target->most[k],
			      report_median(sample->ns[k], n));
	}
	for (i = 0; i < n; i++)
		ratios[i] = floor[i + 1] / floor[i];
	report_target(table, kernel->summary, "floor", ratios, n, 0, report_median(floor, n));
}

int targets_run(bool quick)
{
	struct sample sample = {.repetitions = quick ? 5 : REPETITIONS_MOST};
	struct subject *subjects = must(calloc(SUBJECTS, sizeof(*subjects)));
	struct table *table = report_open();
	unsigned i, k;

	for (k = 0; k < SUBJECTS; k++) {
		subject_create(&subjects[k], subject_names[k]);
		subject_verify(&subjects[k]);
	}
	for (i = 0; i < TARGETS; i++) {
		const struct kernel *kernel = kernel_find(targets[i].kernel);

		for (k = 0; k < SUBJECTS && kernel->prepare; k++)
			kernel->prepare(&subjects[k]);
		sample_take(&sample, kernel, subjects, targets[i].operations);
		sample_print(&sample, &targets[i], kernel, table);
	}
	beside_threads(table, &subjects[RCU], sample.repetitions);
	beside_stats(table, &subjects[RCU], sample.repetitions);
	for (k = 0; k < SUBJECTS; k++)
		subject_destroy(&subjects[k]);
	beside_counts(table);
	table_print(table, stdout, false);
	table_destroy(table);
	free(subjects);
	return EXIT_FINE;
}

int targets_list(void)
{
	const struct kernel *kernel;
	unsigned k;

	for (kernel = kernels; kernel->name; kernel++)
		for (k = 0; k < SUBJECTS; k++)
			if (k != FLOOR || kernel->floor)
				printf("%s/%s\n", kernel->name, subject_names[k]);
	return EXIT_FINE;
}

int targets_once(const char *name)
{
	const char *slash = strchr(name, '/');
	const struct kernel *kernel;
	struct subject *subject;
	uint64_t ns, operations;

	for (kernel = kernels; kernel->name; kernel++)
		if (slash && !strncmp(kernel->name, name, (size_t)(slash - name)) &&
		    !kernel->name[slash - name])
			break;
	if (!kernel->name ||
	    (strcmp(slash + 1, "floor") ? !pt_pair_exists("x86_64", slash + 1) : !kernel->floor)) {
		complain("'%s' is no kernel and subject; see --list-kernels", name);
		return EXIT_USAGE;
	}
	subject = must(calloc(1, sizeof(*subject)));
	subject_create(subject, slash + 1);
	if (kernel->prepare)
		kernel->prepare(subject);
	operations = kernel->step * (SUBJECT_PAGES / kernel->step);
	kernel_time(kernel, subject, operations, &ns);
	printf("%llu\n", (unsigned long long)operations);
	subject_destroy(subject);
	free(subject);
	return EXIT_FINE;
}
