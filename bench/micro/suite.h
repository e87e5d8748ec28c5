/* SPDX-License-Identifier: MIT */
/* What is registered with Google Benchmark, a file for each kind. What is given stays till the end. */
#ifndef BENCH_MICRO_SUITE_H
#define BENCH_MICRO_SUITE_H

#include "contenders.h"
#include "google.h"

void suite_tables(const struct contender_list *contenders); /* the library's calls, the floors' */
void suite_dispatch(void);                                  /* what indirect calls cost a walk */
void suite_locks(void);                                     /* the library's locks */
void suite_rcu(void);                                       /* read sections of each flavour */

/* Destroys what was made for the benchmarks that ran. */
void suite_end(void);

/* bm_register() with a name made of parts. */
__attribute__((format(printf, 5, 6))) void suite_add(bm_function function, const void *argument,
						     enum bm_time time, unsigned threads,
						     const char *name, ...);

#endif
