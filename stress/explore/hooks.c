/* SPDX-License-Identifier: MIT */
/*
 * What the compiler calls, with -fsanitize=thread, before each plain access and instead of each
 * atomic one. The program is not linked with ThreadSanitizer; these are all there is.
 *
 * Interleavings are sequentially consistent, but for loads that read older values when the search
 * may pick that: see weak.h. The order of an access decides which edges of happens-before it makes,
 * so an order that is too weak shows as a race.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime.h"
#include "trace.h"
#include "weak.h"

#define PC __builtin_return_address(0)

/* As compilers pass them. */
enum { ORDER_RELAXED, ORDER_CONSUME, ORDER_ACQUIRE, ORDER_RELEASE, ORDER_ACQ_REL, ORDER_SEQ_CST };

static bool acquires(int order)
{
	return order == ORDER_CONSUME || order == ORDER_ACQUIRE || order >= ORDER_ACQ_REL;
}

static bool releases(int order)
{
	return order >= ORDER_RELEASE;
}

/* ---- plain ---- */

static inline __attribute__((always_inline)) void plain(const volatile void *object, size_t bytes,
							bool write, const void *pc)
{
	uintptr_t addr = (uintptr_t)object;
	unsigned first = addr & 7;

	if (!in_arena(addr))
		return;
	if (unlikely(rt.quiet | rt.recording | rt.weak) || first + bytes > 8) {
		access_plain(object, bytes, write, pc);
		return;
	}
	access_cell(cell_of(addr), write ? PLAIN_WRITE : PLAIN_READ,
		    (uint8_t)(((1u << bytes) - 1) << first), addr);
}

#define PLAIN_HOOKS(bytes)                              \
	void __tsan_read##bytes(void *addr);            \
	void __tsan_read##bytes(void *addr)             \
	{                                               \
		plain(addr, bytes, false, PC);          \
	}                                               \
	void __tsan_write##bytes(void *addr);           \
	void __tsan_write##bytes(void *addr)            \
	{                                               \
		plain(addr, bytes, true, PC);           \
	}                                               \
	void __tsan_unaligned_read##bytes(void *addr);  \
	void __tsan_unaligned_read##bytes(void *addr)   \
	{                                               \
		access_plain(addr, bytes, false, PC);   \
	}                                               \
	void __tsan_unaligned_write##bytes(void *addr); \
	void __tsan_unaligned_write##bytes(void *addr)  \
	{                                               \
		access_plain(addr, bytes, true, PC);    \
	}                                               \
	void __tsan_read_write##bytes(void *addr);      \
	void __tsan_read_write##bytes(void *addr)       \
	{                                               \
		access_plain(addr, bytes, false, PC);   \
		access_plain(addr, bytes, true, PC);    \
	}

PLAIN_HOOKS(1)
PLAIN_HOOKS(2)
PLAIN_HOOKS(4)
PLAIN_HOOKS(8)
PLAIN_HOOKS(16)

void __tsan_read_range(void *addr, long bytes);
void __tsan_read_range(void *addr, long bytes)
{
	access_plain(addr, (size_t)bytes, false, PC);
}

void __tsan_write_range(void *addr, long bytes);
void __tsan_write_range(void *addr, long bytes)
{
	access_plain(addr, (size_t)bytes, true, PC);
}

/* ---- memory functions: the linker wraps them, and some compilers name them so ---- */

void *__real_memset(void *to, int value, size_t bytes);
void *__real_memcpy(void *to, const void *from, size_t bytes);
void *__real_memmove(void *to, const void *from, size_t bytes);
void *__wrap_memset(void *to, int value, size_t bytes);
void *__wrap_memcpy(void *to, const void *from, size_t bytes);
void *__wrap_memmove(void *to, const void *from, size_t bytes);
void *__tsan_memset(void *to, int value, size_t bytes);
void *__tsan_memcpy(void *to, const void *from, size_t bytes);
void *__tsan_memmove(void *to, const void *from, size_t bytes);

static void *hooked_memset(void *to, int value, size_t bytes, const void *pc)
{
	access_plain(to, bytes, true, pc);
	return __real_memset(to, value, bytes);
}

