/* SPDX-License-Identifier: MIT */
/*
 * A spinning reader/writer lock that is phase-fair: readers and writers take turns. A writer waits for
 * the readers that came before it, a reader for at most one writer; writers are served in the order in
 * which they came. All-zero memory is free.
 *
 * `served` is how many writers have come and gone: the ticket whose turn it is. Only who has that ticket stores
 * to it. `left` counts readers that have gone. The word, from its lowest bit:
 *   NEXT     the next ticket; as many writers have, or wait for, the lock as it is ahead of `served`
 *   CARRY    what NEXT carries out when it goes through zero
 *   ENTERED  the lowest bit of how many writers have had their turn, which a writer changes as its begins
 *   READER   the rest: readers that have come
 *
 * 1. A ticket has its turn when `served` says so, and ends it by the store that serves the next. So writers
 *    exclude each other.
 * 2. A writer is present from when it has changed ENTERED until it has stored to `served`: meanwhile the lowest
 *    bits of the two differ, for it changes one of them and then the other. By the word in which it changes
 *    ENTERED it knows how many readers have come before; it has the lock when as many have gone.
 * 3. A reader adds itself to the word, and then reads `served`. It knows of what the writer knew that has changed
 *    ENTERED last, so it reads that writer's ticket or the next; not a later one, whose writer would have come
 *    after it and wait for it. If the lowest bit agrees with ENTERED, nobody is present that does not wait for
 *    it, and it is in. Else it waits until `served` changes; the next writer comes after it.
 *    Readers that wait do not go before they were in: so `left` reaches a writer's number only when nobody is
 *    in, and does not pass it.
 * 4. A lock that nobody wants is taken by an exchange of the word as it was seen, which takes the ticket and
 *    begins its turn, and given back by a store. That nobody had it is known from `served`, read before, and
 *    from the word, which has not changed since: the same tickets and readers, but for 2^30 writers and
 *    2^32 readers who came in between.
 * 5. Who queues takes a ticket by an addition. NEXT's carry goes no further than CARRY, and who has made it takes
 *    it back at once.
 * 6. To downgrade is to come as a reader and then to serve the next: it finds one reader more. There is no
 *    upgrade; two readers that wanted one would wait for one another.
 * 7. Who only tries to write looks first, and enters when nobody is in, or not at all.
 *
 * Readers are counted in 16 bits of `left`: no more threads than that use a lock at a time.
 *
 * Source: Brandenburg and Anderson, Spin-based reader-writer synchronization for multiprocessor
 * real-time systems (Real-Time Systems 46, 2010), the ticket lock PF-T. Different here: tickets and
 * readers share a word, so that a lock nobody wants is taken by one operation; a writer's end is a store, for it
 * is told from the turn's beginning by a bit in each of two words; and there are downgrade and try forms.
 */
#ifndef PT_SYNC_PHASEFAIR_H
#define PT_SYNC_PHASEFAIR_H

#include "port.h"

#define PHASEFAIR_THREADS UINT16_MAX

#define PHASEFAIR_TICKETS UINT32_C(0x3fffffff)
#define PHASEFAIR_CARRY UINT64_C(0x40000000)
#define PHASEFAIR_ENTERED UINT64_C(0x80000000)
#define PHASEFAIR_READER UINT64_C(0x100000000)

struct phasefair {
	_Atomic uint64_t word;
	_Atomic uint32_t served;
	_Atomic uint16_t left;
	_Atomic uint8_t bias, slow; /* not its own: see bravo.h; they stand here to fill a gap */
};

static inline uint32_t phasefair_next(uint64_t word)
{
	return (uint32_t)word & PHASEFAIR_TICKETS;
}

static inline uint32_t phasefair_after(uint32_t ticket)
{
	return (ticket + 1) & PHASEFAIR_TICKETS;
}

static PORT_INLINE uint32_t phasefair_served(struct phasefair *lock)
{
	/* [ORD-phasefair] acq: what writers did came before; pairs with phasefair_serve() */
	return atomic_load_explicit(&lock->served, memory_order_acquire);
}

/* Is there a writer whose turn has begun, by @seen, and has not ended, by @served, read later? */
static PORT_INLINE bool phasefair_present(uint64_t seen, uint32_t served)
{
	return ((seen & PHASEFAIR_ENTERED) != 0) != (served & 1);
}

/* ---- readers ---- */

static PORT_COLD void phasefair_wait_for_writer(struct phasefair *lock, uint32_t served)
{
	port_wait_until(phasefair_served(lock) != served);
}

/* Like all locks here, returns whether it had to wait. */
static PORT_INLINE bool phasefair_read_lock(struct phasefair *lock)
{
	uint32_t served;
	uint64_t seen;

	port_point(PORT_POINT_LOCK);
	/* [ORD-entered] acq: what the writer knew of `served`; pairs with phasefair_begin_turn() */
	seen = atomic_fetch_add_explicit(&lock->word, PHASEFAIR_READER, memory_order_acquire);
	served = phasefair_served(lock);
	if (__builtin_expect(!phasefair_present(seen, served), 1))
		return false;
	phasefair_wait_for_writer(lock, served);
	return true;
}

/* A reader that has come must wait for its turn, so it comes only if it is its turn. */
static PORT_INLINE bool phasefair_try_read_lock(struct phasefair *lock)
{
	/* [ORD-entered] acq: as phasefair_read_lock() */
	uint64_t seen = atomic_load_explicit(&lock->word, memory_order_acquire);

	port_point(PORT_POINT_LOCK);
	while (__builtin_expect(!phasefair_present(seen, phasefair_served(lock)), 1))
		/* [ORD-entered] acq: as phasefair_read_lock() */
		if (atomic_compare_exchange_weak_explicit(
			    &lock->word, &seen, seen + PHASEFAIR_READER, memory_order_acquire,
			    memory_order_acquire))
			return true;
	return false;
}

