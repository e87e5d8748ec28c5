/* SPDX-License-Identifier: MIT */
/*
 * A spinning reader/writer lock that is phase-fair: readers and writers take turns. A writer waits for
 * the readers that came before it, a reader for at most one writer; writers are served in the order in
 * which they came. All-zero memory is free.
 *
 * The word, from its lowest bit:
 *   SERVED   the ticket whose turn it is
 *   NEXT     the next ticket; as many writers have, or wait for, the lock as it is ahead of SERVED
 *   CARRY    what NEXT carries out when it goes through zero
 *   PRESENT  a writer has the lock, or waits only for readers; then
 *   PHASE    is the lowest bit of its ticket
 *   READER   the rest: readers that have come
 * `left` counts readers that have gone. Every change is one atomic addition, or an exchange that
 * expected the whole word, so each release is read by all that follow, whoever comes in between.
 *
 * 1. Only who has the ticket SERVED sets PRESENT and PHASE, and clears them, in the step in which it
 *    serves the next. So writers exclude each other.
 * 2. A reader is in at once if PRESENT is not set in the word to which it adds itself. A writer knows by
 *    the word to which it adds PRESENT how many have come before it, and has the lock when as many
 *    have gone. Readers that come later wait, and do not go before they were in: so `left` reaches that
 *    number only when nobody is in, and does not pass it.
 * 3. A reader that waits is in when PRESENT or PHASE has changed. The writer that it waits for clears
 *    PRESENT; should the reader not look before the next one sets it, then PHASE differs, for tickets in a
 *    row differ in their lowest bit; and that one waits for the reader, which has come before it, so
 *    there is no third.
 * 4. Who has the lock exclusively knows SERVED, PHASE and, by its ticket, whether it has made CARRY: only
 *    others' additions to NEXT and READER go on beside it. So it releases by adding a number. At most
 *    PHASEFAIR_THREADS use a lock at a time, so NEXT is never a whole round ahead, and CARRY is taken
 *    back, by whoever has the ticket that made it, long before it is made again.
 * 5. To downgrade is the same addition and one reader more: readers that wait are in together with it, and
 *    no writer comes first. There is no upgrade; two readers that wanted one would wait for one another.
 * 6. Who only tries to write enters when nobody is in, or not at all. A writer that entered, found readers and
 *    left again would be one that did not wait for those who wait for it, and 3 would not hold. That nobody is
 *    in it knows from `left` and a word that is still the same when it is exchanged: the same reader
 *    count, but for 2^29 readers who came in between.
 *
 * Source: Brandenburg and Anderson, Spin-based reader-writer synchronization for multiprocessor
 * real-time systems (Real-Time Systems 46, 2010), the ticket lock PF-T. Different here: tickets and
 * readers share a word, so that a lock nobody wants is taken and released by one operation each, and
 * there are downgrade and try forms.
 */
#ifndef PT_SYNC_PHASEFAIR_H
#define PT_SYNC_PHASEFAIR_H

#include "port.h"

#define PHASEFAIR_THREADS UINT16_MAX

#define PHASEFAIR_TICKETS UINT64_C(0xffff)
#define PHASEFAIR_NEXT UINT64_C(0x10000)
#define PHASEFAIR_CARRY UINT64_C(0x100000000)
#define PHASEFAIR_PRESENT UINT64_C(0x200000000)
#define PHASEFAIR_PHASE UINT64_C(0x400000000)
#define PHASEFAIR_READER UINT64_C(0x800000000)

struct phasefair {
	_Atomic uint64_t word;
	_Atomic uint32_t left;
	_Atomic uint16_t bias, slow; /* not its own: see bravo.h; they stand here to fill a gap */
};

static inline uint64_t phasefair_served(uint64_t word)
{
	return word & PHASEFAIR_TICKETS;
}

static inline uint64_t phasefair_next(uint64_t word)
{
	return word / PHASEFAIR_NEXT & PHASEFAIR_TICKETS;
}

/* What a writer with @ticket adds when its turn has come. */
static inline uint64_t phasefair_entry(uint64_t ticket)
{
	return PHASEFAIR_PRESENT + (ticket & 1) * PHASEFAIR_PHASE;
}

/* What the writer that has the lock adds to release it. */
static inline uint64_t phasefair_exit(struct phasefair *lock)
{
	uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
	uint64_t ticket = phasefair_served(word);
	uint64_t serve = ticket == PHASEFAIR_TICKETS ? -ticket - PHASEFAIR_CARRY : 1;

	return serve - phasefair_entry(ticket);
}

/* ---- readers ---- */

static PORT_COLD void phasefair_wait_for_writer(struct phasefair *lock, uint64_t seen)
{
	const uint64_t phase = PHASEFAIR_PRESENT | PHASEFAIR_PHASE;

	/* [ORD-phasefair] acq: pairs with phasefair_write_unlock(), phasefair_downgrade() */
	port_wait_until((atomic_load_explicit(&lock->word, memory_order_acquire) ^ seen) & phase);
}

