/* SPDX-License-Identifier: MIT */
/*
 * Taking and giving back one lock, by one thread and by several that all want the same. The headers of
 * lib/sync are the library's own; only here something else includes them.
 */
#include "pin.h"
#include "suite.h"
#include "sync/mutex.h"
#include "sync/phasefair.h"
#include "sync/rwlock.h"
#include "sync/sharedlock.h"

/* Each alone in two cache lines, as prefetchers take them in pairs. */
union word {
	_Alignas(128) _Atomic uint32_t word;
	struct nodelock node;
	struct phasefair phasefair;
};

/* A node lock of one kind, as a writer and as a reader take it. */
#define NODE_LOCK(name, kind)                                      \
	static inline void name##_take(struct nodelock *lock)      \
	{                                                          \
		struct queued_waiter me;                           \
                                                                   \
		sharedlock_lock(lock, kind, &me);                  \
	}                                                          \
	static inline void name##_give(struct nodelock *lock)      \
	{                                                          \
		sharedlock_unlock(lock, kind);                     \
	}                                                          \
	static inline void name##_take_read(struct nodelock *lock) \
	{                                                          \
		struct queued_waiter me;                           \
                                                                   \
		sharedlock_lock_shared(lock, kind, &me);           \
	}                                                          \
	static inline void name##_give_read(struct nodelock *lock) \
	{                                                          \
		sharedlock_unlock_shared(lock, kind);              \
	}

NODE_LOCK(node_ttas, NODELOCK_TTAS)
NODE_LOCK(node_ticket, NODELOCK_TICKET)
NODE_LOCK(node_queued, NODELOCK_QUEUED)
NODE_LOCK(node_mutex, NODELOCK_MUTEX)

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
LOCK(shared_exclusive, node, node_ttas_take, node_ttas_give)
LOCK(shared_shared, node, node_ttas_take_read, node_ttas_give_read)
LOCK(ticket_exclusive, node, node_ticket_take, node_ticket_give)
LOCK(ticket_shared, node, node_ticket_take_read, node_ticket_give_read)
LOCK(queued_exclusive, node, node_queued_take, node_queued_give)
LOCK(queued_shared, node, node_queued_take_read, node_queued_give_read)
LOCK(mutex_exclusive, node, node_mutex_take, node_mutex_give)
LOCK(mutex_shared, node, node_mutex_take_read, node_mutex_give_read)
LOCK(phasefair_write, phasefair, phasefair_write_lock, phasefair_write_unlock)
LOCK(phasefair_read, phasefair, phasefair_read_lock, phasefair_read_unlock)
LOCK(mutex, word, mutex_lock, mutex_unlock)
LOCK(rwlock_write, word, rwlock_write_lock, rwlock_write_unlock)
LOCK(rwlock_read, word, rwlock_read_lock, rwlock_read_unlock)

void suite_locks(void)
{
	unsigned cpus = pin_cpus();

	suite_add(ttas_pairs, NULL, BM_THREAD, cpus, "lock/kind:ttas");
	suite_add(shared_exclusive_pairs, NULL, BM_THREAD, cpus, "lock/kind:sharedlock/mode:write");
	suite_add(shared_shared_pairs, NULL, BM_THREAD, cpus, "lock/kind:sharedlock/mode:read");
	suite_add(ticket_exclusive_pairs, NULL, BM_THREAD, cpus, "lock/kind:ticket/mode:write");
	suite_add(ticket_shared_pairs, NULL, BM_THREAD, cpus, "lock/kind:ticket/mode:read");
	suite_add(queued_exclusive_pairs, NULL, BM_THREAD, cpus, "lock/kind:queued/mode:write");
	suite_add(queued_shared_pairs, NULL, BM_THREAD, cpus, "lock/kind:queued/mode:read");
	suite_add(mutex_exclusive_pairs, NULL, BM_THREAD, cpus, "lock/kind:mutex/mode:write");
	suite_add(mutex_shared_pairs, NULL, BM_THREAD, cpus, "lock/kind:mutex/mode:read");
	suite_add(phasefair_write_pairs, NULL, BM_THREAD, cpus, "lock/kind:phasefair/mode:write");
	suite_add(phasefair_read_pairs, NULL, BM_THREAD, cpus, "lock/kind:phasefair/mode:read");
	suite_add(mutex_pairs, NULL, BM_THREAD, cpus, "lock/kind:mutex");
	suite_add(rwlock_write_pairs, NULL, BM_THREAD, cpus, "lock/kind:rwlock/mode:write");
	suite_add(rwlock_read_pairs, NULL, BM_THREAD, cpus, "lock/kind:rwlock/mode:read");
}
