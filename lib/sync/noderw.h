/* SPDX-License-Identifier: MIT */
/*
 * The reader/writer lock of a node, of the kind that its table was created with; the kind is passed in, as in
 * nodelock.h. It is one of two locks:
 *
 *   phase-fair  spins; readers and writers take turns (phasefair.h)
 *   pthread     sleeps; readers go before writers, as a pthread_rwlock_t has it unless told otherwise. It
 *               is the word of rwlock.h, for a pthread_rwlock_t takes 56 bytes, cannot be downgraded, and
 *               is not to be explored
 *
 * or BRAVO over one of these (bravo.h), which adds a way for readers that does not come here at all.
 *
 * All kinds share one state: all-zero is free.
 */
#ifndef PT_SYNC_NODERW_H
#define PT_SYNC_NODERW_H

#include "nodekind.h"
#include "phasefair.h"
#include "rwlock.h"

union noderw {
	struct phasefair fair;
	_Atomic uint32_t sleeping;
};

static PORT_INLINE bool noderw_sleeps(enum nodelock_kind kind)
{
	return kind == NODELOCK_PTHREAD || kind == NODELOCK_BRAVO_PTHREAD;
}

static PORT_INLINE bool noderw_has_bravo(enum nodelock_kind kind)
{
	return kind >= NODELOCK_BRAVO;
}

static PORT_INLINE bool noderw_read_lock(union noderw *lock, enum nodelock_kind kind)
{
	return __builtin_expect(noderw_sleeps(kind), 0) ? rwlock_read_lock_beside(&lock->sleeping)
							: phasefair_read_lock(&lock->fair);
}

static PORT_INLINE bool noderw_try_read_lock(union noderw *lock, enum nodelock_kind kind)
{
	return __builtin_expect(noderw_sleeps(kind), 0)
		       ? rwlock_try_read_lock_beside(&lock->sleeping)
		       : phasefair_try_read_lock(&lock->fair);
}

static PORT_INLINE void noderw_read_unlock(union noderw *lock, enum nodelock_kind kind)
{
	if (__builtin_expect(noderw_sleeps(kind), 0))
		rwlock_read_unlock(&lock->sleeping);
	else
		phasefair_read_unlock(&lock->fair);
}

static PORT_INLINE bool noderw_write_lock(union noderw *lock, enum nodelock_kind kind)
{
	return __builtin_expect(noderw_sleeps(kind), 0) ? rwlock_write_lock(&lock->sleeping)
							: phasefair_write_lock(&lock->fair);
}

static PORT_INLINE bool noderw_try_write_lock(union noderw *lock, enum nodelock_kind kind)
{
	return __builtin_expect(noderw_sleeps(kind), 0) ? rwlock_try_write_lock(&lock->sleeping)
							: phasefair_try_write_lock(&lock->fair);
}

static PORT_INLINE void noderw_write_unlock(union noderw *lock, enum nodelock_kind kind)
{
	if (__builtin_expect(noderw_sleeps(kind), 0))
		rwlock_write_unlock(&lock->sleeping);
	else
		phasefair_write_unlock(&lock->fair);
}

static inline void noderw_downgrade(union noderw *lock, enum nodelock_kind kind)
{
	if (noderw_sleeps(kind))
		rwlock_downgrade(&lock->sleeping);
	else
		phasefair_downgrade(&lock->fair);
}

/* Initialise as held by a writer, before anybody else can see it. The rest of it is zero. */
static inline void noderw_init_locked(union noderw *lock, enum nodelock_kind kind)
{
	if (noderw_sleeps(kind))
		rwlock_init_locked(&lock->sleeping);
	else
		phasefair_init_locked(&lock->fair);
}

/*
 * Without asking for the kind: where a lock of rwlock.h is held, the other reads tickets that differ, or
 * readers that have not left.
 */
static inline bool noderw_is_free(union noderw *lock)
{
	return phasefair_is_free(&lock->fair);
}

#endif
