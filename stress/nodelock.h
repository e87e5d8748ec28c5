/* SPDX-License-Identifier: MIT */
/* Which kinds of node locks strategies have, by name. */
#ifndef STRESS_NODELOCK_H
#define STRESS_NODELOCK_H

#include <stdbool.h>

/* Both are names that the library knows. */
bool strategy_has_node_lock(const char *strategy, const char *kind);

#endif
