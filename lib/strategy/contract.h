/* SPDX-License-Identifier: MIT */
/*
 * What a strategy is: how concurrent access to one tree is synchronised. The tree's algorithm
 * (ops*.h) is written in these names and knows no lock.
 *
 * A strategy header defines the constants and functions below as `static inline`; this file is
 * included after it and declares them again, so that a wrong signature is a compile error.
 * docs/DECISIONS.md shows eleven strategies on this contract.
 *
 *   STRATEGY_NAME            "rcu"
 *   STRATEGY_SUMMARY         one line for people
 *   STRATEGY_ISOLATION       enum pt_isolation
 *   STRATEGY_READERS_SHARE   read cursors on overlapping ranges run together
 *   STRATEGY_LOCK_FREE_QUERY queries take no lock and never wait
 *   STRATEGY_DISJOINT_PARALLEL calls on ranges in different leaf tables write no common cache line
 *   STRATEGY_DISJOINT_BUILDING nor where these are only being made. Default: the same
 *   STRATEGY_DISJOINT_SLOTS  calls on different pages of one leaf table never wait for each other, and write
 *                            no common slot. Default: 0
 *   STRATEGY_NODE_LOCKS      the kinds of node locks it has: a bit for each, see lib/sync/nodekind.h;
 *                            the lowest is its default; 0: it locks no nodes
 *   STRATEGY_SHORT_LOCKS     those with which calls on one page may take the short way; if it is not
 *                            defined, ttas, which they then know at compile time
 *   STRATEGY_CONCURRENT      0: one thread only; unlinked nodes are reused without a grace period
 *   STRATEGY_SOFTWARE_BITS   bits of FMT_STRATEGY_MASK it uses in slots
 *   STRATEGY_TABLE_BITS      0: but not in those that refer to tables. Default: the same
 *   STRATEGY_NODE_BYTES      bytes of node metadata it uses, at most NODE_STRATEGY_BYTES
 *   STRATEGY_COUNTS_EXACT    a cursor can trust node->live and node->marks in its range, and what
 *                            holds no mapping there it may simply store to; 0: nobody counts, and
 *                            others may work in tables that a range covers in part
 *   STRATEGY_REUSES          1: a node begins a new life as soon as it is flushed, with the metadata of the
 *                            last; walks are queries, which notice, and strategy_query_touch(q, slot,
 *                            pte, touched) is the compare-exchange for them: see generation.h. Default: 0
 *   struct strategy_query    what a query in progress keeps
 *   STRATEGY_WRAPPER         a file with calls that stand before those of the tree: see at the end
 *
 * What is PT_INLINE here is on the short way of calls on one page: a call with a slot or a cursor as
 * an argument would have it in memory.
 *
 * All-zero node metadata (node->strategy) is that of a node nobody holds.
 *
 * Rights. With range isolation a cursor in mode PT_CHANGE or PT_BUILD has the slots of its range in
 * its covering node and everything below for itself, but for accessed and dirty bits that hardware
 * sets; slot_change() then loses no race against other cursors. With slot isolation (MAY_LOSE) every
 * change may lose, and the caller looks again; a slot may be frozen, because its table leaves the tree,
 * and then the visit unwinds, gets its rights again and goes on (VISIT_LOST); what was reserved by looking
 * ahead may be short; and what a look decides about a whole subtree needs a claim first.
 */
#ifndef PT_STRATEGY_CONTRACT_H
#define PT_STRATEGY_CONTRACT_H

#include "reuse.h"
#include "sync/nodekind.h"

#ifndef STRATEGY_DISJOINT_BUILDING
#define STRATEGY_DISJOINT_BUILDING STRATEGY_DISJOINT_PARALLEL
#endif

#ifndef STRATEGY_DISJOINT_SLOTS
#define STRATEGY_DISJOINT_SLOTS 0
#endif

#ifndef STRATEGY_TABLE_BITS
#define STRATEGY_TABLE_BITS STRATEGY_SOFTWARE_BITS
#endif

#ifndef STRATEGY_SHORT_LOCKS
#define STRATEGY_SHORT_LOCKS NODELOCK_BIT(NODELOCK_TTAS)
#endif

#define MAY_LOSE (STRATEGY_ISOLATION == PT_ISOLATION_SLOT)

/* Set up table->strategy, which is zero. Return: 0 or -ENOMEM. */
static inline int strategy_table_init(struct pt_table *table);

/* Release what strategy_table_init() has made. */
static inline void strategy_table_exit(struct pt_table *table);

/*
 * A query: begin gives the slots of the root; each slot on the way is read by step, the last one
 * read is what is reported; end releases, and returns false if the query must be run again.
 */
static inline slot_t *strategy_query_begin(struct strategy_query *q, struct pt_thread *self,
					   struct pt_table *table);
static inline pte_t strategy_query_step(struct strategy_query *q, slot_t *slot, unsigned level);
static inline bool strategy_query_end(struct strategy_query *q);

/* STRATEGY_QUERY_AT(q, va), if it is defined: after begin, the address that the query is about. */
#ifndef STRATEGY_QUERY_AT
#define STRATEGY_QUERY_AT(q, va) ((void)0)
#endif

/*
 * Get the cursor's rights on c->first..c->last and set c->node and c->level to the covering node:
 * the deepest of level >= c->top that covers the range. PT_BUILD creates tables on the way down
 * (enough nodes are reserved); the other modes settle on the node that holds the absent slot.
 *
 * Return true; or, only if c->try_only, false where it would have to wait for somebody: then nothing
 * is held and no table has been made.
 */
