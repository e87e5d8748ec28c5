/* SPDX-License-Identifier: MIT */
/* For strategies whose state in a table, if there is any, begins as the zeroed memory that it is. */
#ifndef PT_STRATEGY_ZEROED_H
#define PT_STRATEGY_ZEROED_H

#include "table.h"

static inline int strategy_table_init(struct pt_table *table)
{
	(void)table;
	return 0;
}

static inline void strategy_table_exit(struct pt_table *table)
{
	(void)table;
}

#endif
