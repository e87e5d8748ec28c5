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
 * The lock of a node is one of several kinds (sync/noderw.h). With BRAVO readers hold the nodes of their way,
 * the covering node of read cursors included, by a mark of their thread (couplingpath.h) where they are biased
 * to readers; whoever locks such a node exclusively waits for marks, which are as good as shares: nobody who
 * waits asks by a mark for more than it holds. What a read cursor holds below its covering node has no room
 * in a mark, and is held in the ordinary way.
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
 * its range; read cursors share, there they take their covering node exclusively; and the locks: there
 * it is BRAVO over a queue of readers and writers, with marks by hash.
 */
#ifndef PT_STRATEGY_COUPLING_H
#define PT_STRATEGY_COUPLING_H

#include "couplingpath.h"
#include "exclusive.h"

#define STRATEGY_NAME "coupling"
#define STRATEGY_SUMMARY "a reader/writer lock in each node, the path shared, the covering node not"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 1
#define STRATEGY_LOCK_FREE_QUERY 0
#define STRATEGY_DISJOINT_PARALLEL 0
#define STRATEGY_NODE_LOCKS NODELOCKS_RW
#define STRATEGY_SHORT_LOCKS NODELOCKS_RW
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES sizeof(union noderw)

static inline bool strategy_node_is_free(struct node *node)
{
	return noderw_is_free(lock_of(node));
}

static inline int strategy_table_init(struct pt_table *table)
{
	struct bravo **bravo = (struct bravo **)table->strategy;

	if (!noderw_has_bravo(table->node_lock))
		return 0;
	*bravo = bravo_create(POOL_SLOTS);
	return *bravo ? 0 : -ENOMEM;
}

static inline void strategy_table_exit(struct pt_table *table)
{
	if (bravo_of(table))
		bravo_destroy(bravo_of(table));
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	return !bravo_of(table) || bravo_is_free(bravo_of(table));
}

/* ---- queries ---- */

struct strategy_query {
	const struct pt_table *table;
	enum nodelock_kind kind;
	pt_va_t va;
	unsigned level; /* of the lowest node that is held */
	uint64_t path[PATH_WORDS];
};

#define STRATEGY_QUERY_AT(q, address) ((q)->va = (address))

static PT_INLINE slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					      struct pt_table *table)
{
	q->table = table;
	q->kind = table->node_lock;
	path_begin(q->path, table, self->slot, q->kind, true);
	return root_slots(table);
}

static PT_INLINE pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	const struct pt_table *t = q->table;
	const pt_pa_t in_node = (UINT64_C(1) << FMT_NODE_SHIFT) - 1;
	struct node *node = node_at_pa(t, ((uintptr_t)slot - t->phys_off) & ~in_node);
	union noderw *lock = lock_of(node);

	if (!path_mark(q->path, lock, q->va, level, 1)) {
		noderw_read_lock(lock, q->kind);
		path_passed(q->path, lock);
	}
	path_note(q->path, node, level);
	q->level = level;
	return slot_load_locked(slot);
}

static PT_INLINE bool strategy_query_end(struct strategy_query *q)
{
	path_leave(q->path, q->table, q->kind, q->level);
	return true;
}

/* ---- nodes of a cursor ---- */

static PT_INLINE enum nodelock_kind coupling_kind(const struct cursor *c)
{
	return c->node_lock;
}

/* Lock @node shared, without a mark; false if the cursor may only try and would have to wait. */
static PT_INLINE bool coupling_share_slowly(struct cursor *c, struct node *node, bool *waited)
{
	if (!c->try_only)
		*waited |= noderw_read_lock(lock_of(node), coupling_kind(c));
	else if (unlikely(!noderw_try_read_lock(lock_of(node), coupling_kind(c))))
		return false;
	return true;
}

/*
 * Lock @node, of @level and on the way to the cursor's range, shared, and note it; false as above. @lowest: how
 * far down the cursor will go, at most. Counting is left to the caller, and what follows: path_passed()
 * if it is to stay so.
 */
