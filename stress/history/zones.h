/* SPDX-License-Identifier: MIT */
/*
 * Is the history of a register linearisable whose written values are all different?
 *
 * Gibbons and Korach, "Testing shared memories" (1997): a write and all reads of its value are a
 * cluster, which any order must keep together. Let f be the earliest return in a cluster, b the
 * latest call. From f to b, if f < b, the register surely holds that value (a forward zone); else
 * the cluster can be placed at some moment from b to f (a backward zone). The history is right if
 * no read returned before its value was written, no two forward zones overlap, and no backward zone
 * lies within a forward one. Time: O(n log n).
 *
 * An HISTORY_CHANGE counts as a read and a write. What the register holds before all operations is an
 * HISTORY_WRITE with call and ret 0.
 *
 * Values that are written more than once do not count as clusters; reads of them are judged only
 * by this: a read within a forward zone of another value is wrong. Such a history can be wrong
 * though it is found to be right: see wgl.h.
 */
#ifndef HISTORY_ZONES_H
#define HISTORY_ZONES_H

#include "operation.h"

/* Working memory, to be used again for the next page. All zero: none yet. */
struct zones;

struct zones *zones_create(void);
void zones_destroy(struct zones *z);

/*
 * @ops: of one page, in any order. @ret: set if wrong. HISTORY_GAVE_UP: no memory.
 */
enum verdict zones_check(struct zones *z, const struct operation *ops, size_t n,
			 struct violation *ret);

#endif
