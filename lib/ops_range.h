/* SPDX-License-Identifier: MIT */
/*
 * What every call on a range begins and ends with: checking the arguments, choosing `top`, getting
 * and giving back the strategy's rights. And the split of a slot into a table, which every call
 * may need at the edges of its range, and what is known of whole subtrees.
 */
#ifndef PT_OPS_RANGE_H
#define PT_OPS_RANGE_H

#include "gather.h"
#include "sync/nodekind.h"
#include "visit.h"

#define PAGE_MASK (level_size(1) - 1)

/* The bits that physical addresses of pages can have. */
#define PAGE_PAS (((UINT64_C(2) << (FMT_PA_BITS - 1)) - 1) & ~PAGE_MASK)

/* Nodes that splitting needs at most for one edge of a range, or building for one slot. */
#define PATH_NODES (FMT_LEVELS - 1)

/* Is first..last, @len bytes at @va, a range of base pages that cursors may reach? */
static inline int check_range(const struct pt_table *t, pt_va_t va, uint64_t len, pt_va_t *ret_last)
{
	*ret_last = va + (len - 1);
	/* No term can wrap around in a range that is right; for others the reason is found apart. */
	if (!((va | len) & PAGE_MASK) && len && va - t->first <= t->cursor_last - t->first &&
	    len - 1 <= t->cursor_last - va)
		return 0;
	return ((va | len) & PAGE_MASK) || !len || *ret_last < va ? -EINVAL : -ERANGE;
}

/* The highest level of which first..last contains a whole slot; at least 1. */
static inline unsigned largest_block(pt_va_t first, pt_va_t last)
{
	if (last - first < level_size(2) - 1)
		return 1;
	for (unsigned level = FMT_LEVELS; level > 1; level--) {
		uint64_t mask = level_size(level) - 1;
		pt_va_t block = (first + mask) & ~mask;

		if (block >= first && block <= last && last - block >= mask)
			return level;
	}
	return 1;
}

/* The lowest level, not below @top, of which one node spans first..last. */
static inline unsigned cover_floor(pt_va_t first, pt_va_t last, unsigned top)
{
	_Pragma("GCC unroll 8") for (unsigned level = 1; level < FMT_LEVELS;
				     level++) if (level >= top &&
						  !((first ^ last) >>
						    level_shift(level + 1))) return level;
	return FMT_LEVELS;
}

/* Is more memory retired than may be? Then who begins has to wait. */
static inline bool retired_too_much(const struct pt_pool *pool)
{
	return atomic_load_explicit(&pool->retired, memory_order_relaxed) > pool->retired_bound;
}

/*
 * What a call that fails had done before: nothing, but with slot isolation what lies before the place
 * where its visit ended.
 */
static PT_INLINE void begin_call(struct pt_thread *self)
{
	if (MAY_LOSE)
		self->done = 0;
}

static PT_INLINE int end_call(struct cursor *c, pt_va_t first, int rc)
{
	if (MAY_LOSE && rc < 0)
		c->self->done = c->stopped_at - first;
	return rc;
}

/* Get the rights on first..last, for which enough nodes are reserved; false as strategy_lock_range(). */
static VISITOR bool range_lock(struct cursor *c, struct pt_thread *self, struct pt_table *t,
			       pt_va_t first, pt_va_t last, enum pt_mode mode, unsigned top,
			       bool try_only)
{
	c->ops = t->ops;
	c->self = self;
	c->table = t;
	c->first = first;
	c->last = last;
	c->va = first;
	c->displaced = NULL;
	c->stats = stats_of(self, t);
	c->top = (uint8_t)top;
	c->floor = (uint8_t)cover_floor(first, last, top);
	c->mode = (uint8_t)mode;
	c->node_lock = t->node_lock;
	c->try_only = try_only;
	if (!strategy_lock_range(c))
		return false;
	self->short_way = 0;
	c->next_held = self->holds;
	self->holds = c;
	return true;
}

/* Get the rights on first..last. Arguments have been checked. Return: 0, -EINVAL, -EDEADLK, -ENOMEM. */
static VISITOR int range_open(struct cursor *c, struct pt_thread *self, struct pt_table *t,
			      pt_va_t first, pt_va_t last, enum pt_mode mode, unsigned top)
{
	int rc;

	begin_call(self);
	if (self->pool != t->pool)
		return -EINVAL;
	if (self->holds)
		return -EDEADLK;
	if (retired_too_much(self->pool))
		pt_thread_wait_backlog(self);
	/* What calls put back that is of no use to the next ones, as clones' images, would only grow. */
	if (STRATEGY_REUSES && retired_enough(self))
		pt_thread_hand_over(self);
	if (mode == PT_BUILD) {
		rc = node_reserve(self, PATH_NODES);
		if (rc)
			return rc;
	}
	range_lock(c, self, t, first, last, mode, top, false);
	return 0;
}

