/* SPDX-License-Identifier: MIT */
/*
 * A node lock that readers share: a reader takes the lock, counts itself in and releases it; an
 * exclusive holder keeps the lock and waits for the count to fall to zero. Both kinds queue on the
 * one lock, in whatever order it grants, so nodes locked in the same order stay free of deadlock.
 * A waiting writer keeps new readers out. All-zero memory is unlocked.
 *
 * The count is of threads, at most NODELOCK_READERS_MAX at a time: a pool registers no more.
 *
 * With a mutex a writer sleeps while it waits for readers. So their count is a word of its own, with a bit
 * for a sleeper in it: what a reader learns from the subtraction by which it leaves tells it whether to wake
 * somebody, and it touches the lock no more, which may be that of another table by then. The writer sleeps
 * on the value that it has made of the word. Nobody comes in meanwhile, since it has the mutex, and who
 * leaves changes the word; so it sleeps only while there are readers that have read its bit.
 */
#ifndef PT_SYNC_SHAREDLOCK_H
#define PT_SYNC_SHAREDLOCK_H

#include "nodelock.h"

#define SLEEPERS_READER 4u /* by which they count: see nodelock.h for why not by one */
#define SLEEPERS_WRITER 0x80000000u

static PORT_INLINE bool sharedlock_has_readers(struct nodelock *lock, enum nodelock_kind kind)
{
	if (kind == NODELOCK_MUTEX)
		/* [ORD-readers] acq: as below */
		return atomic_load_explicit(&lock->sleepers, memory_order_acquire);
	/* [ORD-readers] acq: what readers did came before; pairs with sharedlock_unlock_shared() */
	return atomic_load_explicit(&lock->readers, memory_order_acquire);
}

/* The same for who has taken a mutex. */
static inline void sharedlock_sleep_until_left(_Atomic uint32_t *sleepers)
{
	/* [ORD-readers] acq: as sharedlock_has_readers() */
	uint32_t seen = atomic_load_explicit(sleepers, memory_order_acquire);

	while (seen & ~SLEEPERS_WRITER) {
		uint32_t want = seen | SLEEPERS_WRITER;

		/* Relaxed: it only asks to be woken. */
		if (seen == want || atomic_compare_exchange_strong_explicit(sleepers, &seen, want,
									    memory_order_relaxed,
									    memory_order_relaxed))
			port_sleep(sleepers, want);
		/* [ORD-readers] acq: as sharedlock_has_readers() */
		seen = atomic_load_explicit(sleepers, memory_order_acquire);
	}
	/* Relaxed: the mutex orders it before whoever counts next. */
	atomic_store_explicit(sleepers, 0, memory_order_relaxed);
}

static PORT_COLD void sharedlock_wait_for_readers(struct nodelock *lock, enum nodelock_kind kind)
{
	if (kind == NODELOCK_MUTEX)
		sharedlock_sleep_until_left(&lock->sleepers);
	else
		port_wait_until(!sharedlock_has_readers(lock, kind));
}

static PORT_INLINE bool sharedlock_lock(struct nodelock *lock, enum nodelock_kind kind,
					struct queued_waiter *me)
{
	bool waited = nodelock_lock(lock, kind, me);

	if (__builtin_expect(!sharedlock_has_readers(lock, kind), 1))
		return waited;
	sharedlock_wait_for_readers(lock, kind);
	return true;
}

static PORT_INLINE bool sharedlock_try_lock(struct nodelock *lock, enum nodelock_kind kind)
{
	if (__builtin_expect(!nodelock_try_lock(lock, kind), 0))
		return false;
	if (__builtin_expect(!sharedlock_has_readers(lock, kind), 1))
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
	if (kind == NODELOCK_MUTEX)
		atomic_fetch_add_explicit(&lock->sleepers, SLEEPERS_READER, memory_order_relaxed);
	else
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

static inline void sharedlock_leave_sleepers(_Atomic uint32_t *sleepers)
{
	/* [ORD-readers] rel: pairs with sharedlock_lock() */
	uint32_t seen = atomic_fetch_sub_explicit(sleepers, SLEEPERS_READER, memory_order_release);

	if (seen == (SLEEPERS_WRITER | SLEEPERS_READER))
		port_wake(sleepers, 1);
}

static inline void sharedlock_unlock_shared(struct nodelock *lock, enum nodelock_kind kind)
{
	port_point(PORT_POINT_UNLOCK);
	if (kind == NODELOCK_MUTEX)
		sharedlock_leave_sleepers(&lock->sleepers);
	else
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
