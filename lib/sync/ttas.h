/* SPDX-License-Identifier: MIT */
/*
 * Test-and-test-and-set spinlock: one word, 0 free, 1 held. Waiters read only until it looks free.
 * Unfair; the cheapest lock when contention is rare. All-zero memory is an unlocked lock.
 */
#ifndef PT_SYNC_TTAS_H
#define PT_SYNC_TTAS_H

#include "port.h"

/* Like all locks here, returns whether it had to wait. */
static inline bool ttas_lock(_Atomic uint32_t *lock)
{
	bool waited = false;

	/* [ORD-ttas] acq: what the last holder wrote is visible; pairs with ttas_unlock() */
	while (atomic_exchange_explicit(lock, 1, memory_order_acquire)) {
		waited = true;
		port_wait_until(!atomic_load_explicit(lock, memory_order_relaxed));
	}
	return waited;
}

/* Take it if it is free. Like all try forms here it returns whether it is held now. */
static inline bool ttas_try_lock(_Atomic uint32_t *lock)
{
	/* [ORD-ttas] acq: pairs with ttas_unlock() */
	return !atomic_load_explicit(lock, memory_order_relaxed) &&
	       !atomic_exchange_explicit(lock, 1, memory_order_acquire);
}

static inline void ttas_unlock(_Atomic uint32_t *lock)
{
	/* [ORD-ttas] rel: pairs with ttas_lock() */
	atomic_store_explicit(lock, 0, memory_order_release);
}

/* Initialise as held, before anybody else can see it. */
static inline void ttas_init_locked(_Atomic uint32_t *lock)
{
	atomic_store_explicit(lock, 1, memory_order_relaxed);
}

#endif