/* The same without waiting, also beside cursors on other tables. Return: also -EBUSY. */
static inline int range_try_open(struct cursor *c, struct pt_thread *self, struct pt_table *t,
				 pt_va_t first, pt_va_t last, enum pt_mode mode, unsigned top)
{
	int rc;

	if (self->pool != t->pool)
		return -EINVAL;
	if (thread_holds(self, t))
		return -EDEADLK;
	if (retired_too_much(self->pool) && !self->wrapped)
		return -EBUSY;
	if (mode == PT_BUILD) {
		rc = node_reserve(self, PATH_NODES);
		if (rc)
			return rc;
	}
	return range_lock(c, self, t, first, last, mode, top, true) ? 0 : -EBUSY;
}

/*
 * Calls on one page: when its leaf table exists, no more is needed than that table, and the cursor
 * is none that has to be in memory. Return false, with nothing held, if range_open() must do it.
 */
static PT_INLINE bool page_open(struct cursor *c, struct pt_thread *self, struct pt_table *t,
				pt_va_t va, struct stats_line *stats, uint8_t node_lock,
				bool try_only)
{
	c->self = self;
	c->table = t;
	c->first = va;
	c->last = va | PAGE_MASK;
	c->stats = stats;
	c->level = 1;
	c->top = 1;
	c->mode = PT_CHANGE;
	c->node_lock = node_lock;
	c->try_only = try_only;
	c->must_wake = false;
	return strategy_lock_page(c);
}

/* What such a call ends with. Apart, so that nothing must be saved for it. Return: @rc. */
static PT_APART int page_wake(struct pt_thread *self, int rc)
{
	port_rcu_wake(&self->port);
	return rc;
}

static PT_INLINE void page_close(struct cursor *c)
{
	strategy_unlock_page(c);
}

/*
 * May a call on @len bytes at @va take the short way: open the page without further checks, because
 * an earlier call found out what has to be known of table and thread? One comparison says so. Nodes
 * are neither needed nor retired then, so a backlog does not matter. It waits for nobody: waiting is
 * left to the long way, so that nothing on the short one is a call and needs registers saved.
 * @id: the table's short_id, or what it has instead for this kind of call.
 */
static PT_INLINE bool way_is_short(const struct pt_thread *self, uint64_t id,
				   const struct pt_table *t, pt_va_t va, uint64_t len)
{
	return self->short_way == id && len == level_size(1) && !(va & PAGE_MASK) &&
	       va - t->first <= t->cursor_span;
}

/* The kind of node lock on the short way; a constant where no more than one is permitted there. */
static PT_INLINE uint8_t short_lock(const struct pt_table *t)
{
	return STRATEGY_SHORT_LOCKS == NODELOCK_BIT(NODELOCK_TTAS) ? NODELOCK_TTAS : t->node_lock;
}

static PT_INLINE bool page_open_short(struct cursor *c, struct pt_thread *self, struct pt_table *t,
				      pt_va_t va)
{
	return page_open(c, self, t, va, NULL, short_lock(t), true);
}

/* From now on calls on @t may take the short way, if that is what @self works on and all it does. */
static inline void remember_short_way(struct pt_thread *self, const struct pt_table *t)
{
	self->short_way = self->works_on == t->short_id && !self->holds ? t->short_id : 0;
}

/* page_open() for calls whose range has been checked, and that have not tried the short way. */
static PT_INLINE bool page_open_long(struct cursor *c, struct pt_thread *self, struct pt_table *t,
				     pt_va_t va, pt_va_t last)
{
	if (last != (va | PAGE_MASK) || self->pool != t->pool || self->holds ||
	    !page_open(c, self, t, va, stats_of(self, t), t->node_lock, false))
		return false;
	remember_short_way(self, t);
	return true;
}

/*
 * Make sure that the next node_take() succeeds. Reservations made by looking ahead see to it, but with
 * slot isolation others may have changed what was seen. Return: 0 or -ENOMEM.
 */