static PORT_INLINE void phasefair_read_unlock(struct phasefair *lock)
{
	port_point(PORT_POINT_UNLOCK);
	/* [ORD-left] rel: what readers did came before; pairs with phasefair_readers_left() */
	atomic_fetch_add_explicit(&lock->left, 1, memory_order_release);
	port_point(PORT_POINT_UNLOCK);
}

/* ---- writers ---- */

/* Have the readers gone that have come to the word @seen? */
static PORT_INLINE bool phasefair_readers_left(struct phasefair *lock, uint64_t seen)
{
	/* [ORD-left] acq: pairs with phasefair_read_unlock() */
	return atomic_load_explicit(&lock->left, memory_order_acquire) ==
	       (uint16_t)(seen / PHASEFAIR_READER);
}

static PORT_COLD void phasefair_wait_for_readers(struct phasefair *lock, uint64_t seen)
{
	port_wait_until(phasefair_readers_left(lock, seen));
}

/* Take a ticket and begin its turn, in one step, if the word is still what was @seen, without a writer. */
static PORT_INLINE bool phasefair_enter(struct phasefair *lock, uint64_t seen)
{
	uint64_t entered =
		((seen & ~(uint64_t)PHASEFAIR_TICKETS) | phasefair_after(phasefair_next(seen))) ^
		PHASEFAIR_ENTERED;

	/* [ORD-entered] rel: what `served` was is known to who comes now; pairs with readers */
	return atomic_compare_exchange_strong_explicit(&lock->word, &seen, entered,
						       memory_order_release, memory_order_relaxed);
}

/* The turn of @ticket has come: begin it. Return: the word, with the readers that have come before. */
static inline uint64_t phasefair_begin_turn(struct phasefair *lock, uint32_t ticket)
{
	/* Of an even ticket the bit is not set, and nobody else changes it now. */
	uint64_t change = ticket & 1 ? -PHASEFAIR_ENTERED : PHASEFAIR_ENTERED;

	/* [ORD-entered] rel: as phasefair_enter() */
	return atomic_fetch_add_explicit(&lock->word, change, memory_order_release);
}

static PORT_COLD void phasefair_queue(struct phasefair *lock)
{
	/* Relaxed: a ticket says who is next; what others wrote comes with the turn. */
	uint64_t seen = atomic_fetch_add_explicit(&lock->word, 1, memory_order_relaxed);
	uint32_t ticket = phasefair_next(seen);

	if (ticket == PHASEFAIR_TICKETS)
		/* Relaxed: nobody reads it. */
		atomic_fetch_sub_explicit(&lock->word, PHASEFAIR_CARRY, memory_order_relaxed);
	port_wait_until(phasefair_served(lock) == ticket);
	seen = phasefair_begin_turn(lock, ticket);
	port_wait_until(phasefair_readers_left(lock, seen));
}

static PORT_INLINE bool phasefair_write_lock(struct phasefair *lock)
{
	uint32_t served = phasefair_served(lock);
	uint64_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);

	port_point(PORT_POINT_LOCK);
	if (__builtin_expect(phasefair_next(seen) != served || !phasefair_enter(lock, seen), 0)) {
		phasefair_queue(lock);
		return true;
	}
	if (__builtin_expect(phasefair_readers_left(lock, seen), 1))
		return false;
	phasefair_wait_for_readers(lock, seen);
	return true;
}

static PORT_INLINE bool phasefair_try_write_lock(struct phasefair *lock)
{
	uint32_t served = phasefair_served(lock);
	uint64_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);

	port_point(PORT_POINT_LOCK);
	return phasefair_next(seen) == served && phasefair_readers_left(lock, seen) &&
	       phasefair_enter(lock, seen);
}

/* End the turn of the writer that has the lock. */
static PORT_INLINE void phasefair_serve(struct phasefair *lock)
{
	/* Relaxed: nobody else stores to it now. */
	uint32_t ticket = atomic_load_explicit(&lock->served, memory_order_relaxed);

	/* [ORD-phasefair] rel: pairs with all that come in, readers and writers */
	atomic_store_explicit(&lock->served, phasefair_after(ticket), memory_order_release);
}

static PORT_INLINE void phasefair_write_unlock(struct phasefair *lock)
{
	port_point(PORT_POINT_UNLOCK);
	phasefair_serve(lock);
	port_point(PORT_POINT_UNLOCK);
}

/* The writer becomes a reader, and no other writer comes in between. */
static PORT_INLINE void phasefair_downgrade(struct phasefair *lock)
{
	port_point(PORT_POINT_UNLOCK);
	/* Relaxed: the next writer's turn begins after the store that serves it. */
	atomic_fetch_add_explicit(&lock->word, PHASEFAIR_READER, memory_order_relaxed);
	phasefair_serve(lock);
	port_point(PORT_POINT_UNLOCK);
}

/* Initialise as held by a writer, before anybody else can see it. The rest of it is zero. */
static inline void phasefair_init_locked(struct phasefair *lock)
{
	atomic_store_explicit(&lock->word, 1 + PHASEFAIR_ENTERED, memory_order_relaxed);
}

static inline bool phasefair_is_free(struct phasefair *lock)
{
	uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

	return phasefair_next(word) == phasefair_served(lock) &&
	       !phasefair_present(word, phasefair_served(lock)) &&
	       phasefair_readers_left(lock, word);
}

#endif
