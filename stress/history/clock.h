/* SPDX-License-Identifier: MIT */
/*
 * When an operation begins and ends.
 *
 *   shared  one counter for all threads. Right by C11: if a stamp is smaller than another one, what
 *           was before the first happens before what is after the second. That order is one the
 *           program under test did not have, and may hide a bug.
 *   tsc     the processor's time stamp counter, which runs evenly and alike on all processors,
 *           fenced. A plain rdtsc is executed early or late, and makes reads look stale: 2.6 to 4.5
 *           of 20 million. Hides less; what it reports is true of the machine, not of C11.
 *   none    no stamps, no order: for invariants that need none.
 */
#ifndef HISTORY_CLOCK_H
#define HISTORY_CLOCK_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum clock_mode {
	CLOCK_SHARED,
	CLOCK_TSC,
	CLOCK_NONE,
};

struct history_clock {
	enum clock_mode mode;
	alignas(64) _Atomic uint64_t now; /* shared */
};

/* NULL past the last one. */
const char *clock_name(enum clock_mode mode);
/* False: no mode has that name. */
bool clock_find(const char *name, enum clock_mode *ret_mode);
/* NULL: this machine can; else why not, a constant sentence. */
const char *clock_unsupported(enum clock_mode mode);

void clock_init(struct history_clock *c, enum clock_mode mode);

#if defined(__x86_64__)
static inline uint64_t clock_tsc_call(void)
{
	uint32_t low, high;

	/* Nothing of the call is executed before the counter is read. */
	__asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t clock_tsc_return(void)
{
	uint32_t low, high;

	/* All that the call has stored can be seen by others, and all it loads is there. */
	__asm__ volatile("mfence\n\tlfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}
#else
static inline uint64_t clock_tsc_call(void)
{
	return 0;
}

static inline uint64_t clock_tsc_return(void)
{
	return 0;
}
#endif

static inline uint64_t clock_shared(struct history_clock *c)
{
	return atomic_fetch_add_explicit(&c->now, 1, memory_order_seq_cst);
}

/* Before a call. */
static inline uint64_t clock_call(struct history_clock *c)
{
	switch (c->mode) {
	case CLOCK_SHARED:
		return clock_shared(c);
	case CLOCK_TSC:
		return clock_tsc_call();
	default:
		return 0;
	}
}

/* After it has returned. */
static inline uint64_t clock_return(struct history_clock *c)
{
	switch (c->mode) {
	case CLOCK_SHARED:
		return clock_shared(c);
	case CLOCK_TSC:
		return clock_tsc_return();
	default:
		return 0;
	}
}

#endif