static PT_INLINE int node_ensure(struct pt_thread *self)
{
	if (!MAY_LOSE || (self->fail_after && (self->clean.count || self->spare.count)))
		return 0;
	return node_reserve(self, 1);
}

static void let_go_displaced(struct cursor *c);

static inline void range_close(struct cursor *c)
{
	struct pt_thread *self = c->self;

	strategy_unlock_range(c);
	thread_lets_go(self, c);
	remember_short_way(self, c->table);
	if (c->displaced)
		let_go_displaced(c);
	if (self->spare.count > 2 * self->pool->magazine)
		pt_thread_trim(self);
}

/* Fill the slots of @child, a node that nobody sees yet, with the parts of @pte of @level. */
static inline void fill_child(struct cursor *c, struct node *child, pte_t pte, unsigned level)
{
	slot_t *slots = node_slots(c->table, child);
	enum pt_kind kind = fmt_kind(pte, level);

	if (kind == PT_KIND_EMPTY)
		return;
	child->live = FAN_OUT;
	if (kind == PT_KIND_MARK) {
		child->marks = FAN_OUT;
		for (unsigned i = 0; i < FAN_OUT; i++)
			slot_init(&slots[i], pte);
	} else {
		pt_pa_t pa = fmt_leaf_pa(pte, level);
		pt_prop_t prop = fmt_leaf_prop(pte, level);

		for (unsigned i = 0; i < FAN_OUT; i++)
			slot_init(&slots[i],
				  fmt_leaf(pa + i * level_size(level - 1), prop, level - 1));
	}
}

/*
 * Put a table under s->pte, which is EMPTY, a MARK or a LEAF, that says the same (Q2: nobody sees a
 * hole). The node has been reserved. Return: VISIT_DOWN, s->pte refers to the table; or VISIT_AGAIN
 * if the slot has changed; with slot isolation, where nobody may have seen it before, also -ENOMEM, and
 * -EINVAL: a tracked leaf that cannot be split.
 */
static inline int split_slot(struct cursor *c, struct slot *s)
{
	const struct pt_table *t = c->table;
	struct node *child;
	pte_t old = s->pte;
	enum pt_kind kind = fmt_kind(old, s->level);

	if (MAY_LOSE && kind == PT_KIND_LEAF && (fmt_leaf_prop(old, s->level) & PT_TRACKED) &&
	    !t->item_ops->split)
		return -EINVAL;
	if (node_ensure(c->self))
		return -ENOMEM;
	child = table_take(c->self, t, s->level - 1);
	fill_child(c, child, old, s->level);
	strategy_adopt_child(c, s, child);
	if (!strategy_child_install(c, s, child)) {
		strategy_abandon_child(c, child);
		table_put(c->self, t, child);
		c->self->taken--;
		return VISIT_AGAIN;
	}
	s->pte = fmt_table(node_to_pa(t, child));
	stat_add(c->stats, STAT_NODES_TAKEN, 1);
	stat_add(c->stats, STAT_SPLITS, kind != PT_KIND_EMPTY);
	if (kind == PT_KIND_EMPTY)
		s->live++;
	else if (kind == PT_KIND_MARK)
		s->marks--;
	else if (fmt_leaf_prop(old, s->level) & PT_TRACKED)
		t->item_ops->split(t->item_ctx, fmt_leaf_pa(old, s->level), s->level);
	return VISIT_DOWN;
}

/*
 * How many nodes splitting needs so that no leaf or mark reaches over the edge of the range at @va,
 * an edge of first..last. Return: that, or -EINVAL if a tracked leaf there cannot be split.
 */
static inline int edge_splits(struct cursor *c, pt_va_t va, pt_va_t first, pt_va_t last)
{
	const struct pt_table *t = c->table;
	struct node *node = c->node;
	unsigned level = c->level;

	for (;; level--) {
		uint64_t mask = level_size(level) - 1;
		pt_va_t slot_first = va & ~mask;
		enum pt_kind kind;
		pte_t pte;

		/* whole slots are never split, and below them nothing is */
		if (slot_first >= first && last - slot_first >= mask && slot_first <= last)
			return 0;
		pte = strategy_slot_read(c, &node_slots(t, node)[slot_index(va, level)]);
		kind = fmt_kind(pte, level);
		if (kind == PT_KIND_TABLE) {
			node = child_of(t, pte);
			continue;
		}
		if (kind != PT_KIND_LEAF && kind != PT_KIND_MARK)
			return 0;
		if (kind == PT_KIND_LEAF && (fmt_leaf_prop(pte, level) & PT_TRACKED) &&
		    !t->item_ops->split)
			return -EINVAL;
		break;
	}
	/* one table for each level whose slot at the edge sticks out */
	for (int nodes = 0;; nodes++, level--) {
		uint64_t mask = level_size(level) - 1;
		pt_va_t slot_first = va & ~mask;

		if (slot_first >= first && slot_first <= last && last - slot_first >= mask)
			return nodes;
	}
}