static PT_INLINE bool coupling_share(struct cursor *c, struct node *node, unsigned level,
				     unsigned lowest, bool *waited)
{
	union noderw *lock = lock_of(node);

	if (!path_mark(c->strategy, lock, c->first, level, lowest) &&
	    unlikely(!coupling_share_slowly(c, node, waited)))
		return false;
	path_note(c->strategy, node, level);
	return true;
}

/* @node of @level was locked shared, and is not about to be locked exclusively. */
static PT_INLINE void coupling_passed(struct cursor *c, struct node *node, unsigned level)
{
	if (!path_is_marked(c->strategy, level))
		path_passed(c->strategy, lock_of(node));
}

/* The node of @level, shared, alone. */
static inline void coupling_unshare(struct cursor *c, struct node *node, unsigned level)
{
	if (path_is_marked(c->strategy, level)) {
		c->strategy[PATH_HELD] &= ~path_bit(level);
		path_settle(c->strategy);
	} else {
		noderw_read_unlock(lock_of(node), coupling_kind(c));
	}
}

/*
 * Lock @node of @level on the way exclusively; false as above, and if a bias would have to be revoked, but
 * not @revoke: on the short way that would be a call.
 */
static PT_INLINE bool coupling_exclude(struct cursor *c, struct node *node, unsigned level,
				       bool revoke)
{
	union noderw *lock = lock_of(node);
	bool waited = false;

	path_settle(c->strategy);
	if (!c->try_only)
		waited = noderw_write_lock(lock, coupling_kind(c));
	else if (unlikely(!noderw_try_write_lock(lock, coupling_kind(c))))
		return false;
	if (noderw_has_bravo(coupling_kind(c)) && unlikely(bravo_seems_biased(&lock->fair))) {
		if (!revoke ||
		    !bravo_revoke(bravo_of(c->table), &lock->fair, path_want(c->first, level),
				  path_mask(level), c->try_only)) {
			noderw_write_unlock(lock, coupling_kind(c));
			return false;
		}
		stat_add(cursor_stats(c), STAT_REVOCATIONS, 1);
	}
	stat_lock(cursor_stats(c), waited);
	return true;
}

/* As nodes below the covering node are held: only by readers, whose marks do not reach there. */
static PT_INLINE bool cursor_lock_node(struct cursor *c, struct node *node)
{
	bool waited = false;

	if (!coupling_share_slowly(c, node, &waited))
		return false;
	stat_lock(cursor_stats(c), waited);
	return true;
}

/* Such a node, or the covering node. */
static PT_INLINE void cursor_unlock_node(struct cursor *c, struct node *node)
{
	if (node == c->node)
		coupling_unshare(c, node, c->level);
	else
		noderw_read_unlock(lock_of(node), coupling_kind(c));
}

#include "preorder.h"

/* Release the nodes above @level. */
static PT_INLINE void coupling_leave_path(struct cursor *c, unsigned level)
{
	path_leave(c->strategy, c->table, coupling_kind(c), level + 1);
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
	noderw_init_locked(lock_of(child), coupling_kind(c));
	slot_publish(slot, fmt_table(node_to_pa(c->table, child)));
	strategy_live_add(c, node, 1, 0);
	return child;
}

/* Lock @node as a node on the way, and count. */
static inline bool coupling_share_counted(struct cursor *c, struct node *node, unsigned level)
{
	/* Marks of those who change end above the covering node. */
	unsigned lowest = c->floor + (c->mode != PT_READ_ONLY);
	bool waited = false;

	if (!coupling_share(c, node, level, lowest, &waited))
		return false;
	stat_lock(c->stats, waited);
	return true;
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
		coupling_unshare(c, parent, level);
		if (!coupling_exclude(c, parent, level, true))
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
	noderw_downgrade(lock_of(parent), coupling_kind(c));
	path_note(c->strategy, parent, level);
	return WAY_DOWN;
}

