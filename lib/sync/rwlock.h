/* SPDX-License-Identifier: MIT */
/*
 * A sleeping reader/writer lock of one word that prefers writers, in the manner of Linux'
 * rw_semaphore. The word counts readers and has three flags:
 *
 *   WRITER       a writer holds it; then the count is 0
 *   WAITERS      somebody sleeps on the word
 *   WRITER_WAITS a writer sleeps; new readers wait too, so that readers cannot starve writers
 *
 * Whoever frees the lock clears the flags and wakes all; the woken compete again. Waiters set their
 * flags in the word they then sleep on, so a change in between makes the sleep return at once, and
 * no wake-up is lost. All-zero memory is a free lock.
 */
#ifndef PT_SYNC_RWLOCK_H
#define PT_SYNC_RWLOCK_H

#include "port.h"

#define RWLOCK_WRITER 0x80000000u
#define RWLOCK_WAITERS 0x40000000u
#define RWLOCK_WRITER_WAITS 0x20000000u
#define RWLOCK_READERS 0x1fffffffu
#define RWLOCK_WRITERS (RWLOCK_WRITER | RWLOCK_WRITER_WAITS)

/* Leave @flags in the word, unless it has changed since it was @seen, and sleep on it. */
static inline void rwlock_wait(_Atomic uint32_t *lock, uint32_t seen, uint32_t flags)
{
	uint32_t want = seen | flags;

	if (seen == want || atomic_compare_exchange_strong_explicit(
				    lock, &seen, want, memory_order_relaxed, memory_order_relaxed))
		port_sleep(lock, want);
}

/*
 * A reader comes in unless one of @flags is set: RWLOCK_WRITERS, or RWLOCK_WRITER if readers are to go before
 * writers that wait, who then may starve. Both try forms give way to waiters as the others do, and look again
 * only when the word changed.
 */
static inline bool rwlock_try_read_lock_unless(_Atomic uint32_t *lock, uint32_t flags)
{
	uint32_t seen = atomic_load_explicit(lock, memory_order_relaxed);

	port_point(PORT_POINT_LOCK);
	while (!(seen & flags))
		/* [ORD-rwlock] acq: pairs with rwlock_write_unlock() */
		if (atomic_compare_exchange_weak_explicit(
			    lock, &seen, seen + 1, memory_order_acquire, memory_order_relaxed))
			return true;
	return false;
}

static inline bool rwlock_try_write_lock(_Atomic uint32_t *lock)
{
	uint32_t seen = atomic_load_explicit(lock, memory_order_relaxed);

	port_point(PORT_POINT_LOCK);
	while (!(seen & (RWLOCK_WRITER | RWLOCK_READERS)))
		/* [ORD-rwlock] acq: pairs with rwlock_read_unlock(), rwlock_write_unlock() */
		if (atomic_compare_exchange_weak_explicit(lock, &seen, seen | RWLOCK_WRITER,
							  memory_order_acquire,
							  memory_order_relaxed))
			return true;
	return false;
}

static inline bool rwlock_read_lock_unless(_Atomic uint32_t *lock, uint32_t flags)
{
	port_point(PORT_POINT_LOCK);
	bool waited = false;

	for (;;) {
		uint32_t seen = atomic_load_explicit(lock, memory_order_relaxed);

		if (seen & flags) {
			waited = true;
			rwlock_wait(lock, seen, RWLOCK_WAITERS);
		}
		/* [ORD-rwlock] acq: pairs with rwlock_write_unlock() */
		else if (atomic_compare_exchange_weak_explicit(
				 lock, &seen, seen + 1, memory_order_acquire, memory_order_relaxed))
			return waited;
	}
}

static inline bool rwlock_try_read_lock(_Atomic uint32_t *lock)
{
	return rwlock_try_read_lock_unless(lock, RWLOCK_WRITERS);
}

static inline bool rwlock_read_lock(_Atomic uint32_t *lock)
{
	return rwlock_read_lock_unless(lock, RWLOCK_WRITERS);
}

/* Beside writers that wait. */
static inline bool rwlock_try_read_lock_beside(_Atomic uint32_t *lock)
{
	return rwlock_try_read_lock_unless(lock, RWLOCK_WRITER);
}

