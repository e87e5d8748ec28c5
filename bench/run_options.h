/* SPDX-License-Identifier: MIT */
/* The command line of `ptbench run`. */
#ifndef BENCH_RUN_OPTIONS_H
#define BENCH_RUN_OPTIONS_H

#include "contenders.h"
#include "suites.h"

struct run_options {
	struct variant *variants;
	size_t variant_count;
	const struct pt_format_info *format;
	struct contender_list contenders;
	unsigned *threads;
	size_t thread_count;
	const char *place;
	const char *node_memory;
	uint64_t warmup_ns, duration_ns;
	unsigned repetitions;
	uint64_t seed;
	const struct pt_strategy_info *baseline;
	const char *output; /* NULL: none */
	bool dry_run, why;
};

/*
 * EXIT_FINE, or what to exit with: everything wrong has been said on stderr. The result is to be
 * freed in any case. argv must outlive it.
 */
enum exit_code run_options_parse(int argc, char **argv, struct run_options *ret);
void run_options_free(struct run_options *options);

#endif
