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

/* Visitors are inlined into their loops. */
#define VISITOR PT_INLINE

typedef int (*visit_slot_fn)(struct cursor *c, struct slot *s, void *arg);
typedef int (*visit_node_fn)(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last, void *arg);

/*
 * Visit the slots of @node that overlap first..last, left to right. @visit and @down are constants,
 * so that both inline or become direct calls: see DEFINE_VISIT(). What visitors note in s->live and
 * s->marks goes to the node at the end: a store for each slot would wait for the one before.
 *
 * The slot is described right before the visitor sees it: so the compiler knows the level and, for
 * level 1, that all is whole, for ranges are made of base pages. What is done only above level 1
 * then goes, and with it all that needs the slot in memory.
 */
static VISITOR int visit_slots(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			       pt_va_t last, visit_slot_fn visit, visit_node_fn down, void *arg)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *ref = &node_slots(c->table, node)[slot_index(first, level)];
	struct slot s = {.live = 0, .marks = 0};
	pt_va_t end;
	int next;

	for (;; first = end + 1, ref++) {
		end = first | mask;
		if (level > 1 && end > last)
			end = last;
		do {
			s.pte = strategy_slot_read(c, ref);
			s.node = node;
			s.level = level;
			s.ref = ref;
			s.first = first;
			s.last = end;
			s.whole = level == 1 || end - first == mask;
			next = visit(c, &s, arg);
		} while (next == VISIT_AGAIN);
		if (level > 1 && next == VISIT_DOWN)
			next = down(c, child_of(c->table, s.pte), level - 1, first, end, arg);
		if (next != VISIT_NEXT || end == last)
			break;
	}
	if (s.live | s.marks)
		strategy_live_add(c, node, s.live, s.marks);
	return next;
}

/* The same for the one page of a cursor that holds no more: see page_open(). */
static PT_INLINE int visit_page(struct cursor *c, visit_slot_fn visit, void *arg)
{
	return visit_slots(c, c->node, 1, c->first, c->last, visit, NULL, arg);
}

/*
 * Define name(c, node, level, first, last, arg): visit the range below @node by visit_slot. Leaf
 * tables, where the work is, get a loop of their own, inlined where the visit begins.
 */
#define DEFINE_VISIT(name, visit_slot)                                                          \
	static int name##_below(struct cursor *c, struct node *node, unsigned level,            \
				pt_va_t first, pt_va_t last, void *arg)                         \
	{                                                                                       \
		if (level == 1)                                                                 \
			return visit_slots(c, node, 1, first, last, visit_slot, name##_below,   \
					   arg);                                                \
		return visit_slots(c, node, level, first, last, visit_slot, name##_below, arg); \
	}                                                                                       \
	static VISITOR int name(struct cursor *c, struct node *node, unsigned level,            \
				pt_va_t first, pt_va_t last, void *arg)                         \
	{                                                                                       \
		if (level == 1)                                                                 \
			return visit_slots(c, node, 1, first, last, visit_slot, name##_below,   \
					   arg);                                                \
		return name##_below(c, node, level, first, last, arg);                          \
	}

#endif
