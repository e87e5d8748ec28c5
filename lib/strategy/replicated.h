/* SPDX-License-Identifier: MIT */
/*
 * replicated: each NUMA home has a tree of its own, and changes go through a log that each tree
 * follows; so a walk or a query never leaves its home. As NrOS replicates its address spaces.
 *
 * Above the tree's algorithm, not below it: the calls of replicated_calls.h run op_map() and the like on
 * one of N trees, which nobody else changes meanwhile, as `bare` would. A table that others borrow root
 * slots from (kernel role) has one tree, because a borrower's root has one slot for it.
 *
 * The log. `tail` records have begun, `ready` of them are complete. Whoever changes the table holds the
 * tail's lock; its home's tree catches up with the log, then the call begins a record and runs on that
 * tree, on behalf of the thread that wants it and with its nodes; then the record says what was called,
 * and has nodes for the other trees, so replaying it cannot fail. The others replay it when they must: a
 * query of that home, a gather's sync, or whoever finds the log full. Replaying the same calls in the
 * same order makes the same trees: nothing in a tree but accessed and dirty bits depends on anything
 * else. What clears such bits, or needs them (harvest, some protects), and calls on two tables (clone),
 * or whose flush needs all (merge), run on all trees at once, which have caught up, under all locks.
 *
 * Flat combining. A call that does not get the tail's lock leaves a request in its home's list; who gets
 * the lock, if it is of that home, makes all calls of the list. Who sleeps until the lock is free may find
 * its request served.
 *
 * Invariants
 * A. A tree changes only under its lock, held exclusively: by its home's caller, or by who replays.
 * B. replica->applied says which records are in a tree; the last one may be happening just now, if the
 *    lock is held. Of all trees, that of the record that happens is the first to have it.
 * C. Lock order: the tail's lock, then trees' locks. Only who holds the tail's lock holds several of
 *    these, or waits for one while holding another. Nobody waits with a tree's lock for anything but trees'
 *    locks. A cursor holds the tail's lock, and no tree's lock between its calls.
 * D. A query or walk that has seen what a record changed makes all later ones see it (Q2): `tail` counts the
 *    record before it changes anything; a query waits until what `tail` says is in its own tree
 *    [ORD-tail]; a walk, which must not wait, goes to a tree that has it, and there is one by B.
 * E. Between cursors: a read cursor shares the tail's lock, so nothing is appended meanwhile, and its
 *    tree has caught up; others hold it exclusively (C1).
 *
 * Publication: a child is complete before the release store that links it, for walks [ORD-publish];
 * records by [ORD-ready], trees by their locks, and [ORD-applied] for walks that come from another home.
 *
 * Reclamation (R1, R2). Before a gather or displaced tables are flushed all trees replay (settle); each
 * tree that does leaves what it unlinked with what the first tree unlinked (twins), and both are retired
 * together. So after the flush no CPU has an entry of any tree (T1). Walks are in a read section. Items
 * count once: trees that follow have hooks that do nothing.
 *
 * Bits (T2). A leaf's accessed and dirty bits are those of all trees together. A query looks at the other
 * trees without writing anything; the bits of one that is behind count unless a record that it lacks
 * concerns the page, for then its leaf is another one. Bits of removed leaves are united as the others
 * replay, or after the flush if they lie in a subtree; a harvest first moves all to one tree. Moving leaves
 * the page's bit set at every moment, and needs no flush: a CPU that has cached the entry as dirty need
 * not say so again while the page is known to be.
 *
 * Nodes: a call reserves for N trees (self->copies), or is -ENOMEM with nothing changed (C2).
 *
 * Source: NrOS (Bhardwaj et al., OSDI'21), section 4.2, and node replication (Calciu et al., ASPLOS'17):
 * log, combiner, replicas. Uniting the bits: Mitosis (Achermann et al., ASPLOS'20), section 5.4. Different
 * here: the caller runs on its own tree before others see the record, not after, since the result says
 * what the record needs; each home has a sleeping reader/writer lock in place of one for each reader; a
 * remote core's tree is brought forward by who asks for the flush, not in the interrupt.
 */
#ifndef PT_STRATEGY_REPLICATED_H
#define PT_STRATEGY_REPLICATED_H

#include "cover.h"
#include "gather.h"
#include "plainnodes.h"
#include "sync/rwlock.h"

#define STRATEGY_NAME "replicated"
#define STRATEGY_SUMMARY "a tree for each NUMA home, which follows a log, as NrOS"
#define STRATEGY_ISOLATION PT_ISOLATION_RANGE
#define STRATEGY_READERS_SHARE 1
#define STRATEGY_LOCK_FREE_QUERY 0
#define STRATEGY_DISJOINT_PARALLEL 0
#define STRATEGY_NODE_LOCKS 0
#define STRATEGY_CONCURRENT 1
#define STRATEGY_SOFTWARE_BITS 0
#define STRATEGY_NODE_BYTES 0
#define STRATEGY_REPLICATES 1
#define STRATEGY_WRAPPER "strategy/replicated_calls.h"

struct record;

