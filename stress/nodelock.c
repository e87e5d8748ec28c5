/* SPDX-License-Identifier: MIT */
#include "nodelock.h"

#include <string.h>

#include "pagetree.h"

bool strategy_has_node_lock(const char *strategy, const char *kind)
{
	const struct pt_strategy_info *info = pt_strategy_find(strategy);
	const char *name;

	for (unsigned i = 0; (name = pt_node_lock_at(i)); i++)
		if (!strcmp(name, kind))
			return info->node_locks >> i & 1;
	return false;
}
