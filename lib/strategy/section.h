/* SPDX-License-Identifier: MIT */
/* Parts that strategies share whose calls on one page walk in a read section, and need no table's lock. */
#ifndef PT_STRATEGY_SECTION_H
#define PT_STRATEGY_SECTION_H

#include "walk.h"

static inline bool strategy_table_is_free(struct pt_table *table)
{
	(void)table;
	return true;
}

/*
 * The page is not to be had. Whoever may only try is not to call the system either: the long way,
 * which follows, does it instead. Behind that nobody does, for the call may fail or wait.
 */
static PT_INLINE void leave_in_vain(struct cursor *c)
{
	if (c->try_only)
		(void)port_rcu_read_unlock_quick(&c->self->port);
	else
		port_rcu_read_unlock(&c->self->port);
}

/* The page is done with. Whoever waits for the section's end may have to be woken: by the call, in the end. */
static PT_INLINE void leave_page(struct cursor *c)
{
	c->must_wake = !port_rcu_read_unlock_quick(&c->self->port);
}

#endif
