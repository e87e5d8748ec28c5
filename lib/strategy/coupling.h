/* SPDX-License-Identifier: MIT */
/*
 * coupling: each node has a reader/writer lock. Whoever goes down holds every node of its path shared,
 * from the root on, and keeps it; who changes holds its covering node exclusively, and with it, without
 * another lock, everything below.
 *
 * Invariants
 * A. Who holds a node holds all nodes above it, at least shared.
 * B. So if a node is held exclusively, nobody else holds a node below it: what is below belongs to the
 *    holder, though the locks there look free. It may take tables away, and make new ones that are free.
 * C. A slot and the counts of a node change only if the node or one above it is held exclusively; the
 *    hardware's accessed and dirty bits aside. So who holds a node shared may follow its slots.
 * D. A reader, query or cursor, holds shared also what it reads below its covering node: a writer whose
 *    covering node lies there shares everything above.
 *
 * To become a writer of a node it holds as a reader, a cursor releases it, takes it exclusively and looks
 * again, for there may be a table now. Then, or when it has built one itself, it goes on below and is a
 * reader of this node again without letting go: otherwise the table could be taken away before it has
 * come there, it would have to begin again, and build more than it has reserved nodes for.
 *
 * Lock order: preorder. Paths go from the root down, below the covering node parents come before
 * children, left to right; who upgrades has released first and holds only what is above. A waiter holds
 * only nodes that come before the one it waits for, and waits, perhaps behind another waiter for the
 * same node, for holders of it, who wait at most for nodes behind. Nobody takes a node twice, which would
 * wait behind a writer that waits for the first time: a thread with a cursor open waits for no other
 * lock (-EDEADLK).
 *
 * Release: the lowest first. Once a node above is free, a writer may hold that, and what is still held
 * below it would count as its own.
 *
 * Publication: a child is complete and zeroed or filled before the store that links it [ORD-publish],
 * for pt_walk(), which takes no lock. All others read slots under a lock that whoever has changed them
 * has released.
 *
 * Reclamation: by B nobody holds, or waits for, a node of a subtree that is taken away. Only pt_walk()
 * may be there, in an RCU read section; unlinked nodes wait for a grace period after the flush, for its
 * sake (R1).
 *
 * Guarantees: Q1; C1 range: of two cursors that overlap the covering node of one lies on or below that
 * of the other. If the upper one writes it excludes the path of the lower; if it reads it holds the
 * lower's covering node, too. P1: nobody goes back on his way.
 *
 * Source: CortenMM-rw, the reader/writer protocol of CortenMM (SOSP 2025) as its artifact has it
 * (cortenmm-rw, page_table/cursor/locking.rs). Different here: whoever finds no table on its way looks
 * again and goes on, there the cursor stays with the higher node; a way is built before the cursor has
 * its range; read cursors share, there they take their covering node exclusively; and the lock
 * (sync/phasefair.h).
 */
#ifndef PT_STRATEGY_COUPLING_H
#define PT_STRATEGY_COUPLING_H

#include "exclusive.h"
#include "sync/phasefair.h"
#include "zeroed.h"

#define STRATEGY_NAME "coupling"
#define STRATEGY_SUMMARY "a reader/writer lock in each node, the path shared, the covering node not"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 1
#define STRATEGY_LOCK_FREE_QUERY 0
#define STRATEGY_DISJOINT_PARALLEL 0
#define STRATEGY_NODE_LOCKS 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES sizeof(struct phasefair)

static inline struct phasefair *lock_of(struct node *node)
{
	return (struct phasefair *)node->strategy;
}

static inline bool strategy_node_is_free(struct node *node)
{
	return phasefair_is_free(lock_of(node));
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	(void)table;
	return true;
}

/* ---- queries ---- */

struct strategy_query {
	const struct pt_table *table;
	struct node *path[FMT_LEVELS]; /* held; that of level 1 comes first */
	unsigned level;                /* of the lowest */
};

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	(void)self;
	q->table = table;
	return root_slots(table);
}

