/* SPDX-License-Identifier: MIT */
/*
 * Ticket lock: waiters are served in the order in which they came. `queue` is the next ticket,
 * `held` the one being served; they are equal when the lock is free. All-zero memory is free.
 *
 * Tickets count down, so that served 1, next 0 is a lock that is held and wanted by nobody: the
 * state that a lock of any kind is born in when it is born held (sync/nodelock.h).
 *
 * Only the low 32 bits of a ticket are compared. They are unambiguous: each thread waits for at most
 * one ticket of a lock, so fewer than 2^32 are out at a time, and both counters wrap alike.
 */
#ifndef PT_SYNC_TICKET_H
#define PT_SYNC_TICKET_H

#include "port.h"

/* Has the turn come of @ticket? */
static inline bool ticket_served(_Atomic uint32_t *held, uint32_t ticket)
{
	/* [ORD-ticket] acq: what the last holder wrote is visible; pairs with ticket_unlock() */
	return atomic_load_explicit(held, memory_order_acquire) == ticket;
}

static inline bool ticket_lock(_Atomic uint32_t *held, _Atomic uint64_t *queue)
{
	/* Relaxed: the ticket says who is next, `held` carries what holders wrote. */
	uint32_t mine = (uint32_t)atomic_fetch_sub_explicit(queue, 1, memory_order_relaxed);

	if (ticket_served(held, mine))
		return false;
	port_wait_until(ticket_served(held, mine));
	return true;
}

/*
 * A ticket once taken must be waited for, so it is taken only if its turn has come: no other has been
 * taken since, for all 64 bits count.
 */
static inline bool ticket_try_lock(_Atomic uint32_t *held, _Atomic uint64_t *queue)
{
	uint64_t mine = atomic_load_explicit(queue, memory_order_relaxed);

	return ticket_served(held, (uint32_t)mine) &&
	       atomic_compare_exchange_strong_explicit(queue, &mine, mine - 1, memory_order_relaxed,
						       memory_order_relaxed);
}

static inline void ticket_unlock(_Atomic uint32_t *held)
{
	uint32_t mine = atomic_load_explicit(held, memory_order_relaxed);

	/* [ORD-ticket] rel: pairs with ticket_served() */
	atomic_store_explicit(held, mine - 1, memory_order_release);
}

#endif
