/* SPDX-License-Identifier: MIT */
/*
 * Queued lock: a word `held`, and an MCS queue of those who wait for it. Each waiter spins on an
 * entry of its own, but for the first, which spins on the word; so a release disturbs one waiter,
 * and waiters get the lock in the order in which they came. Entries belong to waits, not to locks
 * held: a thread waits for one lock at a time, so its one entry (struct pt_thread) serves a cursor
 * that holds thousands of nodes. All-zero memory is free.
 *
 * 1. Whoever sets `held` from 0 to 1 holds the lock. Only its holder sets it to 0.
 * 2. `queue` is the last entry, or 0. Whoever finds nobody queued tries the word at once; whoever
 *    fails, or finds somebody, appends itself. It may overtake one that appends itself meanwhile,
 *    never one that had done so before it looked.
 * 3. The first entry is that of the one who found the queue empty, or was made first by its
 *    predecessor. It alone waits for the word, and leaves the queue when it has it, before it
 *    returns: it empties the queue, which succeeds only if it is the last (else a successor would
 *    be lost), or makes its successor first, waiting until that has linked itself, which it does
 *    right after it has appended itself.
 * 4. Nobody touches an entry after its wait: the predecessor's last access is the one that makes it
 *    first, the successor's the one that links, and both are awaited. What the next wait writes to it
 *    comes later than they, because it has read them [ORD-queue].
 */
#ifndef PT_SYNC_QUEUED_H
#define PT_SYNC_QUEUED_H

#include "port.h"

struct queued_waiter {
	_Atomic(struct queued_waiter *) next;
	_Atomic bool first;
};

static inline bool queued_take(_Atomic uint32_t *held)
{
	/* [ORD-queued] acq: what the last holder wrote is visible; pairs with queued_unlock() */
	return !atomic_exchange_explicit(held, 1, memory_order_acquire);
}

static inline struct queued_waiter *queued_next(struct queued_waiter *me)
{
	/* [ORD-queue] acq: the successor's entry is complete; pairs with queued_append() */
	return atomic_load_explicit(&me->next, memory_order_acquire);
}

/* Append @me, and wait until it is first. */
static inline void queued_append(_Atomic uint64_t *queue, struct queued_waiter *me)
{
	struct queued_waiter *before;

	atomic_store_explicit(&me->next, NULL, memory_order_relaxed);
	atomic_store_explicit(&me->first, false, memory_order_relaxed);
	/* [ORD-queue] acq_rel: both entries are complete when one refers to the other */
	before = (struct queued_waiter *)(uintptr_t)atomic_exchange_explicit(queue, (uintptr_t)me,
									     memory_order_acq_rel);
	if (!before)
		return;
	/* [ORD-queue] rel: pairs with queued_next() */
	atomic_store_explicit(&before->next, me, memory_order_release);
	/* Relaxed: being first says nothing about data; that comes with the word. */
	port_wait_until(atomic_load_explicit(&me->first, memory_order_relaxed));
}

/* Take @me, which is first, out of the queue. */
static inline void queued_leave(_Atomic uint64_t *queue, struct queued_waiter *me)
{
	uint64_t last = (uintptr_t)me;

	if (!queued_next(me)) {
		/* Relaxed: whoever finds an empty queue reads nothing through it. */
		if (atomic_compare_exchange_strong_explicit(queue, &last, 0, memory_order_relaxed,
							    memory_order_relaxed))
			return;
		port_wait_until(queued_next(me));
	}
	/* Relaxed: later than its clearing, which queued_next() has acquired; see queued_append(). */
	atomic_store_explicit(&queued_next(me)->first, true, memory_order_relaxed);
}

/* Nobody waits, and it is free: take it. Needs no entry. */
static inline bool queued_try_lock(_Atomic uint32_t *held, _Atomic uint64_t *queue)
{
	return !atomic_load_explicit(queue, memory_order_relaxed) &&
	       !atomic_load_explicit(held, memory_order_relaxed) && queued_take(held);
}

static inline bool queued_lock(_Atomic uint32_t *held, _Atomic uint64_t *queue,
			       struct queued_waiter *me)
{
	if (!atomic_load_explicit(queue, memory_order_relaxed) && queued_take(held))
		return false;
	queued_append(queue, me);
	while (!queued_take(held))
		port_wait_until(!atomic_load_explicit(held, memory_order_relaxed));
	queued_leave(queue, me);
	return true;
}

static inline void queued_unlock(_Atomic uint32_t *held)
{
	/* [ORD-queued] rel: pairs with queued_take() */
	atomic_store_explicit(held, 0, memory_order_release);
}

#endif
