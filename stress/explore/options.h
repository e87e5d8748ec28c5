/* SPDX-License-Identifier: MIT */
/* What the command line of `ptstress explore` asks for. */
#ifndef EXPLORE_OPTIONS_H
#define EXPLORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "search.h"

#define FORMAT "toy"

struct options {
	const char *strategies; /* a list, or "all" */
	const char *scenarios;
	struct search_limits limits;
	bool both; /* searches: bounded, then dpor */
	const char *replay;
	bool quiet;
	bool fail_fast;
	const char *generate;   /* a shape; NULL: the scenarios */
	unsigned slice, slices; /* which part of its programs, from 0, of how many */
	unsigned jobs;
};

/* Parse and check; ends the program on a usage error. Return: false after saying what is wrong. */
bool options_parse(struct options *options, int argc, char **argv);

/* Can this strategy be explored? */
bool options_strategy_known(const char *name);

#endif
