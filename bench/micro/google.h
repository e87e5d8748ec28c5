/* SPDX-License-Identifier: MIT */
/*
 * Google Benchmark for C. A benchmark is a function that prepares, runs
 *
 *	n = bm_loop_begin(state, step);
 *	for (i = 0; i < n; i++)
 *		...
 *	bm_loop_end(state);
 *
 * and cleans up. All iterations are one batch, so the loop costs what an empty loop costs. What must be
 * undone before it can be done again, without being timed, uses bm_more() instead.
 */
#ifndef BENCH_MICRO_GOOGLE_H
#define BENCH_MICRO_GOOGLE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_state;
typedef void (*bm_function)(struct bm_state *state, const void *argument);

enum bm_time {
	BM_THREAD,  /* time is CPU time of the threads that run the loop */
	BM_PROCESS, /* of all threads, with those that free memory */
};

/*
 * @argument is handed to @function and must outlive the run. With @threads > 1 it is run by 1, 2, 4...
 * @threads threads at once, each on a CPU of its own; index 0 is the main thread.
 */
void bm_register(const char *name, bm_function function, const void *argument, enum bm_time time,
		 unsigned threads);

/* Timing begins. Returns how many iterations are to be done: a multiple of @step. */
uint64_t bm_loop_begin(struct bm_state *state, uint64_t step);
void bm_loop_end(struct bm_state *state);

/* Shall @step iterations more be done? Timing begins with the first call, ends when it is false. */
bool bm_more(struct bm_state *state, uint64_t step);
void bm_pause(struct bm_state *state);
void bm_resume(struct bm_state *state);

unsigned bm_thread(const struct bm_state *state);
unsigned bm_threads(const struct bm_state *state);

/* Nothing is measured; the loop must not be begun. */
void bm_fail(struct bm_state *state, const char *why);

void bm_context(const char *key, const char *value);

/* Take Google Benchmark's options; wrong ones end the program (exit 1). Names are not needed yet. */
void bm_options(int *argc, char **argv);

/* Run what was registered and chosen. Returns the number of benchmarks that ran. */
unsigned bm_run(void);

#ifdef __cplusplus
}
#endif

#endif
