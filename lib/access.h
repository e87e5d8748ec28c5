/* SPDX-License-Identifier: MIT */
/*
 * Every load and store of a PTE, and the table of ordering edges.
 *
 * Slots are atomic because lock-free walks and the hardware read them at any time. Each ordered
 * access in the library carries the tag of its edge; both sides of each edge stand here:
 *
 *   [ORD-publish]  rel: slot_publish(), slot_exchange_if()
 *                  acq: slot_load_walk(), slot_claim(), slot_freeze()
 *                  What a slot refers to, a zeroed or filled node and its metadata, is visible to
 *                  whoever reads the reference. Walks load with acquire; under a lock relaxed loads
 *                  suffice, because the lock orders them.
 *   [ORD-generation] rel: generation_change(), generation_end(), generation_leave(), slot_init()
 *                  acq: node_look(), generation_has_touchers(), slot_load_walk() (strategy/generation.h)
 *                  A walk that meets a node's new life sees that the old one is over.
 *   [ORD-stray]    rel: slotlock_mark_stray() acq: slotlock_is_stray() (strategy/slotlock.h)
 *   [ORD-ttas]     rel: ttas_unlock()        acq: ttas_lock()            (sync/ttas.h)
 *   [ORD-ticket]   rel: ticket_unlock()      acq: ticket_served()        (sync/ticket.h)
 *   [ORD-queued]   rel: queued_unlock()      acq: queued_take()          (sync/queued.h)
 *   [ORD-queue]    rel: queued_append()      acq: queued_next(), queued_append() (sync/queued.h)
 *                  Entries of waiters are complete when referred to, and done with when they end.
 *   [ORD-readers]  rel: sharedlock_unlock_shared() acq: sharedlock_lock() (sync/sharedlock.h)
 *   [ORD-phasefair] rel: phasefair_serve() acq: phasefair_served()       (sync/phasefair.h)
 *   [ORD-entered]  rel: phasefair_enter(), phasefair_begin_turn() acq: phasefair_read_lock(), its try form
 *                  (sync/phasefair.h) A reader knows whose turn it was when the last one began.
 *   [ORD-left]     rel: phasefair_read_unlock() acq: phasefair_readers_left() (sync/phasefair.h)
 *   [ORD-bias]     seq_cst on both sides: bravo_claim() and bravo_is_biased(); bravo_set_bias() and
 *                  bravo_concerns(). What makes a lock biased, bravo_read_slowly(), releases (sync/bravo.h)
 *   [ORD-mark]     rel: bravo_unclaim()      acq: bravo_concerns()       (sync/bravo.h)
 *   [ORD-rows]     seq_cst: bravo_make_row(), bravo_rows(), bravo_mark_of() acq: bravo_row() (sync/bravo.h)
 *   [ORD-range]    rel: rangelist_insert(), rangelist_remove() acq: rangelist_link(), rangelist_insert()
 *                  (sync/rangelist.h)
 *   [ORD-mutex]    rel: mutex_unlock()       acq: mutex_lock()           (sync/mutex.h)
 *   [ORD-rwlock]   rel: rwlock_*_unlock(), rwlock_downgrade() acq: rwlock_*_lock() (sync/rwlock.h)
 *   [ORD-served]   rel: serve_waiting()      acq: rwlock_write_lock_unless() (strategy/replicated_change.h)
 *   [ORD-waiting]  rel: ask_for_service()    acq: serve_waiting()        (the same)
 *   [ORD-tail]     rel: record_begin()       acq: replicas_tail()        (strategy/replicated_log.h)
 *   [ORD-ready]    rel: record_complete()    acq: replicas_ready()       (the same)
 *   [ORD-applied]  rel: record_begin(), replica_catch_up() acq: replica_has() (the same)
 *   [ORD-record]   rel: record_concerns()    acq: record_is_about()      (the same)
 *   [ORD-twins]    rel: add_twins()          acq: strategy_unite()       (the same)
 *   [ORD-free]     rel: chunk_push(), chunk_put_back() acq: chunk_pop_all()   (pool.c)
 *   [ORD-partial]  rel: partial_push()       acq: partial_pop()          (pool.c)
 *   [ORD-listed]   acq_rel on both sides: chunk_list(), take_from_chunk() (pool.c)
 *   [ORD-fresh]    rel: pool_grow()          acq: pool_take_fresh()      (pool.c)
 *   [ORD-retired]  rel: pt_pool_retire_end() acq: pt_pool_has_retired()  (pool.c)
 *   [ORD-users]    rel: pt_thread_unregister() acq: pt_pool_destroy()   (pool.c)
 *   [ORD-slot]     rel: slot_number_put()    acq: slot_number_get()      (thread.c)
 *   [ORD-stats]    rel, acq: group_of()  acq: pt_table_get_stats() (stats.c)
 *   [ORD-frame]    rel: frame_leave(), frame_put() acq: frame_claim(), frame_get(), the last put (frame.c)
 *   [ORD-refs]     rel: pt_table_put()        acq: the last one, pt_table_destroy() (activate.c, table.c)
 *   [ORD-barrier]  rel: barrier_pass()       acq: wait_for_callbacks()   (port/host/port.c)
 *
 * Grace periods are the port's edges: the end of every read section that began before
 * port_rcu_call() or port_rcu_synchronize() comes before the callback, or the return.
 */
