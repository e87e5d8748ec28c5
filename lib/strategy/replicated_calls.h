/* SPDX-License-Identifier: MIT */
/* The calls of a replicated table, in terms of those of one tree: see replicated.h. */
#ifndef PT_STRATEGY_REPLICATED_CALLS_H
#define PT_STRATEGY_REPLICATED_CALLS_H

#include "replicated_cursor.h"

#define replicated_cursor_end op_cursor_end
#define replicated_cursor_find_next op_cursor_find_next
#define replicated_cursor_jump op_cursor_jump
#define replicated_gather_sync op_gather_sync

#define OP(name) replicated_##name

#endif