static void *hooked_memmove(void *to, const void *from, size_t bytes, const void *pc)
{
	access_plain(from, bytes, false, pc);
	access_plain(to, bytes, true, pc);
	return __real_memmove(to, from, bytes);
}

void *__wrap_memset(void *to, int value, size_t bytes)
{
	return hooked_memset(to, value, bytes, PC);
}

void *__wrap_memcpy(void *to, const void *from, size_t bytes)
{
	return hooked_memmove(to, from, bytes, PC);
}

void *__wrap_memmove(void *to, const void *from, size_t bytes)
{
	return hooked_memmove(to, from, bytes, PC);
}

void *__tsan_memset(void *to, int value, size_t bytes)
{
	return hooked_memset(to, value, bytes, PC);
}

void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
	return hooked_memmove(to, from, bytes, PC);
}

void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
	return hooked_memmove(to, from, bytes, PC);
}

/* ---- atomic ---- */

/*
 * Let others run first; NULL: not the library's memory, do only the operation. @ret_stopped: what the
 * operation does there counts, see atomic_effect().
 */
static inline struct cell *atomic_point(const volatile void *object, bool write, bool *ret_stopped)
{
	uintptr_t addr = (uintptr_t)object;
	struct cell *cell;

	if (!in_arena(addr) || unlikely(rt.quiet))
		return NULL;
	rt.atomics++;
	cell = cell_of(addr);
	if (rt.me != THREAD_MAIN) {
		cell->readers |= (uint8_t)(1u << rt.me);
		if (write)
			cell->writers |= (uint8_t)(1u << rt.me);
	}
	*ret_stopped = sched_stop(cell, write);
	return cell;
}

/* After a release: what the thread does from now on is not in it. */
static void begin_epoch(void)
{
	if (unlikely(++rt.self->clock.of[rt.me] == CLOCK_MAX))
		rt_fail("P1", "%d releasing stores in one execution", CLOCK_MAX);
}

/*
 * Two operations that leave the value as it was, and release nothing, give the same in either order:
 * so they only see. With weak memory each leaves a message of its own.
 */
static inline void atomic_effect(const struct cell *cell, bool stopped, bool changed, bool writes,
				 int order)
{
	if (stopped)
		sched_effect(cell, changed || (writes && (releases(order) || rt.weak)));
}

static inline void atomic_access(struct cell *cell, const volatile void *object, size_t bytes,
				 bool write)
{
	uintptr_t addr = (uintptr_t)object;

	access_cell(cell, write ? ATOMIC_WRITE : ATOMIC_READ,
		    (uint8_t)(((1u << bytes) - 1) << (addr & 7)), addr);
}

static inline void atomic_acquire(struct cell *cell, const volatile void *object)
{
	unsigned first = (uintptr_t)object & 7;

	if (cell->released & 1u << first)
		clock_join(&rt.self->clock, &cell->release[first]);
}

/* @again: a read-modify-write, which continues what releases before it have begun. */
static inline void atomic_release(struct cell *cell, const volatile void *object, int order,
				  bool again)
{
	unsigned first = (uintptr_t)object & 7;

	if (!releases(order)) {
		if (!again)
			cell->released &= (uint8_t) ~(1u << first);
		return;
	}
	if (again && (cell->released & 1u << first))
		clock_join(&cell->release[first], &rt.self->clock);
	else
		cell->release[first] = rt.self->clock;
	cell->released |= (uint8_t)(1u << first);
	begin_epoch();
}

/* A store that a later one overtakes leaves a message, and the object as it is. */
static bool atomic_overtaken(struct cell *cell, const volatile void *object, size_t bytes,
			     uint64_t new, int order)
{
	if (likely(!rt.weak) || order == ORDER_SEQ_CST ||
	    !weak_overtaken(cell, (uintptr_t)object, bytes, new, releases(order)))
		return false;
	if (releases(order))
		begin_epoch();
	return true;
}

/* A waiter that polls remembers what it has seen; has it changed since? Then it looks again. */
static inline void atomic_polled(struct cell *cell, const volatile void *object, bool stale)
{
	struct thread *self = rt.self;

	if (likely(!self->polling))
		return;
	if (self->nr_polled == MAX_POLLED)
		rt_fail("P1", "a wait polls more than %d locations", MAX_POLLED);
	self->polled[self->nr_polled++] =
		(struct polled){cell, (uintptr_t)object, cell->version - stale};
}

