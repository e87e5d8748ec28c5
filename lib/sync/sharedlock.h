/* SPDX-License-Identifier: MIT */
/*
 * A spinlock that readers share: a reader takes the lock, counts itself in and releases it; an
 * exclusive holder keeps the lock and waits for the count to fall to zero. Both kinds queue on the
 * one lock, in whatever order it grants, so nodes locked in the same order stay free of deadlock.
 * A waiting writer keeps new readers out. All-zero memory is unlocked.
 */
#ifndef PT_SYNC_SHAREDLOCK_H
#define PT_SYNC_SHAREDLOCK_H

#include "ttas.h"

struct sharedlock {
	_Atomic uint32_t held;
	_Atomic uint32_t readers;
};

static inline bool sharedlock_lock(struct sharedlock *lock)
{
	bool waited = ttas_lock(&lock->held);

	/* [ORD-readers] acq: what readers did came before; pairs with sharedlock_unlock_shared() */
	port_wait_until(!atomic_load_explicit(&lock->readers, memory_order_acquire) ||
			!(waited = true));
	return waited;
}

static inline void sharedlock_unlock(struct sharedlock *lock)
{
	ttas_unlock(&lock->held);
}

static inline bool sharedlock_lock_shared(struct sharedlock *lock)
{
	bool waited = ttas_lock(&lock->held);

	/* Relaxed: the release of `held` below publishes it to the next exclusive holder. */
	atomic_fetch_add_explicit(&lock->readers, 1, memory_order_relaxed);
	ttas_unlock(&lock->held);
	return waited;
}

static inline void sharedlock_unlock_shared(struct sharedlock *lock)
{
	/* [ORD-readers] rel: pairs with sharedlock_lock() */
	atomic_fetch_sub_explicit(&lock->readers, 1, memory_order_release);
}

/* Initialise as exclusively held, before anybody else can see it. */
static inline void sharedlock_init_locked(struct sharedlock *lock)
{
	ttas_init_locked(&lock->held);
	atomic_store_explicit(&lock->readers, 0, memory_order_relaxed);
}

static inline bool sharedlock_is_free(struct sharedlock *lock)
{
	return !atomic_load_explicit(&lock->held, memory_order_relaxed) &&
	       !atomic_load_explicit(&lock->readers, memory_order_relaxed);
}

#endif
