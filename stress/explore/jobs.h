/* SPDX-License-Identifier: MIT */
/* The same work for several processes, each of which hands back a result. */
#ifndef EXPLORE_JOBS_H
#define EXPLORE_JOBS_H

#include <stddef.h>

#define MAX_JOBS 64

/*
 * Fork @jobs processes that call @work(@ctx, job, result), where result is one of @size bytes.
 * @results: all of them, in order of the jobs; that of a process that did not end well stays.
 * Return: how many have not ended well; stderr says why. An interrupt ends them early, and well.
 */
unsigned jobs_run(unsigned jobs, void (*work)(void *ctx, unsigned job, void *result), void *ctx,
		  void *results, size_t size);

#endif