/* The first mapping in a range, as far as it lies inside. */
struct found {
	pt_va_t first, last;
};

static VISITOR int find_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct found *found = arg;

	(void)c;
	switch (fmt_kind(s->pte, s->level)) {
	case PT_KIND_LEAF:
		*found = (struct found){.first = s->first, .last = s->last};
		return VISIT_STOP;
	case PT_KIND_TABLE:
		return VISIT_DOWN;
	default:
		return VISIT_NEXT;
	}
}

DEFINE_VISIT(visit_find, find_slot)

/*
 * Reserve what splits at the edges of first..last need, and @more nodes. With @one the call ends
 * with the first mapping, and what sticks out behind that does not matter.
 */
static inline int reserve_splits(struct cursor *c, pt_va_t first, pt_va_t last, bool one,
				 uint64_t more)
{
	struct found found = {.last = last};
	int left, right;

	if (c->level == 1) /* no slot can stick out */
		return more ? node_reserve(c->self, more) : 0;
	if (one)
		visit_find(c, c->node, c->level, first, last, &found);
	left = edge_splits(c, first, first, last);
	right = edge_splits(c, found.last, first, last);
	if (left < 0 || right < 0)
		return left < 0 ? left : right;
	more += (unsigned)left + (unsigned)right;
	return more ? node_reserve(c->self, more) : 0;
}

static inline uint64_t base_pages(unsigned level)
{
	return UINT64_C(1) << FMT_INDEX_BITS * (level - 1);
}

/* Load a slot of a subtree that, with slot isolation, may not be claimed. Strategy bits included. */
static inline pte_t slot_load_subtree(slot_t *slot)
{
	return MAY_LOSE ? slot_load_walk(slot) : slot_load_locked(slot);
}

/*
 * Base pages mapped by @node, of @level, and below. Leaf tables need no look at their slots, where they
 * are counted.
 */
static uint64_t count_pages(const struct pt_table *t, struct node *node, unsigned level)
{
	slot_t *slots = node_slots(t, node);
	uint64_t pages = 0;

	if (STRATEGY_COUNTS_EXACT && level == 1)
		return node->live - node->marks;
	for (unsigned i = 0; i < FAN_OUT; i++) {
		pte_t pte = slot_load_subtree(&slots[i]);
		enum pt_kind kind = fmt_kind(pte, level);

		if (kind == PT_KIND_TABLE)
			pages += count_pages(t, child_of(t, pte), level - 1);
		else if (kind == PT_KIND_LEAF)
			pages += base_pages(level);
	}
	return pages;
}

/* Does @node, of @level, with all that is below hold nothing but tables? */
static bool subtree_is_empty(const struct pt_table *t, struct node *node, unsigned level)
{
	slot_t *slots = node_slots(t, node);

	for (unsigned i = 0; i < FAN_OUT; i++) {
		pte_t pte = slot_load_subtree(&slots[i]);

		if (fmt_is_table(pte, level) ? !subtree_is_empty(t, child_of(t, pte), level - 1)
					     : fmt_kind(pte, level) != PT_KIND_EMPTY)
			return false;
	}
	return true;
}

/* Does @node hold nothing? With slot isolation that lasts only while it is claimed. */
static bool node_is_empty(const struct pt_table *t, struct node *node)
{
	slot_t *slots = node_slots(t, node);

	if (STRATEGY_COUNTS_EXACT)
		return !node->live;
	for (unsigned i = 0; i < FAN_OUT; i++)
		if (slot_load_subtree(&slots[i]) & ~FMT_STRATEGY_MASK)
			return false;
	return true;
}

/*
 * May the cursor replace the subtree behind this slot as a whole? Never above top, and not in the
 * root if its tables are pinned.
 */
static inline bool may_detach(const struct cursor *c, const struct slot *s)
{
	return s->whole && s->level <= c->top && !(s->level == FMT_LEVELS && c->table->top_pinned);
}

#endif
