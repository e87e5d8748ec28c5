/* SPDX-License-Identifier: MIT */
/* Threads of the smoke tests: how they start, fail and stop. */
#ifndef PT_TESTS_SMOKE_H
#define PT_TESTS_SMOKE_H

#include <stdatomic.h>

#include "support.h"

#define SMOKE_THREADS 3

struct smoke;

struct smoke_thread {
	struct smoke *smoke;
	struct pt_thread *self;
	unsigned index;
	uint64_t random;
	_Atomic uint64_t steps; /* rounds of its function */
};

typedef void (*smoke_fn)(struct smoke_thread *t);

struct smoke {
	struct fixture *fx;
	void *test; /* the test's own state */
	/*
	 * What the test must have come across before it may end, counted by the threads. On a busy
	 * machine that takes longer than the time asked for.
	 */
	_Atomic uint64_t seen;
	uint64_t seen_at_least;
	_Atomic bool stop;
	_Atomic unsigned running; /* threads that have not ended */
	_Atomic(const char *) violation;
	struct smoke_thread threads[SMOKE_THREADS];
	smoke_fn functions[SMOKE_THREADS];
};

/* Milliseconds each case runs, from the command line or PT_SMOKE_MS. */
extern unsigned smoke_ms;
void smoke_arguments(int argc, char **argv);

/*
 * Thread i calls functions[i] again and again, for the time asked for and until enough was seen. Fails
 * the test if a thread found a violation, or if that is never enough.
 */
void smoke_run(struct smoke *s);

void smoke_violation(struct smoke *s, const char *what);

/* What must hold, in a thread: else the threads stop and the test fails. */
#define SMOKE_STRING_(x) #x
#define SMOKE_STRING(x) SMOKE_STRING_(x)
#define require(t, condition)                                                                 \
	do {                                                                                  \
		if (!(condition))                                                             \
			smoke_violation((t)->smoke,                                           \
					__FILE__ ":" SMOKE_STRING(__LINE__) ": " #condition); \
	} while (0)

uint64_t smoke_random(struct smoke_thread *t, uint64_t bound);

#endif
