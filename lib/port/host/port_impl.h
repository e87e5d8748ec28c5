/* SPDX-License-Identifier: MIT */
/*
 * The port to a Linux host: liburcu, mmap, futex. See port.h for the contract.
 *
 * liburcu 0.13 in its inlined form (_LGPL_SOURCE) costs a tenth of the calls into its library, but
 * ThreadSanitizer must see the calls, and needs to be told of the order that grace periods make,
 * because the library itself is not instrumented.
 */
#ifndef PT_PORT_HOST_H
#define PT_PORT_HOST_H

#if defined(__SANITIZE_THREAD__)
#define PORT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PORT_TSAN 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define PORT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PORT_ASAN 1
#endif
#endif

#ifndef PORT_TSAN
#define _LGPL_SOURCE
#endif

#if defined(PT_RCU_QSBR)
#include <urcu/urcu-qsbr.h>
#define PORT_RCU(name) urcu_qsbr_##name
#elif defined(PT_RCU_BP)
#include <urcu/urcu-bp.h>
#define PORT_RCU(name) urcu_bp_##name
#else
#include <urcu/urcu-memb.h>
#define PORT_RCU(name) urcu_memb_##name
#endif

#include <sched.h>

#ifdef PORT_ASAN
#include <sanitizer/asan_interface.h>
#endif

struct port_thread {
	char unused; /* liburcu keeps its readers in thread-local data of its own */
};

struct port_rcu_head {
	struct rcu_head rcu;
	port_rcu_fn fn;
};

#ifdef PORT_TSAN
/* Every read section's end happens before the end of every grace period that it delays. */
extern char port_tsan_readers;
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define PORT_READERS_LEAVE() __tsan_release(&port_tsan_readers)
#define PORT_READERS_GONE() __tsan_acquire(&port_tsan_readers)
#else
#define PORT_READERS_LEAVE() ((void)0)
#define PORT_READERS_GONE() ((void)0)
#endif

static inline void port_rcu_read_lock(struct port_thread *self)
{
	(void)self;
	PORT_RCU(read_lock)();
}

static inline void port_rcu_read_unlock(struct port_thread *self)
{
	(void)self;
	PORT_READERS_LEAVE();
	PORT_RCU(read_unlock)();
}

static inline void port_rcu_quiescent(struct port_thread *self)
{
	(void)self;
#ifdef PT_RCU_QSBR
	PORT_READERS_LEAVE();
	urcu_qsbr_quiescent_state();
#endif
}

#define PORT_SPINS 64

/* Give way: to the sibling hardware thread at first, then to other threads. */
static inline void port_relax(unsigned spins)
{
	if (spins >= PORT_SPINS)
		sched_yield();
#if defined(__x86_64__)
	else
		__builtin_ia32_pause();
#elif defined(__aarch64__)
	else
		__asm__ volatile("yield");
#endif
}

#define port_wait_until(cond)                                \
	do {                                                 \
		for (unsigned spins_ = 0; !(cond); spins_++) \
			port_relax(spins_);                  \
	} while (0)

static inline void port_poison(void *addr, size_t bytes)
{
#ifdef PORT_ASAN
	__asan_poison_memory_region(addr, bytes);
#else
	(void)addr;
	(void)bytes;
#endif
}

static inline void port_unpoison(void *addr, size_t bytes)
{
#ifdef PORT_ASAN
	__asan_unpoison_memory_region(addr, bytes);
#else
	(void)addr;
	(void)bytes;
#endif
}

static inline void port_describe(const char *name, void *base, size_t stride, size_t count)
{
	(void)name;
	(void)base;
	(void)stride;
	(void)count;
}

#endif
