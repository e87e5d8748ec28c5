/* SPDX-License-Identifier: MIT */
/*
 * Is the history of a register linearisable whose values are the numbers of its versions, in the
 * order in which they were written? Writers know it if they count under a cursor on the page.
 *
 * Then an order exists if and only if nothing of a version returned before something of an earlier
 * version was called, and nothing read a version before the call that wrote it. Stronger than
 * zones.h, which must find the order of writes that overlap out of what was read. Time: O(n) if
 * versions are dense.
 *
 * Version 0, or the least one, need not have been written.
 */
#ifndef HISTORY_SWEEP_H
#define HISTORY_SWEEP_H

#include "operation.h"

struct sweep;

struct sweep *sweep_create(void);
void sweep_destroy(struct sweep *s);

/*
 * @ops: of one page, in any order. @ret: set if wrong. HISTORY_GAVE_UP: no memory, or versions of
 * too wide a range.
 */
enum verdict sweep_check(struct sweep *s, const struct operation *ops, size_t n,
			 struct violation *ret);

#endif
