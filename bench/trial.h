/* SPDX-License-Identifier: MIT */
/* One repetition: threads, phases, what they counted, and whether the table was right. */
#ifndef BENCH_TRIAL_H
#define BENCH_TRIAL_H

#include "contenders.h"
#include "place.h"
#include "why.h"
#include "workload.h"

struct node_memory;

struct trial_config {
	const struct workload *workload;
	const struct settings *settings;
	const struct pt_format_info *format;
	struct contender contender;
	const struct key_stream *shared_keys, *private_keys;
	const struct place *place;
	struct node_memory *memory; /* NULL: the library's, one home */
	bool counts;                /* the table counts: for trial_result.why */
	unsigned threads;
	uint64_t warmup_ns, duration_ns;
	uint64_t seed; /* of this repetition */
};

struct thread_result {
	bool background;
	int cpu;    /* where it was bound; -1: nowhere */
	bool moved; /* it was not there any more in the end */
	struct tally tally;
};

struct trial_result {
	double ops_per_second; /* of the threads that the workload measures */
	double background_ops_per_second;
	uint64_t operations;
	double wall_ns_per_op; /* per thread */
	double cpu_ns_per_op;
	double cpu_over_wall;  /* of all threads */
	double fairness, jain; /* between the threads that the workload measures */
	double helper_cpu;     /* CPUs kept busy by other threads of the process: reclamation */
	uint64_t steal_ms;
	const char *node_lock; /* as the table says; NULL: it locks no nodes */
	uint64_t node_bytes, retired_bytes_max;
	struct pt_home_stats homes[HOMES_MOST]; /* when the threads had ended */
	unsigned nr_homes;
	struct why why, background_why; /* if config->counts; of background threads */
	struct thread_result threads[THREADS_MOST];
};

/* Areas of a workload with these settings; -EINVAL after a message if they do not fit. */
PARSE int trial_areas(const struct workload *workload, const struct settings *settings,
		      const struct pt_format_info *format, unsigned threads, struct trial *ret);

/*
 * The pages that a workload picks, by the distribution in its settings: those of the shared area if
 * it has one, else those of the private ones. config->threads is not looked at.
 */
PARSE int trial_keys(const struct trial_config *config, uint64_t seed,
		     struct key_stream *ret_shared, struct key_stream *ret_private);

/* Everything but the table. -EINVAL: as trial_areas(). */
PARSE int trial_init(struct trial *trial, const struct trial_config *config);

/* S1, and the table against the workload's model; *finding is set if it is wrong. */
void trial_verify(struct trial *trial, struct pt_thread *self, struct finding *finding);

/*
 * Run it. EXIT_VIOLATION and EXIT_RESOURCES come with a finding; other failures have been told on
 * stderr. EXIT_SIGNAL: interrupted.
 */
enum exit_code trial_run(const struct trial_config *config, struct trial_result *result,
			 struct finding *finding);

/* Prints what was found. */
void trial_explain(const struct trial_config *config, const struct finding *finding);

#endif