static inline pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	const struct pt_table *t = q->table;
	const pt_pa_t in_node = (UINT64_C(1) << FMT_NODE_SHIFT) - 1;
	struct node *node = node_at_pa(t, ((uintptr_t)slot - t->phys_off) & ~in_node);

	phasefair_read_lock(lock_of(node));
	q->path[level - 1] = node;
	q->level = level;
	return slot_load_locked(slot);
}

static inline bool strategy_query_end(struct strategy_query *q)
{
	for (unsigned level = q->level; level <= FMT_LEVELS; level++)
		phasefair_read_unlock(lock_of(q->path[level - 1]));
	return true;
}

/* ---- nodes of a cursor ---- */

/* Lock @node shared, exclusively; false if the cursor may only try and would have to wait. */
static PT_INLINE bool coupling_share(struct cursor *c, struct node *node)
{
	bool waited = false;

	if (!c->try_only)
		waited = phasefair_read_lock(lock_of(node));
	else if (unlikely(!phasefair_try_read_lock(lock_of(node))))
		return false;
	stat_lock(cursor_stats(c), waited);
	return true;
}

static PT_INLINE bool coupling_exclude(struct cursor *c, struct node *node)
{
	bool waited = false;

	if (!c->try_only)
		waited = phasefair_write_lock(lock_of(node));
	else if (unlikely(!phasefair_try_write_lock(lock_of(node))))
		return false;
	stat_lock(cursor_stats(c), waited);
	return true;
}

/* As the cursor holds its covering node. */
static PT_INLINE bool cursor_lock_node(struct cursor *c, struct node *node)
{
	return c->mode == PT_READ_ONLY ? coupling_share(c, node) : coupling_exclude(c, node);
}

static PT_INLINE void cursor_unlock_node(struct cursor *c, struct node *node)
{
	if (c->mode == PT_READ_ONLY)
		phasefair_read_unlock(lock_of(node));
	else
		phasefair_write_unlock(lock_of(node));
}

#include "preorder.h"

/*
 * Release the nodes above @level on the way to @va. Their slots on the way cannot change before: the way
 * is read as a whole first.
 */
static PT_INLINE void coupling_leave_path(const struct pt_table *t, pt_va_t va, unsigned level)
{
	struct node *path[FMT_LEVELS];
	struct node *node = t->root;

	_Pragma("GCC unroll 8") for (unsigned at = FMT_LEVELS; at > level; at--)
	{
		path[at - 1] = node;
		if (at > level + 1)
			node = child_of(t,
					slot_load_locked(&node_slots(t, node)[slot_index(va, at)]));
	}
	_Pragma("GCC unroll 8") for (unsigned at = level; at < FMT_LEVELS; at++)
		phasefair_read_unlock(lock_of(path[at]));
}

/* ---- ranges ---- */

/* How it went at a node on the way. */
enum way {
	WAY_DOWN,  /* it is held shared, and the walk goes on below */
	WAY_COVER, /* it is the covering node, and held as that must be */
	WAY_BUSY,  /* it is not held: it would have to be waited for, and the cursor may only try */
};

/*
 * Link a new table under the EMPTY slot of @node, which is held exclusively; it is born so, and nothing
 * else is there: whoever has come so far need not wait any more.
 */
static inline struct node *coupling_build_child(struct cursor *c, struct node *node, unsigned level,
						slot_t *slot)
{
	struct node *child = node_take(c->self, level - 1);

	stat_add(c->stats, STAT_NODES_TAKEN, 1);
	phasefair_init_locked(lock_of(child));
	slot_publish(slot, fmt_table(node_to_pa(c->table, child)));
	exclusive_live_add(node, 1, 0);
	return child;
}

/*
 * The slot on the way down holds no table. Hold its node exclusively, if it is not held so already, and
 * look again, now that it cannot change. With WAY_DOWN *node is the table below, and *excludes says
 * whether that is new.
 */
