/* SPDX-License-Identifier: MIT */
/*
 * Results as JSON: a superset of what Google Benchmark writes, so that its tools read them. One row
 * per repetition, no aggregates. Numbers that trackers should see stand at the top of a row;
 * everything else is in an object `pagetree`.
 *
 *   items_per_second   operations per second, all threads together: the figure to compare
 *   real_time          wall ns per operation and thread
 *   cpu_time           CPU ns of the threads per operation
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct place;
struct results;

/* Can `path` be written when all is done? Says so on stderr if not, and returns -errno. */
__attribute__((warn_unused_result)) int results_check_path(const char *path);

/*
 * Begin with the context: machine, build, library versions, command line, seed and what else runs.
 * Never NULL: out of memory ends the program (exit 3).
 */
struct results *results_create(int argc, char **argv, uint64_t seed, const struct place *place);
void results_destroy(struct results *results);

/* More of the context, under `pagetree`. Takes over the reference to `value`. */
void results_set(struct results *results, const char *key, json_t *value);

struct result_row {
	const char *name;  /* mixed/strategy:rcu/format:x86_64/threads:2 */
	unsigned family;   /* the same for all threads and repetitions of a workload and strategy */
	unsigned instance; /* counts the rows' names within the family */
	unsigned repetitions, repetition;
	unsigned threads;
	uint64_t operations;
	double wall_ns_per_op; /* per thread */
	double cpu_ns_per_op;
	double ops_per_second;
	double fairness;
	uint64_t node_bytes, retired_bytes_max;
	json_t *more; /* becomes `pagetree`; the reference is taken over; may be NULL */
};

void results_add(struct results *results, const struct result_row *row);

/*
 * Write to a temporary file beside `path`, then rename it, so that `path` is either whole or
 * untouched. Says what went wrong on stderr and returns -errno.
 */
__attribute__((warn_unused_result)) int results_write(const struct results *results,
						      const char *path);

/* Ends the program (exit 3) if a JSON value could not be made. */
json_t *json_must(json_t *value);

#endif