/* The tree of one home. What its readers write is in no line that others use. */
struct replica {
	_Alignas(64) _Atomic uint32_t lock;       /* of the tree, see A */
	_Alignas(64) _Atomic uint64_t applied;    /* records, see B */
	_Atomic(struct pt_thread *) waiting;      /* requests, by request.next */
	_Alignas(64) struct pt_table first, copy; /* the tree; with hooks of items, and without */
	struct pt_thread replayer;                /* on whose behalf calls are replayed */
};

struct replicas {
	unsigned nr;
	uint64_t length; /* records that the log has room for */
	struct record *log;
	struct pt_item_ops silent; /* of copies */
	_Alignas(64) _Atomic uint32_t tail_lock;
	_Alignas(64) _Atomic uint64_t tail; /* records begun, */
	_Atomic uint64_t ready;             /* and complete */
	struct replica of[];
};

/* @t: the table itself, or one of its trees. */
static inline struct replicas *replicas_of(const struct pt_table *t)
{
	return *(struct replicas *const *)(const void *)t->strategy;
}

static inline struct replica *replica_near(struct replicas *s, unsigned home)
{
	return &s->of[home < s->nr ? home : 0];
}

/* Which a cursor works on. */
static inline struct replica *replica_of_cursor(const struct cursor *c)
{
	return (struct replica *)((char *)c->table - offsetof(struct replica, first));
}

/* Replay what is complete. The tree's lock is held. */
static void replica_catch_up(struct replicas *s, struct replica *r, struct pt_thread *self);

/* With the tail's lock held. If it is not, what has been replayed is visible. */
static inline bool replica_is_behind(struct replicas *s, struct replica *r)
{
	/* [ORD-applied] acq: what others replayed; pairs with replica_catch_up() */
	return atomic_load_explicit(&r->applied, memory_order_acquire) !=
	       atomic_load_explicit(&s->ready, memory_order_relaxed);
}

/* ---- tables ---- */

static inline unsigned strategy_copies(const struct pt_table *table)
{
	return table->role == PT_ROLE_KERNEL ? 1 : table->pool->nr_homes;
}

static inline pt_pa_t strategy_root_at(const struct pt_table *table, unsigned home)
{
	return replica_near(replicas_of(table), home)->first.root_pa;
}

static inline bool strategy_table_is_free(struct pt_table *table)
{
	struct replicas *s = replicas_of(table);
	uint32_t held = atomic_load_explicit(&s->tail_lock, memory_order_relaxed);

	for (unsigned i = 0; i < s->nr; i++)
		held |= atomic_load_explicit(&s->of[i].lock, memory_order_relaxed);
	return !held;
}

/* ---- queries, with the tree's lock held ---- */

struct strategy_query {
	char unused;
};

static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table)
{
	(void)q;
	(void)self;
	return root_slots(table);
}

static inline pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level)
{
	(void)q;
	(void)level;
	return slot_load_locked(slot);
}

static inline bool strategy_query_end(struct strategy_query *q)
{
	(void)q;
	return true;
}

/* ---- cursors; those of wrapped calls hold all that they need ---- */

static inline bool tail_lock_for(struct replicas *s, struct cursor *c)
{
	const bool shared = c->mode == PT_READ_ONLY;
	bool waited = false;

	if (!c->try_only)
		waited =
			shared ? rwlock_read_lock(&s->tail_lock) : rwlock_write_lock(&s->tail_lock);
	else if (!(shared ? rwlock_try_read_lock(&s->tail_lock)
			  : rwlock_try_write_lock(&s->tail_lock)))
		return false;
	stat_lock(cursor_stats(c), waited);
	return true;
}

static inline void tail_unlock_for(struct replicas *s, const struct cursor *c)
{
	if (c->mode == PT_READ_ONLY)
		rwlock_read_unlock(&s->tail_lock);
	else
		rwlock_write_unlock(&s->tail_lock);
}

/* The tree's lock is needed only to replay, and to build. */
static inline bool catch_up_and_walk(struct replicas *s, struct cursor *c)
{
	struct replica *r = replica_of_cursor(c);

	if (c->mode != PT_BUILD && !replica_is_behind(s, r)) {
		walk_to_cover(c);
		return true;
	}
	if (!c->try_only)
		rwlock_write_lock(&r->lock);
	else if (!rwlock_try_write_lock(&r->lock))
		return false;
	replica_catch_up(s, r, c->self);
	walk_to_cover(c);
	rwlock_write_unlock(&r->lock);
	return true;
}

static inline bool strategy_lock_range(struct cursor *c)
{
	struct replicas *s = replicas_of(c->table);

	if (c->self->wrapped) {
		walk_to_cover(c);
		return true;
	}
	if (!tail_lock_for(s, c))
		return false;
	if (catch_up_and_walk(s, c))
		return true;
	tail_unlock_for(s, c);
	return false;
}

static inline void strategy_unlock_range(struct cursor *c)
{
	if (!c->self->wrapped)
		tail_unlock_for(replicas_of(c->table), c);
}

static PT_INLINE bool strategy_lock_page(struct cursor *c)
{
	return walk_to_leaf_table(c);
}

static PT_INLINE void strategy_unlock_page(struct cursor *c)
{
	(void)c;
}

static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte)
{
	atomic_store_explicit(&child_of(c->table, s->pte)->twins, NULL, memory_order_relaxed);
	slot_publish(s->ref, pte);
}

#endif
