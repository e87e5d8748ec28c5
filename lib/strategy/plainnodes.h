/* SPDX-License-Identifier: MIT */
/* For strategies in which a node has no state of its own that says who holds it. */
#ifndef PT_STRATEGY_PLAINNODES_H
#define PT_STRATEGY_PLAINNODES_H

#include "walk.h"

static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)c;
	(void)s;
	(void)child;
}

static inline bool strategy_node_is_free(struct node *node)
{
	(void)node;
	return true;
}

#endif
