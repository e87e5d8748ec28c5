/* SPDX-License-Identifier: MIT */
/*
 * Results for programs: JUnit XML and the Test Anything Protocol. Whatever ends this program within a
 * case, be it a crash, a sanitizer or somebody from outside: the files are then whole, and red.
 */
#ifndef RUN_RESULTS_H
#define RUN_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"

struct results;

/* What a case came to. */
struct result {
	const char *name;
	double seconds;
	bool failed;
	const char *headline, *text, *replay; /* if it failed */
};

/*
 * @command: all parameters; @cases: how many are meant to run. Without files it does nothing.
 * NULL: a file cannot be written, which was said.
 */
struct results *results_open(const struct run_options *options, const char *command, size_t cases);

/* A case begins, which @replay runs again. */
void results_begin(struct results *r, const char *name, const char *replay);
void results_end(struct results *r, const struct result *of);

/* @why there are cases that were not run, if so. Return: false if a file could not be written. */
bool results_close(struct results *r, const char *why);

#endif