/* Like all locks here, returns whether it had to wait. */
static PORT_INLINE bool phasefair_read_lock(struct phasefair *lock)
{
	uint64_t seen;

	port_point(PORT_POINT_LOCK);
	/* [ORD-phasefair] acq: pairs with phasefair_write_unlock(), phasefair_downgrade() */
	seen = atomic_fetch_add_explicit(&lock->word, PHASEFAIR_READER, memory_order_acquire);
	if (__builtin_expect(!(seen & PHASEFAIR_PRESENT), 1))
		return false;
	phasefair_wait_for_writer(lock, seen);
	return true;
}

/* A reader that has come must wait for its turn, so it comes only if it is its turn. */
static PORT_INLINE bool phasefair_try_read_lock(struct phasefair *lock)
{
	uint64_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);

	port_point(PORT_POINT_LOCK);
	while (__builtin_expect(!(seen & PHASEFAIR_PRESENT), 1))
		/* [ORD-phasefair] acq: as phasefair_read_lock() */
		if (atomic_compare_exchange_weak_explicit(
			    &lock->word, &seen, seen + PHASEFAIR_READER, memory_order_acquire,
			    memory_order_relaxed))
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
	uint64_t left = atomic_load_explicit(&lock->left, memory_order_acquire);

	return left * PHASEFAIR_READER == (seen & -PHASEFAIR_READER);
}

/* Is there a writer, or one that waits? */
static inline bool phasefair_has_writer(uint64_t seen)
{
	return phasefair_served(seen) != phasefair_next(seen);
}

/* Take a ticket and enter, in one step, if the word is still what was @seen, without a writer. */
static PORT_INLINE bool phasefair_enter(struct phasefair *lock, uint64_t seen)
{
	uint64_t entered = seen + PHASEFAIR_NEXT + phasefair_entry(phasefair_next(seen));

	/* [ORD-phasefair] acq: what the last writer wrote is visible; pairs with its release */
	return atomic_compare_exchange_strong_explicit(&lock->word, &seen, entered,
						       memory_order_acquire, memory_order_relaxed);
}

static PORT_COLD void phasefair_wait_for_readers(struct phasefair *lock, uint64_t seen)
{
	port_wait_until(phasefair_readers_left(lock, seen));
}

/* Is it the turn of @ticket? */
static inline bool phasefair_is_served(struct phasefair *lock, uint64_t ticket)
{
	/* [ORD-phasefair] acq: pairs with phasefair_write_unlock(), phasefair_downgrade() */
	return phasefair_served(atomic_load_explicit(&lock->word, memory_order_acquire)) == ticket;
}

static PORT_COLD void phasefair_queue(struct phasefair *lock)
{
	/* Relaxed: a ticket says who is next; what others wrote comes with the turn. */
	uint64_t seen =
		atomic_fetch_add_explicit(&lock->word, PHASEFAIR_NEXT, memory_order_relaxed);
	uint64_t ticket = phasefair_next(seen);

	port_wait_until(phasefair_is_served(lock, ticket));
	/* Relaxed: by now this is the only writer, and readers are waited for by `left`. */
	seen = atomic_fetch_add_explicit(&lock->word, phasefair_entry(ticket),
					 memory_order_relaxed);
	port_wait_until(phasefair_readers_left(lock, seen));
}

static PORT_INLINE bool phasefair_write_lock(struct phasefair *lock)
{
	uint64_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);

	port_point(PORT_POINT_LOCK);
	if (__builtin_expect(phasefair_has_writer(seen) || !phasefair_enter(lock, seen), 0)) {
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
	uint64_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);

	port_point(PORT_POINT_LOCK);
	return !phasefair_has_writer(seen) && phasefair_readers_left(lock, seen) &&
	       phasefair_enter(lock, seen);
}

static PORT_INLINE void phasefair_write_unlock(struct phasefair *lock)
{
	port_point(PORT_POINT_UNLOCK);
	/* [ORD-phasefair] rel: pairs with all that come in, readers and writers */
	atomic_fetch_add_explicit(&lock->word, phasefair_exit(lock), memory_order_release);
	port_point(PORT_POINT_UNLOCK);
}

/* The writer becomes a reader, and no other writer comes in between. */
static PORT_INLINE void phasefair_downgrade(struct phasefair *lock)
{
	port_point(PORT_POINT_UNLOCK);
	/* [ORD-phasefair] rel: pairs with the readers that come in; later writers: [ORD-left] */
	atomic_fetch_add_explicit(&lock->word, phasefair_exit(lock) + PHASEFAIR_READER,
				  memory_order_release);
	port_point(PORT_POINT_UNLOCK);
}

/* Initialise as held by a writer, before anybody else can see it. The rest of it is zero. */
static inline void phasefair_init_locked(struct phasefair *lock)
{
	atomic_store_explicit(&lock->word, PHASEFAIR_NEXT + phasefair_entry(0),
			      memory_order_relaxed);
}

static inline bool phasefair_is_free(struct phasefair *lock)
{
	uint64_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);

	return !phasefair_has_writer(word) && phasefair_readers_left(lock, word);
}

#endif
