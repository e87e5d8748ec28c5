/* SPDX-License-Identifier: MIT */
/* The options of workloads: what they mean, how they are written, which workload reads which. */
#ifndef BENCH_SETTINGS_H
#define BENCH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "distribution.h"

enum operation { OP_MAP, OP_UNMAP, OP_QUERY, OP_PROTECT, OP_NR };

extern const char *const operation_names[OP_NR];

/* One bit for each option, to say which are read and which were given. */
enum setting {
	SETTING_WORKING_SET = 1 << 0,
	SETTING_RANGE = 1 << 1,
	SETTING_MIX = 1 << 2,
	SETTING_CONTENTION = 1 << 3,
	SETTING_DIST = 1 << 4,
	SETTING_DEPENDENT = 1 << 5,
	SETTING_NR = 6,
};

/* As on the command line, without `--`. @bit: 0..SETTING_NR-1. */
const char *setting_name(unsigned bit);

struct settings {
	uint64_t working_set; /* bytes */
	uint64_t range;       /* bytes of one call */
	unsigned mix[OP_NR];  /* percent */
	bool shared;          /* high contention */
	struct distribution_spec dist;
	bool dependent;
};

/* `map:20,unmap:20,query:55,protect:5`: what is not named is 0, the sum is 100. */
PARSE int settings_parse_mix(const char *what, const char *text, unsigned ret_mix[OP_NR]);

/* `low` or `high`. */
PARSE int settings_parse_contention(const char *what, const char *text, bool *ret_shared);

/* Copy those of `from` that `mask` names. */
void settings_override(struct settings *settings, const struct settings *from, unsigned mask);

enum settings_style {
	SETTINGS_NAME,    /* /set:2MiB/contention:low, for the names of results */
	SETTINGS_TITLE,   /* , working set 2MiB, low contention, for people */
	SETTINGS_COMMAND, /* --working-set 2MiB --contention low, to run it again */
};

/* The settings that `mask` names, one after the other; always terminated. */
void settings_print(char *text, size_t size, const struct settings *settings, unsigned mask,
		    enum settings_style style);

#endif
