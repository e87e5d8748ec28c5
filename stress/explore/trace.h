/* SPDX-License-Identifier: MIT */
/*
 * What an execution did, kept only while a violation is replayed for its report.
 */
#ifndef EXPLORE_TRACE_H
#define EXPLORE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum atomic_op { ATOMIC_LOAD, ATOMIC_STORE, ATOMIC_RMW, ATOMIC_CAS, ATOMIC_CAS_FAILED };

void trace_begin(void);
void trace_atomic(enum atomic_op op, int order, uintptr_t addr, size_t bytes, uint64_t old,
		  uint64_t new, const void *pc);
void trace_plain(uintptr_t addr, size_t bytes, bool write, const void *pc);

/* Something else, about an address, or with a text; 0 and NULL when there is none. */
void trace_note(const char *what, uintptr_t addr);
void trace_text(const char *what, const char *text);

/* There is a race on @addr: plain accesses to it matter, too. */
void trace_race(uintptr_t addr);

/* "thread 0", "the callback thread" */
const char *trace_thread(unsigned thread);

/* Write everything since trace_begin() in words, one event a line. */
void trace_print(FILE *out);

#endif