static inline void atomic_loaded(struct cell *cell, const volatile void *object, int order)
{
	if (acquires(order))
		atomic_acquire(cell, object);
	atomic_polled(cell, object, false);
}

/* What a load reads that may read older values than @last. */
static uint64_t atomic_load_weak(struct cell *cell, const volatile void *object, size_t bytes,
				 uint64_t last, int order)
{
	bool stale;
	uint64_t value = weak_load(cell, (uintptr_t)object, bytes, last, acquires(order),
				   order == ORDER_SEQ_CST, &stale);

	atomic_polled(cell, object, stale);
	return value;
}

static inline void atomic_stored(struct cell *cell, const volatile void *object, size_t bytes,
				 uint64_t old, uint64_t new, bool rmw, int order)
{
	/* a release has begun a new epoch */
	if (unlikely(rt.weak))
		weak_store(cell, (uintptr_t)object, bytes, old, new,
			   (int16_t)(rt.self->clock.of[rt.me] - releases(order)), rmw,
			   order == ORDER_SEQ_CST);
}

static inline void atomic_changed(struct cell *cell, bool changed)
{
	if (!changed)
		return;
	cell->version++;
	if (unlikely(rt.pollers))
		sched_changed(cell);
}

#define RECORD(op, order, addr, bits, old, new)                                                 \
	do {                                                                                    \
		if (unlikely(rt.recording))                                                     \
			trace_atomic(op, order, (uintptr_t)(addr), (bits) / 8, (uint64_t)(old), \
				     (uint64_t)(new), PC);                                      \
	} while (0)

#define ATOMIC_RMW_HOOK(bits, type, name, result)                                      \
	type __tsan_atomic##bits##_##name(volatile type *addr, type value, int order); \
	type __tsan_atomic##bits##_##name(volatile type *addr, type value, int order)  \
	{                                                                              \
		bool stopped;                                                          \
		struct cell *cell = atomic_point(addr, true, &stopped);                \
		type old = *addr;                                                      \
		type new = (type)(result);                                             \
                                                                                       \
		if (cell) {                                                            \
			atomic_effect(cell, stopped, new != old, true, order);         \
			RECORD(ATOMIC_RMW, order, addr, bits, old, new);               \
			atomic_access(cell, addr, (bits) / 8, true);                   \
			atomic_loaded(cell, addr, order);                              \
			atomic_release(cell, addr, order, true);                       \
			atomic_stored(cell, addr, (bits) / 8, old, new, true, order);  \
		}                                                                      \
		*addr = new;                                                           \
		if (cell)                                                              \
			atomic_changed(cell, new != old);                              \
		return old;                                                            \
	}

