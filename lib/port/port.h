/* SPDX-License-Identifier: MIT */
/*
 * What the library stands on. Two implementations of port_impl.h exist, found by include path:
 * host/ (liburcu, mmap, futex) and model/ (the schedule explorer). Nothing else in lib/ calls
 * liburcu, an allocator or the system, or has thread-local or mutable file-scope data.
 *
 * An implementation defines
 *   struct port_thread    what the port keeps for one registered thread; part of struct pt_thread
 *   struct port_rcu_head  at most 16 bytes, part of the metadata of a node
 * and the functions below, as functions or macros.
 */
#ifndef PT_PORT_H
#define PT_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is small when nothing must be waited for, and what is done when something must. */
#define PORT_INLINE inline __attribute__((always_inline))
#define PORT_COLD __attribute__((noinline))

struct port_thread;
/* ---- threads and RCU ---- */

/* The calling thread becomes, ceases to be, an RCU reader. */
void port_thread_register(struct port_thread *self);
void port_thread_unregister(struct port_thread *self);

/*
 * Read sections nest. What is reachable inside one is not freed before it ends.
 *   void port_rcu_read_lock(struct port_thread *self);
 *   void port_rcu_read_unlock(struct port_thread *self);
 *   void port_rcu_quiescent(struct port_thread *self);
 *
 * Ending a section may have to wake whoever waits for that, and so call the system. This does not,
 * and returns false if somebody should be woken: by port_rcu_wake() or the end of another section.
 *   bool port_rcu_read_unlock_quick(struct port_thread *self);
 *   void port_rcu_wake(struct port_thread *self);
 */

/* Wait for a grace period. Outside read sections, without locks. */
void port_rcu_synchronize(struct port_thread *self);

/*
 * Wait until all callbacks handed in before by any thread have run; @self is NULL when the calling
 * thread is not registered. Outside read sections, without locks.
 */
void port_rcu_barrier(struct port_thread *self);

/* ---- waiting ---- */

/*
 * port_wait_until(cond): evaluate @cond, which loads atomics, until it holds; spins, then yields.
 * The only way to spin. Usable with spinlocks held.
 */

/*
 * Sleep while *@word == @value; may return early. port_wake(word, n) wakes at most n sleepers.
 */
void port_sleep(_Atomic uint32_t *word, uint32_t value);
void port_wake(_Atomic uint32_t *word, unsigned n);

/* ---- memory ---- */

/* Reserve @bytes of address space, aligned to @align (a power of two); NULL when out of it. */
void *port_reserve(size_t bytes, size_t align);
void port_unreserve(void *addr, size_t bytes);

/* What the sizes and addresses of the next two must be multiples of; a power of two. */
size_t port_page_bytes(void);

/* Back a piece of reserved space by zeroed memory; 0 or a negative errno. */
int port_commit(void *addr, size_t bytes);
void port_decommit(void *addr, size_t bytes);

/* Small objects, zeroed, aligned to 64 bytes; NULL when out of memory. */
void *port_alloc(size_t bytes);
void port_free(void *object);

/* A number that no other call in this process returns; not 0. */
uint64_t port_unique(void);

/*
 * Whether the allocation at hand is to fail though there is memory: the explorer tries that. Costs
 * nothing elsewhere.
 *   bool port_alloc_fails(void);
 */

/*
 * Tell checkers (ASan, the explorer) that memory is, is no longer, free: any access to poisoned
 * memory is an error. Costs nothing elsewhere.
 *   void port_poison(void *addr, size_t bytes);
 *   void port_unpoison(void *addr, size_t bytes);
 */

/*
 * Tell the explorer that nobody ever reads what is written there, so that executions do not differ
 * by it. Costs nothing elsewhere.
 *   void port_ignore(void *addr, size_t bytes);
 */

/*
 * Tell the explorer where arrays of objects lie, so that it can name addresses: @count objects of
 * @stride bytes at @base, called @name. Costs nothing elsewhere.
 *   void port_describe(const char *name, void *base, size_t stride, size_t count);
 */

/* ---- points ---- */

/*
 * Where threads meet, for who runs the library to break it (PT_POINTS): a thread that gives way or is
 * late at such a point finds what others did meanwhile. What ships has none of it.
 */
enum port_point {
	PORT_POINT_SLOT, /* about to look at or change an entry that others see, or having done so */
	PORT_POINT_LOCK,    /* about to take */
	PORT_POINT_UNLOCK,  /* or to release a lock, or having done so */
	PORT_POINT_SECTION, /* a read section has begun, or is about to end */
	PORT_POINT_RETIRE,  /* about to ask for a grace period, or to wait for it */
	PORT_POINT_WAIT,    /* a condition does not hold yet */
	PORT_POINT_NODE,    /* about to take or to free node memory */
};

#ifdef PT_POINTS
void port_point(enum port_point point);
/* Memory of a node is free from now on: whatever is written there must not matter. */
void port_freed(void *memory, size_t bytes);
#else
static PORT_INLINE void port_point(enum port_point point)
{
	(void)point;
}

static PORT_INLINE void port_freed(void *memory, size_t bytes)
{
	(void)memory;
	(void)bytes;
}
#endif

#include "port_impl.h"

/*
 * Call @fn(@head) after a grace period, on a thread that holds nothing and must not block on
 * readers. Callable inside read sections and with locks held. The first thing that @fn does is
 * port_rcu_called(@head).
 */
typedef void (*port_rcu_fn)(struct port_rcu_head *head);
void port_rcu_call(struct port_thread *self, struct port_rcu_head *head, port_rcu_fn fn);

#endif
