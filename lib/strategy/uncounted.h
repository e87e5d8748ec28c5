/* SPDX-License-Identifier: MIT */
/* For strategies in which nobody counts the slots of a node. */
#ifndef PT_STRATEGY_UNCOUNTED_H
#define PT_STRATEGY_UNCOUNTED_H

#include "walk.h"

#define STRATEGY_COUNTS_EXACT 0

static PT_INLINE void strategy_live_add(struct cursor *c, struct node *node, int slots, int marks)
{
	(void)c;
	(void)node;
	(void)slots;
	(void)marks;
}

#endif
