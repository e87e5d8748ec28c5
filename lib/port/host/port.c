/* SPDX-License-Identifier: MIT */
/* The out-of-line part of the host port: threads, grace periods, sleeping, memory. */
#include "port.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef PORT_TSAN
char port_tsan_readers;
#endif

/* liburcu wants each system thread registered once; ours may register with several pools. */
static _Thread_local unsigned registrations;

void port_thread_register(struct port_thread *self)
{
	if (registrations++ == 0)
		PORT_RCU(register_thread)();
#ifdef PORT_OWN_READ_SECTION
	self->reader = &URCU_TLS(urcu_memb_reader);
	self->fences = !urcu_memb_has_sys_membarrier;
#else
	(void)self;
#endif
}

void port_thread_unregister(struct port_thread *self)
{
	(void)self;
	PORT_READERS_LEAVE();
	if (--registrations == 0)
		PORT_RCU(unregister_thread)();
}

void port_rcu_call(struct port_thread *self, struct port_rcu_head *head, port_rcu_fn fn)
{
	(void)self;
	port_point(PORT_POINT_RETIRE);
#ifdef PORT_TSAN
	__tsan_release(head);
#endif
	PORT_RCU(call_rcu)(head, fn);
}

void port_rcu_synchronize(struct port_thread *self)
{
	(void)self;
	port_point(PORT_POINT_RETIRE);
	PORT_READERS_LEAVE();
	PORT_RCU(synchronize_rcu)();
	PORT_READERS_GONE();
}

#ifdef PORT_TSAN
/*
 * liburcu's barrier hands memory between its threads in a way ThreadSanitizer cannot see, and has no
 * symbols to suppress it by. Its one callback thread runs callbacks in order, unless somebody gave it
 * more threads, which nobody does in a build for testing: a callback of our own is a barrier.
 */
struct barrier {
	struct port_rcu_head head;
	_Atomic uint32_t passed;
};

static void barrier_pass(struct port_rcu_head *head)
{
	_Atomic uint32_t *passed = &((struct barrier *)head)->passed;

	port_rcu_called(head);
	/* [ORD-barrier] rel: callbacks that ran before are complete */
	atomic_store_explicit(passed, 1, memory_order_release);
	port_wake(passed, 1);
}

static void wait_for_callbacks(void)
{
	struct barrier barrier = {.passed = 0};

	port_rcu_call(NULL, &barrier.head, barrier_pass);
	/* [ORD-barrier] acq: pairs with barrier_pass() */
	while (!atomic_load_explicit(&barrier.passed, memory_order_acquire))
		port_sleep(&barrier.passed, 0);
}
#else
static void wait_for_callbacks(void)
{
	PORT_RCU(barrier)();
}
#endif

void port_rcu_barrier(struct port_thread *self)
{
	(void)self;
	PORT_READERS_LEAVE();
#ifdef PT_RCU_QSBR
	/* A registered reader that sleeps must not hold up the grace period it waits for. */
	bool online = self && urcu_qsbr_read_ongoing();

	if (online)
		urcu_qsbr_thread_offline();
	wait_for_callbacks();
	if (online)
		urcu_qsbr_thread_online();
#else
	wait_for_callbacks();
#endif
}

void port_sleep(_Atomic uint32_t *word, uint32_t value)
{
	port_point(PORT_POINT_WAIT);
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

void port_wake(_Atomic uint32_t *word, unsigned n)
{
	int most = n > INT32_MAX ? INT32_MAX : (int)n;

	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}

size_t port_page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *port_reserve(size_t bytes, size_t align)
{
	size_t slack = align > port_page_bytes() ? align : 0;
	char *base = mmap(NULL, bytes + slack, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t front;

	if (base == MAP_FAILED)
		return NULL;
	if (!slack)
		return base;
	front = -(uintptr_t)base & (align - 1);
	if (front)
		munmap(base, front);
	if (slack > front)
		munmap(base + front + bytes, slack - front);
	return base + front;
}

void port_unreserve(void *addr, size_t bytes)
{
	munmap(addr, bytes);
}

int port_commit(void *addr, size_t bytes)
{
	if (mprotect(addr, bytes, PROT_READ | PROT_WRITE))
		return -ENOMEM;
	/* Advice only: where huge pages are off, base pages do. */
	madvise(addr, bytes, MADV_HUGEPAGE);
	return 0;
}

void port_decommit(void *addr, size_t bytes)
{
	madvise(addr, bytes, MADV_DONTNEED);
	mprotect(addr, bytes, PROT_NONE);
}

uint64_t port_unique(void)
{
	static _Atomic uint64_t given;

	return 1 + atomic_fetch_add_explicit(&given, 1, memory_order_relaxed);
}

void *port_alloc(size_t bytes)
{
	void *object = NULL;

	if (posix_memalign(&object, 64, bytes))
		return NULL;
	return memset(object, 0, bytes);
}

void port_free(void *object)
{
	free(object);
}