static inline bool rwlock_read_lock_beside(_Atomic uint32_t *lock)
{
	return rwlock_read_lock_unless(lock, RWLOCK_WRITER);
}

static inline bool rwlock_write_lock(_Atomic uint32_t *lock)
{
	port_point(PORT_POINT_LOCK);
	bool waited = false;

	for (;;) {
		uint32_t seen = atomic_load_explicit(lock, memory_order_relaxed);

		if (seen & (RWLOCK_WRITER | RWLOCK_READERS)) {
			waited = true;
			rwlock_wait(lock, seen, RWLOCK_WAITERS | RWLOCK_WRITER_WAITS);
		}
		/* [ORD-rwlock] acq: pairs with rwlock_read_unlock(), rwlock_write_unlock() */
		else if (atomic_compare_exchange_weak_explicit(lock, &seen, seen | RWLOCK_WRITER,
							       memory_order_acquire,
							       memory_order_relaxed))
			return waited;
	}
}

/*
 * As rwlock_write_lock(), for who no longer wants the lock when a holder has set *@served. Return: has
 * it? A holder who came between may make it sleep longer than it need, but not for ever.
 */
static inline bool rwlock_write_lock_unless(_Atomic uint32_t *lock, _Atomic uint32_t *served)
{
	port_point(PORT_POINT_LOCK);
	for (;;) {
		uint32_t seen = atomic_load_explicit(lock, memory_order_relaxed);

		/* [ORD-served] acq: what was done on its behalf; pairs with who sets it */
		if (atomic_load_explicit(served, memory_order_acquire))
			return false;
		if (seen & (RWLOCK_WRITER | RWLOCK_READERS))
			rwlock_wait(lock, seen, RWLOCK_WAITERS | RWLOCK_WRITER_WAITS);
		/* [ORD-rwlock] acq: pairs with rwlock_read_unlock(), rwlock_write_unlock() */
		else if (atomic_compare_exchange_weak_explicit(lock, &seen, seen | RWLOCK_WRITER,
							       memory_order_acquire,
							       memory_order_relaxed))
			return true;
	}
}

static inline void rwlock_read_unlock(_Atomic uint32_t *lock)
{
	uint32_t left;

	port_point(PORT_POINT_UNLOCK);
	/* [ORD-rwlock] rel: pairs with rwlock_write_lock() */
	left = atomic_fetch_sub_explicit(lock, 1, memory_order_release) - 1;

	/* The last reader wakes; somebody who gets in first will do it instead. */
	while ((left & RWLOCK_WAITERS) && !(left & (RWLOCK_WRITER | RWLOCK_READERS)))
		/* [ORD-rwlock] rel: the word keeps carrying what readers did */
		if (atomic_compare_exchange_weak_explicit(lock, &left, 0, memory_order_release,
							  memory_order_relaxed)) {
			port_wake(lock, UINT32_MAX);
			return;
		}
}

static inline void rwlock_write_unlock(_Atomic uint32_t *lock)
{
	port_point(PORT_POINT_UNLOCK);
	/* [ORD-rwlock] rel: pairs with rwlock_read_lock(), rwlock_write_lock() */
	if (atomic_exchange_explicit(lock, 0, memory_order_release) & RWLOCK_WAITERS)
		port_wake(lock, UINT32_MAX);
	port_point(PORT_POINT_UNLOCK);
}

/* The writer becomes a reader; others may come in with it, and no writer before it. */
static inline void rwlock_downgrade(_Atomic uint32_t *lock)
{
	port_point(PORT_POINT_UNLOCK);
	/* [ORD-rwlock] rel: pairs with the readers that come in, and later writers */
	if (atomic_exchange_explicit(lock, 1, memory_order_release) & RWLOCK_WAITERS)
		port_wake(lock, UINT32_MAX);
	port_point(PORT_POINT_UNLOCK);
}

/* Initialise as held by a writer, before anybody else can see it. */
static inline void rwlock_init_locked(_Atomic uint32_t *lock)
{
	atomic_store_explicit(lock, RWLOCK_WRITER, memory_order_relaxed);
}

#endif