/* Take the step from *node of @level, which is above the lowest that can be the covering node. */
static PT_INLINE enum way coupling_step(struct cursor *c, struct node **node, unsigned level,
					bool *excludes)
{
	slot_t *slot = &node_slots(c->table, *node)[slot_index(c->first, level)];
	pte_t pte;

	if (!*excludes) {
		if (!coupling_share_counted(c, *node, level))
			return WAY_BUSY;
		pte = slot_load_locked(slot);
		if (fmt_is_table(pte, level) || c->mode == PT_READ_ONLY)
			coupling_passed(c, *node, level);
		if (fmt_is_table(pte, level)) {
			*node = child_of(c->table, pte);
			return WAY_DOWN;
		}
		if (c->mode == PT_READ_ONLY)
			return WAY_COVER;
	}
	return coupling_settle(c, node, level, slot, excludes);
}

/* Lock @node as the covering node. */
static inline bool coupling_lock_as_cover(struct cursor *c, struct node *node, unsigned level)
{
	if (c->mode != PT_READ_ONLY)
		return coupling_exclude(c, node, level, true);
	if (!coupling_share_counted(c, node, level))
		return false;
	coupling_passed(c, node, level);
	return true;
}

/* Find and lock the covering node, and all above it shared; or nothing. */
static inline bool coupling_lock_cover(struct cursor *c)
{
	struct node *node = c->table->root;
	enum way way = WAY_DOWN;
	bool excludes = false;
	unsigned level = FMT_LEVELS;

	path_begin(c->strategy, c->table, c->self->slot, coupling_kind(c), !c->try_only);
	for (; level > c->floor; level--) {
		way = coupling_step(c, &node, level, &excludes);
		if (way != WAY_DOWN)
			break;
	}
	if (way == WAY_DOWN && !excludes && !coupling_lock_as_cover(c, node, level))
		way = WAY_BUSY;
	if (way == WAY_BUSY) {
		coupling_leave_path(c, level);
		return false;
	}
	path_settle(c->strategy);
	stat_add(c->stats, STAT_PATH, FMT_LEVELS - level);
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
	coupling_leave_path(c, c->level);
	return false;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	if (c->mode == PT_READ_ONLY)
		cursor_unlock_nodes(c);
	else
		noderw_write_unlock(lock_of(c->node), coupling_kind(c));
	coupling_leave_path(c, c->level);
}

/* The page is not to be had; what is above @level is held. */
static PT_INLINE void coupling_leave_in_vain(struct cursor *c, unsigned level, unsigned waits)
{
	stat_add(cursor_stats(c), STAT_LOCKS, FMT_LEVELS - level);
	stat_add(cursor_stats(c), STAT_CONTENDED, waits);
	coupling_leave_path(c, level);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	const struct pt_table *t = c->table;
	struct node *node = t->root;
	slot_t *slots = root_slots(t);
	unsigned waits = 0;

	path_begin(c->strategy, t, c->self->slot, coupling_kind(c), !c->try_only);
	_Pragma("GCC unroll 8") for (unsigned level = FMT_LEVELS; level > 1; level--)
	{
		bool waited = false;
		pte_t pte;

		if (unlikely(!coupling_share(c, node, level, 2, &waited))) {
			coupling_leave_in_vain(c, level, waits);
			return false;
		}
		waits += waited;
		pte = slot_load_locked(&slots[slot_index(c->first, level)]);
		if (unlikely(!fmt_is_table(pte, level))) {
			coupling_leave_in_vain(c, level - 1, waits);
			return false;
		}
		coupling_passed(c, node, level);
		node = child_of(t, pte);
		slots = slots_of_pa(t->phys_off, fmt_table_pa_clean(pte));
	}
	c->node = node;
	c->slots = slots;
	if (unlikely(!coupling_exclude(c, node, 1, !c->try_only))) {
		coupling_leave_in_vain(c, 1, waits);
		return false;
	}
	stat_add(cursor_stats(c), STAT_LOCKS, FMT_LEVELS - 1);
	stat_add(cursor_stats(c), STAT_PATH, FMT_LEVELS - 1);
	if (unlikely(waits))
		stat_add(cursor_stats(c), STAT_CONTENDED, waits);
	return true;
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	noderw_write_unlock(lock_of(c->node), coupling_kind(c));
	coupling_leave_path(c, 1);
}

/* ---- changes ---- */

/* What is under a node that is held exclusively needs no lock. */
static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child)
{
	(void)c;
	(void)s;
	(void)child;
}

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	(void)c;
	slot_publish(s->ref, pte);
}

#endif
