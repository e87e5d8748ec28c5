/* SPDX-License-Identifier: MIT */
/*
 * rwlock: one sleeping reader/writer lock for the whole table, as Linux' mmap_lock before per-VMA
 * locks. Queries and read cursors share it; cursors that change take it exclusively.
 *
 * Invariants
 * A. Whoever changes metadata or a slot holds the lock exclusively; the hardware aside. Whoever
 *    reads metadata holds it at least shared.
 * B. Lock order: there is one lock in a table. A thread with a cursor open waits for no other
 *    (-EDEADLK); in particular no reader waits behind a writer that waits for it to leave.
 *
 * Publication and reclamation: as in mutex.h.
 *
 * Source: Linux mmap_lock (include/linux/mmap_lock.h), rw_semaphore with writer preference.
 */
#ifndef PT_STRATEGY_RWLOCK_H
#define PT_STRATEGY_RWLOCK_H

#include "sync/rwlock.h"

#define STRATEGY_NAME "rwlock"
#define STRATEGY_SUMMARY "one reader/writer lock for all, as Linux' mmap_lock"
#define STRATEGY_READERS_SHARE 1

static inline bool lock_table(_Atomic uint32_t *lock, bool shared)
{
	return shared ? rwlock_read_lock(lock) : rwlock_write_lock(lock);
}

static inline bool try_lock_table(_Atomic uint32_t *lock, bool shared)
{
	return shared ? rwlock_try_read_lock(lock) : rwlock_try_write_lock(lock);
}

static inline void unlock_table(_Atomic uint32_t *lock, bool shared)
{
	if (shared)
		rwlock_read_unlock(lock);
	else
		rwlock_write_unlock(lock);
}

#include "tablelock.h"

#endif
