/* SPDX-License-Identifier: MIT */
/*
 * Taking and giving back one lock, by one thread and by several that all want the same. The headers of
 * lib/sync are the library's own; only here something else includes them.
 */
#include "pin.h"
#include "suite.h"
#include "sync/mutex.h"
#include "sync/rwlock.h"
#include "sync/sharedlock.h"

/* Each alone in two cache lines, as prefetchers take them in pairs. */
union word {
	_Alignas(128) _Atomic uint32_t word;
	struct sharedlock shared;
};

#define LOCK(name, member, take, give)                                       \
	static union word name##_word;                                       \
	static void name##_pairs(struct bm_state *state, const void *unused) \
	{                                                                    \
		cpu_set_t before;                                            \
		uint64_t n;                                                  \
                                                                             \
		(void)unused;                                                \
		pin(bm_thread(state), &before);                              \
		for (n = bm_loop_begin(state, 1); n; n--) {                  \
			take(&name##_word.member);                           \
			give(&name##_word.member);                           \
		}                                                            \
		bm_loop_end(state);                                          \
		unpin(&before);                                              \
	}

LOCK(ttas, word, ttas_lock, ttas_unlock)
LOCK(shared_exclusive, shared, sharedlock_lock, sharedlock_unlock)
LOCK(shared_shared, shared, sharedlock_lock_shared, sharedlock_unlock_shared)
LOCK(mutex, word, mutex_lock, mutex_unlock)
LOCK(rwlock_write, word, rwlock_write_lock, rwlock_write_unlock)
LOCK(rwlock_read, word, rwlock_read_lock, rwlock_read_unlock)

void suite_locks(void)
{
	unsigned cpus = pin_cpus();

	suite_add(ttas_pairs, NULL, BM_THREAD, cpus, "lock/kind:ttas");
	suite_add(shared_exclusive_pairs, NULL, BM_THREAD, cpus, "lock/kind:sharedlock/mode:write");
	suite_add(shared_shared_pairs, NULL, BM_THREAD, cpus, "lock/kind:sharedlock/mode:read");
	suite_add(mutex_pairs, NULL, BM_THREAD, cpus, "lock/kind:mutex");
	suite_add(rwlock_write_pairs, NULL, BM_THREAD, cpus, "lock/kind:rwlock/mode:write");
	suite_add(rwlock_read_pairs, NULL, BM_THREAD, cpus, "lock/kind:rwlock/mode:read");
}
