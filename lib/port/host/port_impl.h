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

/*
 * liburcu keeps its readers in thread-local data, which inlined code finds anew at each access. The
 * port of `memb` therefore enters and leaves read sections by itself, through a reference to the
 * thread's reader, in the words that liburcu has its users inline: reader and counter have the
 * layout of its headers for the lifetime of a soname.
 */
#if !defined(PORT_TSAN) && !defined(PT_RCU_QSBR) && !defined(PT_RCU_BP)
#define PORT_OWN_READ_SECTION 1
#endif

struct port_thread {
#ifdef PORT_OWN_READ_SECTION
	struct urcu_reader *reader;
	bool fences; /* the kernel has no membarrier: readers order their accesses themselves */
#else
	char unused;
#endif
};

/* As liburcu calls back with what it was given, there is no room needed for ours beside it. */
#define port_rcu_head rcu_head

#ifdef PORT_TSAN
/* Every read section's end happens before the end of every grace period that it delays. */
extern char port_tsan_readers;
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
#define PORT_READERS_LEAVE() __tsan_release(&port_tsan_readers)
#define PORT_READERS_GONE() __tsan_acquire(&port_tsan_readers)
#define port_rcu_called(head) (__tsan_acquire(head), PORT_READERS_GONE())
#else
#define PORT_READERS_LEAVE() ((void)0)
#define PORT_READERS_GONE() ((void)0)
#define port_rcu_called(head) ((void)(head))
#endif

#ifdef PORT_OWN_READ_SECTION
/*
 * A section begins when the reader shows the count of grace periods it saw, and ends when its count
 * of nested sections falls to zero. Grace periods see these stores in order because they make each
 * thread execute a barrier, by membarrier; the reader only keeps the compiler from moving them.
 * Without membarrier the reader executes it.
 */
static PORT_INLINE void port_rcu_read_lock(struct port_thread *self)
{
	struct urcu_reader *reader = self->reader;
	unsigned long seen = reader->ctr;

	if (__builtin_expect(seen & URCU_GP_CTR_NEST_MASK, 0)) {
		CMM_STORE_SHARED(reader->ctr, seen + URCU_GP_COUNT);
		return;
	}
	CMM_STORE_SHARED(reader->ctr, CMM_LOAD_SHARED(urcu_memb_gp.ctr));
	cmm_barrier();
	if (__builtin_expect(self->fences, 0))
		cmm_smp_mb();
	port_point(PORT_POINT_SECTION);
}

static PORT_INLINE bool port_rcu_read_unlock_quick(struct port_thread *self)
{
	struct urcu_reader *reader = self->reader;
	unsigned long left = reader->ctr - URCU_GP_COUNT;

	port_point(PORT_POINT_SECTION);
	if (__builtin_expect(self->fences, 0)) {
		cmm_smp_mb();
		CMM_STORE_SHARED(reader->ctr, left);
		cmm_smp_mb();
	} else {
		cmm_barrier();
		CMM_STORE_SHARED(reader->ctr, left);
		cmm_barrier();
	}
	/* Who ends a nested section may look in vain. */
	return __builtin_expect(uatomic_read(&urcu_memb_gp.futex) != -1, 1);
}

static inline void port_rcu_wake(struct port_thread *self)
{
	(void)self;
	urcu_common_wake_up_gp(&urcu_memb_gp);
}

static PORT_INLINE void port_rcu_read_unlock(struct port_thread *self)
{
	if (!port_rcu_read_unlock_quick(self))
		port_rcu_wake(self);
}
#else
static PORT_INLINE void port_rcu_read_lock(struct port_thread *self)
{
	(void)self;
	PORT_RCU(read_lock)();
	port_point(PORT_POINT_SECTION);
}

static PORT_INLINE void port_rcu_read_unlock(struct port_thread *self)
{
	(void)self;
	port_point(PORT_POINT_SECTION);
	PORT_READERS_LEAVE();
	PORT_RCU(read_unlock)();
}

static inline bool port_rcu_read_unlock_quick(struct port_thread *self)
{
	port_rcu_read_unlock(self);
	return true;
}

static inline void port_rcu_wake(struct port_thread *self)
{
	(void)self;
}
#endif

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
	port_point(PORT_POINT_WAIT);
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

static inline bool port_alloc_fails(void)
{
	return false;
}

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

static inline void port_ignore(void *addr, size_t bytes)
{
	(void)addr;
	(void)bytes;
}

static inline void port_describe(const char *name, void *base, size_t stride, size_t count)
{
	(void)name;
	(void)base;
	(void)stride;
	(void)count;
}

#endif
