/* SPDX-License-Identifier: MIT */
/*
 * The lock of a node, of the kind that its table was created with. The kind is passed in by the
 * caller, which has the table at hand: a branch that always goes the same way, no indirect call,
 * and the lock itself remembers nothing.
 *
 * All kinds share one state and agree on three of its values, so that nodes are made without asking
 * for the kind: all-zero is free; `held` 1 and the rest zero is held and wanted by nobody; and a
 * lock is free exactly when `held` equals the low half of `queue`. (Queued: 0 and 0; held it is 1,
 * which no entry's address ends in. Mutex: the low half of `queue` counts readers, by fours.)
 *
 * Three kinds spin; they yield when they have spun for long. A mutex sleeps.
 */
#ifndef PT_SYNC_NODELOCK_H
#define PT_SYNC_NODELOCK_H

#include "mutex.h"
#include "nodekind.h"
#include "queued.h"
#include "ticket.h"
#include "ttas.h"

/* As many threads as `readers` can count; each holds a node once. */
#define NODELOCK_READERS_MAX UINT16_MAX

struct nodelock {
	_Atomic uint32_t held;
	_Atomic uint16_t readers; /* see sharedlock.h */
	bool stray;               /* the strategy's, under the lock; stands here to fill a gap */
	union {
		_Atomic uint64_t queue;
		_Atomic uint32_t sleepers; /* a mutex', in place of `readers`: see sharedlock.h */
	};
};

/* @me: the calling thread's entry for waiting. Return: did it have to wait? */
static PORT_INLINE bool nodelock_lock(struct nodelock *lock, enum nodelock_kind kind,
				      struct queued_waiter *me)
{
	port_point(PORT_POINT_LOCK);
	if (__builtin_expect(kind == NODELOCK_TTAS, 1))
		return ttas_lock(&lock->held);
	if (kind == NODELOCK_TICKET)
		return ticket_lock(&lock->held, &lock->queue);
	if (kind == NODELOCK_MUTEX)
		return mutex_lock(&lock->held);
	return queued_lock(&lock->held, &lock->queue, me);
}

static PORT_INLINE bool nodelock_try_lock(struct nodelock *lock, enum nodelock_kind kind)
{
	port_point(PORT_POINT_LOCK);
	if (kind == NODELOCK_TTAS)
		return ttas_try_lock(&lock->held);
	if (kind == NODELOCK_TICKET)
		return ticket_try_lock(&lock->held, &lock->queue);
	if (kind == NODELOCK_MUTEX)
		return mutex_try_lock(&lock->held);
	return queued_try_lock(&lock->held, &lock->queue);
}

static PORT_INLINE void nodelock_unlock(struct nodelock *lock, enum nodelock_kind kind)
{
	port_point(PORT_POINT_UNLOCK);
	if (__builtin_expect(kind == NODELOCK_TTAS, 1))
		ttas_unlock(&lock->held);
	else if (kind == NODELOCK_TICKET)
		ticket_unlock(&lock->held);
	else if (kind == NODELOCK_MUTEX)
		mutex_unlock(&lock->held);
	else
		queued_unlock(&lock->held);
	port_point(PORT_POINT_UNLOCK);
}

/* Initialise as held, before anybody else can see it. The rest of it is zero. */
static inline void nodelock_init_locked(struct nodelock *lock)
{
	ttas_init_locked(&lock->held);
}

static inline bool nodelock_is_free(struct nodelock *lock)
{
	return atomic_load_explicit(&lock->held, memory_order_relaxed) ==
	       (uint32_t)atomic_load_explicit(&lock->queue, memory_order_relaxed);
}

#endif
