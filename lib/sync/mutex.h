/* SPDX-License-Identifier: MIT */
/*
 * A sleeping mutex of one word: 0 free, 1 held, 2 held and perhaps waited for. The three-state
 * algorithm of U. Drepper, "Futexes Are Tricky", section 6. It does not spin, as glibc's default
 * mutex does not.
 */
#ifndef PT_SYNC_MUTEX_H
#define PT_SYNC_MUTEX_H

#include "port.h"

enum { MUTEX_FREE, MUTEX_HELD, MUTEX_WAITED };

static inline bool mutex_try_lock(_Atomic uint32_t *mutex)
{
	uint32_t seen = MUTEX_FREE;

	port_point(PORT_POINT_LOCK);
	/* [ORD-mutex] acq: pairs with mutex_unlock() */
	return atomic_compare_exchange_strong_explicit(mutex, &seen, MUTEX_HELD,
						       memory_order_acquire, memory_order_relaxed);
}

static inline bool mutex_lock(_Atomic uint32_t *mutex)
{
	if (mutex_try_lock(mutex))
		return false;
	/*
	 * Whoever sleeps leaves WAITED behind, and whoever wakes takes the mutex as WAITED, because
	 * there may be more sleepers.
	 * [ORD-mutex] acq: pairs with mutex_unlock()
	 */
	while (atomic_exchange_explicit(mutex, MUTEX_WAITED, memory_order_acquire) != MUTEX_FREE)
		port_sleep(mutex, MUTEX_WAITED);
	return true;
}

static inline void mutex_unlock(_Atomic uint32_t *mutex)
{
	port_point(PORT_POINT_UNLOCK);
	/* [ORD-mutex] rel: pairs with mutex_lock() */
	if (atomic_exchange_explicit(mutex, MUTEX_FREE, memory_order_release) == MUTEX_WAITED)
		port_wake(mutex, 1);
	port_point(PORT_POINT_UNLOCK);
}

#endif
