/* SPDX-License-Identifier: MIT */
/*
 * A node lock that readers share: a reader takes the lock, counts itself in and releases it; an
 * exclusive holder keeps the lock and waits for the count to fall to zero. Both kinds queue on the
 * one lock, in whatever order it grants, so nodes locked in the same order stay free of deadlock.
 * A waiting writer keeps new readers out. All-zero memory is unlocked.
 *
 * The count is of threads, at most NODELOCK_READERS_MAX at a time: a pool registers no more.
 */
#ifndef PT_SYNC_SHAREDLOCK_H
#define PT_SYNC_SHAREDLOCK_H

#include "nodelock.h"

static PORT_INLINE bool sharedlock_has_readers(struct nodelock *lock)
{
	/* [ORD-readers] acq: what readers did came before; pairs with sharedlock_unlock_shared() */
	return atomic_load_explicit(&lock->readers, memory_order_acquire);
}

static PORT_COLD void sharedlock_wait_for_readers(struct nodelock *lock)
{
	port_wait_until(!sharedlock_has_readers(lock));
}

static PORT_INLINE bool sharedlock_lock(struct nodelock *lock, enum nodelock_kind kind,
					struct queued_waiter *me)
{
	bool waited = nodelock_lock(lock, kind, me);

	if (__builtin_expect(!sharedlock_has_readers(lock), 1))
		return waited;
	sharedlock_wait_for_readers(lock);
	return true;
}

static PORT_INLINE bool sharedlock_try_lock(struct nodelock *lock, enum nodelock_kind kind)
{
	if (__builtin_expect(!nodelock_try_lock(lock, kind), 0))
		return false;
	if (__builtin_expect(!sharedlock_has_readers(lock), 1))
		return true;
	nodelock_unlock(lock, kind);
	return false;
}

static PORT_INLINE void sharedlock_unlock(struct nodelock *lock, enum nodelock_kind kind)
{
	nodelock_unlock(lock, kind);
}

/* Count a reader in and release the lock, which it holds. */
static inline void sharedlock_enter(struct nodelock *lock, enum nodelock_kind kind)
{
	/* Relaxed: the release of the lock below publishes it to the next exclusive holder. */
	atomic_fetch_add_explicit(&lock->readers, 1, memory_order_relaxed);
	nodelock_unlock(lock, kind);
}

static inline bool sharedlock_lock_shared(struct nodelock *lock, enum nodelock_kind kind,
					  struct queued_waiter *me)
{
	bool waited = nodelock_lock(lock, kind, me);

	sharedlock_enter(lock, kind);
	return waited;
}

/* Fails also beside another reader who is just being counted. */
static inline bool sharedlock_try_lock_shared(struct nodelock *lock, enum nodelock_kind kind)
{
	if (!nodelock_try_lock(lock, kind))
		return false;
	sharedlock_enter(lock, kind);
	return true;
}

static inline void sharedlock_unlock_shared(struct nodelock *lock)
{
	port_point(PORT_POINT_UNLOCK);
	/* [ORD-readers] rel: pairs with sharedlock_lock() */
	atomic_fetch_sub_explicit(&lock->readers, 1, memory_order_release);
	port_point(PORT_POINT_UNLOCK);
}

/* Initialise as exclusively held, before anybody else can see it. The rest of it is zero. */
static inline void sharedlock_init_locked(struct nodelock *lock)
{
	nodelock_init_locked(lock);
}

static inline bool sharedlock_is_free(struct nodelock *lock)
{
	return nodelock_is_free(lock) &&
	       !atomic_load_explicit(&lock->readers, memory_order_relaxed);
}

#endif
