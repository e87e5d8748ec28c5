/* SPDX-License-Identifier: MIT */
/*
 * Paging-structure caches: each CPU remembers the tables that its last walks went through, until a
 * flush says that tables have gone. A table that is freed before would be walked by this CPU again.
 */
#ifndef EXPLORE_PSC_H
#define EXPLORE_PSC_H

#include "program.h"

void psc_clear(void);
void psc_snapshot(void);
void psc_restore(void);

/* The running thread's CPU has walked to @page, of @table. */
void psc_walked(const struct program *program, const struct pt_table *table, unsigned page);

/* @cpu forgets all tables that lead to one of first..last. */
void psc_flush(unsigned cpu, unsigned first, unsigned last);

/* The memory at @addr is free from now on: nobody may still know it as a table. */
void psc_freed(uintptr_t addr);

#endif
