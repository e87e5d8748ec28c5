/* SPDX-License-Identifier: MIT */
/* What the command line of `ptstress differential` asks for. */
#ifndef DIFFERENTIAL_OPTIONS_H
#define DIFFERENTIAL_OPTIONS_H

#include "call.h"

#define MAX_PROGRAMS UINT64_C(1000000000)

struct options {
	const char *strategies, *formats, *node_locks; /* lists, or "all" */
	uint64_t seed, first, programs;
	unsigned calls;                /* of each thread */
	bool threads[MAX_THREADS + 1]; /* [n]: run with n threads */
	const char *keep;              /* NULL: all calls */
	bool kept[MAX_CALLS];
};

/* Ends the program on a usage error. Return: false after saying what is wrong. */
bool options_parse(struct options *options, int argc, char **argv);

#endif
