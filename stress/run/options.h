/* SPDX-License-Identifier: MIT */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "history/clock.h"
#include "inject.h"
#include "say.h"
#include "worker.h"

#define NAMES_MOST 32u

/* Words of a list. */
struct names {
	char **words;
	size_t count;
};

struct run_options {
	struct names strategies, formats, pages, node_locks;
	bool node_locks_named; /* not all there are */
	unsigned *threads;
	size_t nr_threads;
	uint64_t duration_ns; /* of each case, */
	uint64_t ops;         /* or 0: so many operations */
	bool timed;           /* a duration was asked for */
	uint64_t seed;
	uint64_t stutter; /* operations of a thread between stops */
	uint64_t stall_ns;
	const char *reclaim; /* callback, sync or both */
	struct mix mix;
	const char *mix_text;
	struct inject inject;
	const char *place;
	uint64_t history; /* records of each thread; 0: none */
	enum clock_mode clock;
	int readers; /* threads that only look; -1: a quarter */
	bool fail_fast;
	const char *junit, *tap;
};

/* Prints what is wrong. EXIT_FINE: run. */
enum exit_code run_options_parse(int argc, char **argv, struct run_options *ret);
void run_options_free(struct run_options *options);

/* Everything but the strategy, format, pages and threads of a case, as options. */
void run_options_text(const struct run_options *o, char *text, size_t size);

#endif
