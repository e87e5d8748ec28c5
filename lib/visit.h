/* SPDX-License-Identifier: MIT */
/* The one loop that visits the slots of a range, for whatever is to be done with them. */
#ifndef PT_VISIT_H
#define PT_VISIT_H

#include "strategy/contract.h"

/* What a visitor wants next; negative: an error, the visit ends with it. */
enum visit {
	VISIT_NEXT = 0, /* the slot to the right */
	VISIT_DOWN,     /* the slots below, for s->pte is a TABLE */
	VISIT_AGAIN,    /* this slot, for it has changed */
	VISIT_STOP,     /* nothing */
};

/* Visitors are inlined into their loops, where the level is a constant and no slot is in memory. */
#define VISITOR inline __attribute__((always_inline))

typedef int (*visit_slot_fn)(struct cursor *c, struct slot *s, void *arg);
typedef int (*visit_node_fn)(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last, void *arg);

/*
 * Visit the slots of @node that overlap first..last, left to right. @visit and @down are constants,
 * so that both inline or become direct calls: see DEFINE_VISIT().
 */
static VISITOR int visit_slots(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			       pt_va_t last, visit_slot_fn visit, visit_node_fn down, void *arg)
{
	const pt_va_t mask = level_size(level) - 1;
	struct slot s = {.node = node, .level = level};

	s.ref = &node_slots(c->table, node)[slot_index(first, level)];
	for (s.first = first;; s.first = s.last + 1, s.ref++) {
		int next;

		s.last = s.first | mask;
		if (s.last > last)
			s.last = last;
		s.whole = (s.last - s.first) == mask;
		do {
			s.pte = strategy_slot_read(c, s.ref);
			next = visit(c, &s, arg);
		} while (next == VISIT_AGAIN);
		if (next == VISIT_DOWN)
			next = down(c, child_of(c->table, s.pte), level - 1, s.first, s.last, arg);
		if (next != VISIT_NEXT || s.last == last)
			return next;
	}
}

/*
 * Define name(c, node, level, first, last, arg): visit the range below @node by visit_slot. Leaf
 * tables, where the work is, get a loop of their own.
 */
#define DEFINE_VISIT(name, visit_slot)                                                      \
	static int name(struct cursor *c, struct node *node, unsigned level, pt_va_t first, \
			pt_va_t last, void *arg)                                            \
	{                                                                                   \
		if (level == 1)                                                             \
			return visit_slots(c, node, 1, first, last, visit_slot, name, arg); \
		return visit_slots(c, node, level, first, last, visit_slot, name, arg);     \
	}

#endif
