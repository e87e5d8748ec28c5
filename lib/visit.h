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
	VISIT_LOST, /* this slot, when what is frozen has been waited for; a visitor: its whole slot */
};

/* Visitors are inlined into their loops. */
#define VISITOR PT_INLINE

typedef int (*visit_slot_fn)(struct cursor *c, struct slot *s, void *arg);
typedef int (*visit_node_fn)(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last, void *arg);

/*
 * Let @visit see first..last of a slot. It is described right before: so the compiler knows the
 * level and, for level 1, that all is whole, for ranges are made of base pages. What is done only
 * above level 1 then goes, and with it all that needs the slot in memory.
 */
static VISITOR int visit_slot(struct cursor *c, struct slot *s, struct node *node, slot_t *ref,
			      unsigned level, pt_va_t first, pt_va_t last, visit_slot_fn visit,
			      void *arg)
{
	s->pte = strategy_slot_read(c, ref);
	s->node = node;
	s->level = level;
	s->ref = ref;
	s->first = first;
	s->last = last;
	s->whole = level == 1 || last - first == level_size(level) - 1;
	if (MAY_LOSE && unlikely(strategy_is_frozen(s->pte))) {
		c->lost_at = first;
		return VISIT_LOST;
	}
	return visit(c, s, arg);
}

/*
 * Visit the slots of @node that overlap first..last, left to right. @visit and @down are constants,
 * so that both inline or become direct calls: see DEFINE_VISIT(). What visitors note in s->live and
 * s->marks goes to the node at the end: a store for each slot would wait for the one before.
 */
static VISITOR int visit_slots(struct cursor *c, struct node *node, slot_t *slots, unsigned level,
			       pt_va_t first, pt_va_t last, visit_slot_fn visit, visit_node_fn down,
			       void *arg)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *ref = &slots[slot_index(first, level)];
	struct slot s = {.live = 0, .marks = 0};
	pt_va_t end;
	int next;

	for (;; first = end + 1, ref++) {
		end = first | mask;
		if (level > 1 && end > last)
			end = last;
		do
			next = visit_slot(c, &s, node, ref, level, first, end, visit, arg);
		while (next == VISIT_AGAIN);
		if (MAY_LOSE && unlikely(next < 0 || next == VISIT_LOST))
			c->stopped_at = first;
		if (level > 1 && next == VISIT_DOWN)
			next = down(c, child_of(c->table, s.pte), level - 1, first, end, arg);
		if (next != VISIT_NEXT || end == last)
			break;
	}
	if (s.live | s.marks)
		strategy_live_add(c, node, s.live, s.marks);
	return next;
}

/*
 * The same for the one page of a cursor that holds no more: see page_open(). Not again if the slot
 * has changed, or cannot be changed now, but VISIT_AGAIN: for a loop the compiler would make
 * preparations.
 */
static PT_INLINE int visit_page(struct cursor *c, visit_slot_fn visit, void *arg)
{
	slot_t *ref = &c->slots[slot_index(c->first, 1)];
	struct slot s = {.live = 0, .marks = 0};
	int next = visit_slot(c, &s, c->node, ref, 1, c->first, c->last, visit, arg);

	if (s.live | s.marks)
		strategy_live_add(c, c->node, s.live, s.marks);
	return MAY_LOSE && next == VISIT_LOST ? VISIT_AGAIN : next;
}

/* The visit was lost: get the rights again. */
static PT_APART void visit_lock_again(struct cursor *c)
{
	stat_add(c->stats, STAT_RETRIES, 1);
	strategy_lock_again(c, c->lost_at);
}

/*
 * Define name(c, node, level, first, last, arg): visit the range below @node by visit_slot. Leaf
 * tables, where the work is, get a loop of their own, inlined where the visit begins. name##_once()
 * is the same but that it returns VISIT_LOST, where the other goes on.
 */
#define DEFINE_VISIT(name, visit_slot)                                                           \
	static int name##_below(struct cursor *c, struct node *node, unsigned level,             \
				pt_va_t first, pt_va_t last, void *arg)                          \
	{                                                                                        \
		slot_t *slots = node_slots(c->table, node);                                      \
                                                                                                 \
		if (level == 1)                                                                  \
			return visit_slots(c, node, slots, 1, first, last, visit_slot,           \
					   name##_below, arg);                                   \
		return visit_slots(c, node, slots, level, first, last, visit_slot, name##_below, \
				   arg);                                                         \
	}                                                                                        \
	static VISITOR int name##_once(struct cursor *c, struct node *node, unsigned level,      \
				       pt_va_t first, pt_va_t last, void *arg)                   \
	{                                                                                        \
		if (level == 1)                                                                  \
			return visit_slots(c, node, node_slots(c->table, node), 1, first, last,  \
					   visit_slot, name##_below, arg);                       \
		return name##_below(c, node, level, first, last, arg);                           \
	}                                                                                        \
	static VISITOR int name(struct cursor *c, struct node *node, unsigned level,             \
				pt_va_t first, pt_va_t last, void *arg)                          \
	{                                                                                        \
		int next = name##_once(c, node, level, first, last, arg);                        \
                                                                                                 \
		while (MAY_LOSE && unlikely(next == VISIT_LOST)) {                               \
			visit_lock_again(c);                                                     \
			next = name##_below(c, c->node, c->level, c->stopped_at, last, arg);     \
		}                                                                                \
		return next;                                                                     \
	}

#endif