static inline bool strategy_lock_range(struct cursor *c);
static inline void strategy_unlock_range(struct cursor *c);

/*
 * The same rights on the one page at c->first, with all that is set when lock_range() is called, if
 * the page's leaf table exists: then c->node is it, and c->slots are its slots. Return false, with
 * nothing held, if it does not, or was lost, or if c->try_only and somebody would have to be waited
 * for; lock_range() decides then. Inlined, and must not let @c be needed in memory nor, if
 * c->try_only, call anything: that is what makes a call on one page cheap.
 */
static PT_INLINE bool strategy_lock_page(struct cursor *c);
static PT_INLINE void strategy_unlock_page(struct cursor *c);

/*
 * A visit with slot isolation came upon a frozen slot at @va, of the range: wait until nothing on the way there
 * is frozen, and set the covering node anew. Not called otherwise.
 */
static inline void strategy_lock_again(struct cursor *c, pt_va_t va);

/*
 * Read a slot of the range, without strategy bits; but with slot isolation it may be frozen, whatever it
 * holds, and then it has some.
 */
static PT_INLINE pte_t strategy_slot_read(struct cursor *c, slot_t *slot);
static PT_INLINE bool strategy_is_frozen(pte_t pte);

/*
 * Replace s->pte by @pte. Return true, or false with nothing changed; then the slot must be read
 * again. Neither value is a TABLE. If the slot sticks out of the range, they differ in accessed and
 * dirty bits only.
 */
static PT_INLINE bool strategy_slot_change(struct cursor *c, struct slot *s, pte_t pte);

/*
 * Replace s->pte, which is not a TABLE, by a reference to @child, which is complete and adopted.
 * Return as strategy_slot_change().
 */
static inline bool strategy_child_install(struct cursor *c, struct slot *s, struct node *child);

/* Give a node that is about to be installed in @s, in the held range, the lock state that implies. */
static inline void strategy_adopt_child(struct cursor *c, struct slot *s, struct node *child);

/* It was not installed after all, and nobody has seen it: take that back. */
static inline void strategy_abandon_child(struct cursor *c, struct node *child);

/* @slots more slots of @node are not EMPTY, @marks more hold a MARK. */
static PT_INLINE void strategy_live_add(struct cursor *c, struct node *node, int slots, int marks);

/*
 * From a claim of the subtree that s->pte refers to and the range covers, until it is detached or
 * released, nobody else changes s->ref or anything below, but for accessed and dirty bits. One at a time.
 * Slots below may carry strategy bits. Return as strategy_slot_change().
 */
static inline bool strategy_claim_subtree(struct cursor *c, struct slot *s);
static inline void strategy_release_subtree(struct cursor *c, struct slot *s);

/*
 * Replace s->pte, a reference to a claimed subtree, by @pte, which is no TABLE, in one store, and
 * release whatever the cursor holds in the subtree; nobody locks or changes a node of it afterwards.
 */
static inline void strategy_detach_subtree(struct cursor *c, struct slot *s, pte_t pte);

/*
 * With slot isolation: as detach_subtree(), by a leaf that nobody else changes, but for its accessed and
 * dirty bits, until release_leaf() has replaced it, in s->pte, by one that differs in those only. That
 * returns false, and s->pte is what is there, if the hardware was faster.
 */
static inline void strategy_detach_keeping(struct cursor *c, struct slot *s, pte_t leaf);
static inline bool strategy_release_leaf(struct cursor *c, struct slot *s, pte_t leaf);

#if !STRATEGY_REUSES
/* The next life of the node begins with all-zero metadata. */
static inline void strategy_abandon_child(struct cursor *c, struct node *child)
{
	(void)c;
	(void)child;
}
#endif

/* Does nobody hold this node; or the table as such? For the checker. */
static inline bool strategy_node_is_free(struct node *node);
static inline bool strategy_table_is_free(struct pt_table *table);

/*
 * A strategy can have several copies of the tree, and a wrapper: it is included after all calls, names
 * by OP(name) what goes into struct pt_ops in place of op_name(), and calls those on the copies. For
 * what it runs with locks around the call it sets self->wrapped, and self->copies where others will
 * have to do the same. The rest of the tree needs to know of copies only here.
 */
struct gather;

/* How many there are in a configured table; and the root of that which is near @home. */
static inline unsigned strategy_copies(const struct pt_table *table);
static inline pt_pa_t strategy_root_at(const struct pt_table *table, unsigned home);

/*
 * Before the flush of a gather or of displaced tables: make sure that no copy holds what calls of
 * this thread have removed. Without locks. After the flush, before leaves are reported: unite accessed
 * and dirty bits of the copies in the subtrees that the gather has, and retire the copies' subtrees.
 */
static void strategy_settle(struct pt_thread *self, struct pt_table *table);
static void strategy_unite(struct gather *g);

#ifndef STRATEGY_WRAPPER
#define STRATEGY_REPLICATES 0

static inline unsigned strategy_copies(const struct pt_table *table)
{
	(void)table;
	return 1;
}

static inline pt_pa_t strategy_root_at(const struct pt_table *table, unsigned home)
{
	(void)home;
	return table->root_pa;
}

static PT_INLINE void strategy_settle(struct pt_thread *self, struct pt_table *table)
{
	(void)self;
	(void)table;
}

static PT_INLINE void strategy_unite(struct gather *g)
{
	(void)g;
}
#endif

#endif
