/* SPDX-License-Identifier: MIT */
/*
 * Weak memory: an atomic load may read an older value than the last one, and a store may be overtaken by
 * one that was made before it, as C11 allows.
 *
 * Each atomic object has, in each execution, the list of its messages: what was stored, by whom and
 * when, and what it releases. A load may read the newest message that it must know of, or any later
 * one; the search picks. It must know of a message whose store happens before it, and of one that
 * some load read which happens before it (coherence); one that is seq_cst also of those that
 * seq_cst operations have stored or read before it in the schedule, which is their single order.
 * A load that acquires synchronises with the message that it reads, not with later ones.
 *
 * A store that need not know of the newest message may come before it in the list: then it is overtaken,
 * and the object keeps its value. Never between a read-modify-write and the message that it read; and
 * one that is seq_cst appends.
 *
 * Read-modify-writes, failed ones too, read the last message and append. There are no load buffering
 * and no values out of thin air: what is read has been stored earlier in the schedule.
 *
 * Plain accesses need nothing of this: one that could read something old is a race, and races are
 * found as ever. A plain write ends the list, because whoever loads after it and could read what
 * was before it races with it.
 */
#ifndef EXPLORE_WEAK_H
#define EXPLORE_WEAK_H

#include "runtime.h"

int weak_setup(void);
void weak_clear(void); /* before executions are counted anew */

/*
 * A load of @bytes, whose last value is @last. Return: what it reads; the clock is joined if it
 * acquires, and *ret_stale tells whether there is a later value.
 */
uint64_t weak_load(struct cell *cell, uintptr_t addr, size_t bytes, uint64_t last, bool acquires,
		   bool seq_cst, bool *ret_stale);

/* A read-modify-write that fails, and so reads the last value. */
void weak_load_last(struct cell *cell, uintptr_t addr, size_t bytes, bool seq_cst);

/*
 * A store over @old, or a read-modify-write (@rmw), after the cell's release clock is set, in @epoch of
 * the running thread, which may have begun another since.
 */
void weak_store(struct cell *cell, uintptr_t addr, size_t bytes, uint64_t old, uint64_t new,
		int16_t epoch, bool rmw, bool seq_cst);

/* A store of @new that is not seq_cst. Return: it is overtaken, and that is all; no weak_store() then. */
bool weak_overtaken(struct cell *cell, uintptr_t addr, size_t bytes, uint64_t new, bool releases);

/* A plain write to @cell. */
void weak_forget(struct cell *cell);

#endif
