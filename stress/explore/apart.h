/* SPDX-License-Identifier: MIT */
/*
 * Threads that work on parts of the table which do not touch must not meet: a strategy whose cursors
 * hold ranges only is there for that. In a scenario that is `apart`, in every schedule,
 *
 *   - no thread waits for a lock, even if another stands still in the middle of its call, or with a
 *     cursor open; for a grace period it may have to;
 *   - no thread writes a line of memory that another one uses.
 *
 * What breaks nothing but makes threads wait in turn, a lock around too much or a shared counter, is
 * found by nothing else.
 */
#ifndef EXPLORE_APART_H
#define EXPLORE_APART_H

#include "program.h"

/* At the end of an execution, before memory is used for anything else. */
void apart_judge(const struct program *program);

#endif