#define ATOMIC_HOOKS(bits, type)                                                                  \
	type __tsan_atomic##bits##_load(const volatile type *addr, int order);                    \
	type __tsan_atomic##bits##_load(const volatile type *addr, int order)                     \
	{                                                                                         \
		bool stopped;                                                                     \
		struct cell *cell = atomic_point(addr, false, &stopped);                          \
		type value = *addr;                                                               \
                                                                                                  \
		if (cell) {                                                                       \
			atomic_effect(cell, stopped, false, false, order);                        \
			atomic_access(cell, addr, (bits) / 8, false);                             \
			if (unlikely(rt.weak))                                                    \
				value = (type)atomic_load_weak(cell, addr, (bits) / 8, value,     \
							       order);                            \
			else                                                                      \
				atomic_loaded(cell, addr, order);                                 \
			RECORD(ATOMIC_LOAD, order, addr, bits, value, *addr);                     \
		}                                                                                 \
		return value;                                                                     \
	}                                                                                         \
	void __tsan_atomic##bits##_store(volatile type *addr, type value, int order);             \
	void __tsan_atomic##bits##_store(volatile type *addr, type value, int order)              \
	{                                                                                         \
		bool stopped;                                                                     \
		struct cell *cell = atomic_point(addr, true, &stopped);                           \
		type old = *addr;                                                                 \
                                                                                                  \
		if (cell) {                                                                       \
			atomic_effect(cell, stopped, true, true, order);                          \
			RECORD(ATOMIC_STORE, order, addr, bits, old, value);                      \
			atomic_access(cell, addr, (bits) / 8, true);                              \
			if (atomic_overtaken(cell, addr, (bits) / 8, value, order))               \
				return;                                                           \
			atomic_release(cell, addr, order, false);                                 \
			atomic_stored(cell, addr, (bits) / 8, old, value, false, order);          \
		}                                                                                 \
		*addr = value;                                                                    \
		if (cell)                                                                         \
			atomic_changed(cell, value != old);                                       \
	}                                                                                         \
	static inline type cas##bits(volatile type *addr, type expected, type value, int order,   \
				     int fail_order, const void *pc)                              \
	{                                                                                         \
		bool stopped;                                                                     \
		struct cell *cell = atomic_point(addr, true, &stopped);                           \
		type old = *addr;                                                                 \
		bool done = old == expected;                                                      \
                                                                                                  \
		if (cell) {                                                                       \
			atomic_effect(cell, stopped, done &&value != old, done, order);           \
			if (unlikely(rt.recording))                                               \
				trace_atomic(done ? ATOMIC_CAS : ATOMIC_CAS_FAILED,               \
					     done ? order : fail_order, (uintptr_t)addr,          \
					     (bits) / 8, old, value, pc);                         \
			atomic_access(cell, addr, (bits) / 8, done);                              \
			atomic_loaded(cell, addr, done ? order : fail_order);                     \
			if (done) {                                                               \
				atomic_release(cell, addr, order, true);                          \
				atomic_stored(cell, addr, (bits) / 8, old, value, true, order);   \
			} else if (unlikely(rt.weak)) {                                           \
				weak_load_last(cell, (uintptr_t)addr, (bits) / 8,                 \
					       fail_order == ORDER_SEQ_CST);                      \
			}                                                                         \
		}                                                                                 \
		if (done) {                                                                       \
			*addr = value;                                                            \
			if (cell)                                                                 \
				atomic_changed(cell, value != old);                               \
		}                                                                                 \
		return old;                                                                       \
	}                                                                                         \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile type *addr, type *expected,    \
							  type value, int order, int fail_order); \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile type *addr, type *expected,    \
							  type value, int order, int fail_order)  \
	{                                                                                         \
		type old = cas##bits(addr, *expected, value, order, fail_order, PC);              \
		int done = old == *expected;                                                      \
                                                                                                  \
		*expected = old;                                                                  \
		return done;                                                                      \
	}                                                                                         \
	int __tsan_atomic##bits##_compare_exchange_weak(volatile type *addr, type *expected,      \
							type value, int order, int fail_order);   \
	int __tsan_atomic##bits##_compare_exchange_weak(volatile type *addr, type *expected,      \
							type value, int order, int fail_order)    \
	{                                                                                         \
		type old = cas##bits(addr, *expected, value, order, fail_order, PC);              \
		int done = old == *expected;                                                      \
                                                                                                  \
		*expected = old;                                                                  \
		return done;                                                                      \
	}                                                                                         \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *addr, type expected,       \
							type value, int order, int fail_order);   \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *addr, type expected,       \
							type value, int order, int fail_order)    \
	{                                                                                         \
		return cas##bits(addr, expected, value, order, fail_order, PC);                   \
	}                                                                                         \
	ATOMIC_RMW_HOOK(bits, type, exchange, value)                                              \
	ATOMIC_RMW_HOOK(bits, type, fetch_add, old + value)                                       \
	ATOMIC_RMW_HOOK(bits, type, fetch_sub, old - value)                                       \
	ATOMIC_RMW_HOOK(bits, type, fetch_and, old &value)                                        \
	ATOMIC_RMW_HOOK(bits, type, fetch_or, old | value)                                        \
	ATOMIC_RMW_HOOK(bits, type, fetch_xor, old ^ value)                                       \
	ATOMIC_RMW_HOOK(bits, type, fetch_nand, ~(old & value))

ATOMIC_HOOKS(8, uint8_t)
ATOMIC_HOOKS(16, uint16_t)
ATOMIC_HOOKS(32, uint32_t)
ATOMIC_HOOKS(64, uint64_t)

/* ---- the rest ---- */

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	rt_fail("Q1", "a stand-alone fence of order %d: put the order on the access", order);
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
	(void)order;
}