#ifndef PT_ACCESS_H
#define PT_ACCESS_H

#include "pool.h"
#include "pte.h"

typedef _Atomic pte_t slot_t;

/* The slots of a node, by physical address: all that a walk needs. */
static inline slot_t *slots_of_pa(uintptr_t phys_off, pt_pa_t pa)
{
	return (slot_t *)(pa + phys_off);
}

/* Load a slot without holding what protects it, in order to follow it. */
static inline pte_t slot_load_walk(slot_t *slot)
{
	port_point(PORT_POINT_SLOT);
	/* [ORD-publish] acq: the node behind a reference is visible; pairs with slot_publish() */
	return atomic_load_explicit(slot, memory_order_acquire);
}

/* Load a slot that only the hardware can change meanwhile. */
static inline pte_t slot_load_locked(slot_t *slot)
{
	port_point(PORT_POINT_SLOT);
	return atomic_load_explicit(slot, memory_order_relaxed);
}

/* Store to a slot that nobody else can change meanwhile, not even the hardware. */
static inline void slot_publish(slot_t *slot, pte_t pte)
{
	port_point(PORT_POINT_SLOT);
	/* [ORD-publish] rel: the node behind @pte is complete; pairs with slot_load_walk() */
	atomic_store_explicit(slot, pte, memory_order_release);
	port_point(PORT_POINT_SLOT);
}

/* Store to a slot of a node that is not in the tree yet, or no longer. */
static inline void slot_init(slot_t *slot, pte_t pte)
{
	/* [ORD-generation] rel: the node's last life is over; pairs with slot_load_walk() */
	atomic_store_explicit(slot, pte, memory_order_release);
}

/* Replace *expected by @pte; false, and *expected is what is there, if the slot has changed. */
static inline bool slot_exchange_if(slot_t *slot, pte_t *expected, pte_t pte)
{
	port_point(PORT_POINT_SLOT);
	/* [ORD-publish] rel: as slot_publish() */
	return atomic_compare_exchange_strong_explicit(slot, expected, pte, memory_order_release,
						       memory_order_relaxed);
}

/* The same by who goes on to what @pte refers to: it may have been published by somebody else. */
static inline bool slot_claim(slot_t *slot, pte_t *expected, pte_t pte)
{
	port_point(PORT_POINT_SLOT);
	/* [ORD-publish] acq: as slot_load_walk(); what others load goes on to release it */
	return atomic_compare_exchange_strong_explicit(slot, expected, pte, memory_order_acquire,
						       memory_order_relaxed);
}

/* Set @bits, which are a strategy's, beside whatever the hardware sets. */
static inline void slot_freeze(slot_t *slot, pte_t bits)
{
	port_point(PORT_POINT_SLOT);
	/* [ORD-publish] acq: as slot_load_walk() */
	atomic_fetch_or_explicit(slot, bits, memory_order_acquire);
}

static inline void slot_thaw(slot_t *slot, pte_t bits)
{
	port_point(PORT_POINT_SLOT);
	/* [ORD-publish] rel: as slot_publish() */
	atomic_fetch_and_explicit(slot, ~bits, memory_order_release);
}

#endif
