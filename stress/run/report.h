/* SPDX-License-Identifier: MIT */
/* What cases came to, for people (on stdout) and for programs (results.h). */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include "engine.h"

struct report;

/* Opens the files; prints what is wrong, or the first line. NULL: files cannot be written. */
struct report *report_open(const struct run_options *options, size_t cases);
/* A case begins, and ends. */
void report_begin(struct report *r, const struct run_case *c);
void report_case(struct report *r, const struct run_case *c, const struct outcome *o);
/* The last lines. Return: the exit code. */
enum exit_code report_close(struct report *r, bool interrupted);

/* The line by which a case is run again. */
void report_replay(const struct run_options *options, const struct run_case *c, char *text,
		   size_t size);

#endif
