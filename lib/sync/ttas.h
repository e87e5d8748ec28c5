/* SPDX-License-Identifier: MIT */
/*
 * Test-and-test-and-set spinlock: one word, 0 free, 1 held. Waiters read only until it looks free.
 * Unfair; the cheapest lock when contention is rare. All-zero memory is an unlocked lock.
 */
#ifndef PT_SYNC_TTAS_H
#define PT_SYNC_TTAS_H

#include "port.h"

/* Take it if it is free. Like all try forms here it returns whether it is held now. */
static PORT_INLINE bool ttas_try_lock(_Atomic uint32_t *lock)
{
	/* [ORD-ttas] acq: what the last holder wrote is visible; pairs with ttas_unlock() */
	return !atomic_exchange_explicit(lock, 1, memory_order_acquire);
}

static PORT_COLD void ttas_wait(_Atomic uint32_t *lock)
{
	do
		port_wait_until(!atomic_load_explicit(lock, memory_order_relaxed));
	while (!ttas_try_lock(lock));
}

/* Like all locks here, returns whether it had to wait. */
static PORT_INLINE bool ttas_lock(_Atomic uint32_t *lock)
{
	if (__builtin_expect(ttas_try_lock(lock), 1))
		return false;
	ttas_wait(lock);
	return true;
}

static PORT_INLINE void ttas_unlock(_Atomic uint32_t *lock)
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
