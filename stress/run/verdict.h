/* SPDX-License-Identifier: MIT */
/* What was found to be wrong: the first finding of a case is kept, and stops it. */
#ifndef RUN_VERDICT_H
#define RUN_VERDICT_H

#include <stdbool.h>

#include <pagetree.h>

#define VERDICT_TEXT 1024

/* Before a case. */
void verdict_clear(void);
bool verdict_failed(void);

/* When all threads of a case have ended: what a sanitizer has found becomes its finding. */
void verdict_of_sanitizer(void);

/*
 * Letter of the contract, address or 0, what is wrong. By any thread; says which operation it is in
 * and which the others are in. Never returns to a broken table for long: the case stops.
 */
void verdict_fail(const char *letter, pt_va_t va, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What belongs to the finding: lines, each ending in a newline. */
void verdict_add(const char *lines);

/* The finding in words; empty: none. Several lines, each ending in a newline. */
const char *verdict_text(void);
/* Its first line, without the newline. */
const char *verdict_headline(void);

/* Crashes of the code under test are findings, too: they are printed, and end the program. */
void verdict_catch_crashes(void);

/* Printed behind the finding of a crash: how to run the case again. */
extern char verdict_replay[512];

#endif