static enum way coupling_settle(struct cursor *c, struct node **node, unsigned level, slot_t *slot,
				bool *excludes)
{
	struct node *parent = *node;
	pte_t pte;

	if (!*excludes) {
		phasefair_read_unlock(lock_of(parent));
		if (!coupling_exclude(c, parent))
			return WAY_BUSY;
	}
	pte = slot_load_locked(slot);
	if (fmt_is_table(pte, level)) {
		*node = child_of(c->table, pte);
		*excludes = false;
	} else if (c->mode == PT_BUILD && fmt_kind(pte, level) == PT_KIND_EMPTY) {
		*node = coupling_build_child(c, parent, level, slot);
		*excludes = true;
	} else {
		return WAY_COVER;
	}
	phasefair_downgrade(lock_of(parent));
	return WAY_DOWN;
}

/* Take the step from *node of @level, which is above the lowest that can be the covering node. */
static PT_INLINE enum way coupling_step(struct cursor *c, struct node **node, unsigned level,
					bool *excludes)
{
	slot_t *slot = &node_slots(c->table, *node)[slot_index(c->first, level)];
	pte_t pte;

	if (!*excludes) {
		if (!coupling_share(c, *node))
			return WAY_BUSY;
		pte = slot_load_locked(slot);
		if (fmt_is_table(pte, level)) {
			*node = child_of(c->table, pte);
			return WAY_DOWN;
		}
		if (c->mode == PT_READ_ONLY)
			return WAY_COVER;
	}
	return coupling_settle(c, node, level, slot, excludes);
}

/* Find and lock the covering node, and all above it shared; or nothing. */
static inline bool coupling_lock_cover(struct cursor *c)
{
	struct node *node = c->table->root;
	enum way way = WAY_DOWN;
	bool excludes = false;
	unsigned level = FMT_LEVELS;

	for (; level > c->floor; level--) {
		way = coupling_step(c, &node, level, &excludes);
		if (way != WAY_DOWN)
			break;
	}
	if (way == WAY_DOWN && !excludes && !cursor_lock_node(c, node))
		way = WAY_BUSY;
	if (way == WAY_BUSY) {
		coupling_leave_path(c->table, c->first, level);
		return false;
	}
	c->node = node;
	c->level = (uint8_t)level;
	return true;
}

static inline bool strategy_lock_range(struct cursor *c)
{
	if (!coupling_lock_cover(c))
		return false;
	if (c->mode != PT_READ_ONLY || cursor_lock_rest(c))
		return true;
	coupling_leave_path(c->table, c->first, c->level);
	return false;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	if (c->mode == PT_READ_ONLY)
		cursor_unlock_nodes(c);
	else
		cursor_unlock_node(c, c->node);
	coupling_leave_path(c->table, c->first, c->level);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	const struct pt_table *t = c->table;
	struct node *node = t->root;
	slot_t *slots = root_slots(t);

	_Pragma("GCC unroll 8") for (unsigned level = FMT_LEVELS; level > 1; level--)
	{
		pte_t pte;

		if (unlikely(!coupling_share(c, node))) {
			coupling_leave_path(t, c->first, level);
			return false;
		}
		pte = slot_load_locked(&slots[slot_index(c->first, level)]);
		if (unlikely(!fmt_is_table(pte, level))) {
			coupling_leave_path(t, c->first, level - 1);
			return false;
		}
		node = child_of(t, pte);
		slots = slots_of_pa(t->phys_off, fmt_table_pa_clean(pte));
	}
	c->node = node;
	c->slots = slots;
	if (likely(coupling_exclude(c, node)))
		return true;
	coupling_leave_path(t, c->first, 1);
	return false;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	phasefair_write_unlock(lock_of(c->node));
	coupling_leave_path(c->table, c->first, 1);
}

/* ---- changes ---- */

/* What is under a node that is held exclusively needs no lock. */
static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)c;
	(void)s;
	(void)child;
}

static PT_INLINE void strategy_live_add(struct cursor *c, struct node *node, int slots, int marks)
{
	(void)c;
	exclusive_live_add(node, slots, marks);
}

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
}

#endif
