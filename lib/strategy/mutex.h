/* SPDX-License-Identifier: MIT */
/*
 * mutex: one sleeping mutex for the whole table. Cursors and queries of every kind exclude one
 * another.
 *
 * Invariants
 * A. Whoever reads or changes metadata, or changes a slot, holds the mutex; the hardware aside.
 * B. Lock order: there is one lock in a table. A thread with a cursor open waits for no other
 *    (-EDEADLK); it may only try.
 *
 * Publication: queries are ordered by the mutex. pt_walk() is not: it loads slots with acquire
 * while slots are stored with release [ORD-publish], so it sees nodes complete.
 *
 * Reclamation: pt_walk() runs in an RCU read section, and unlinked nodes wait for a grace period
 * after the flush (R1). A query holds the mutex, so no node on its path is unlinked meanwhile.
 *
 * Source: the giant lock of early kernels; here as the lower bound of concurrency.
 */
#ifndef PT_STRATEGY_MUTEX_H
#define PT_STRATEGY_MUTEX_H

#include "sync/mutex.h"

#define STRATEGY_NAME "mutex"
#define STRATEGY_SUMMARY "one mutex for all"
#define STRATEGY_READERS_SHARE 0

static inline bool lock_table(_Atomic uint32_t *lock, bool shared)
{
	(void)shared;
	return mutex_lock(lock);
}

static inline bool try_lock_table(_Atomic uint32_t *lock, bool shared)
{
	(void)shared;
	return mutex_try_lock(lock);
}

static inline void unlock_table(_Atomic uint32_t *lock, bool shared)
{
	(void)shared;
	mutex_unlock(lock);
}

#include "tablelock.h"

#endif
