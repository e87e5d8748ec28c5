/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "smoke.h"

#define MAX_EXTRA_MS 20000

unsigned smoke_ms = 1500;

void smoke_arguments(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("PT_SMOKE_MS");
	unsigned long ms;
	char *end;

	if (!text)
		return;
	ms = strtoul(text, &end, 10);
	if (*end || end == text || !ms || ms > 3600000) {
		fprintf(stderr,
			"'%s' is not a number of milliseconds, 1 to 3600000, for each case\n",
			text);
		exit(1);
	}
	smoke_ms = (unsigned)ms;
}

uint64_t smoke_random(struct smoke_thread *t, uint64_t bound)
{
	uint64_t z = t->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % bound;
}

void smoke_violation(struct smoke *s, const char *what)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&s->violation, &none, what);
	atomic_store(&s->stop, true);
}

static void run_thread(struct smoke_thread *t)
{
	struct smoke *s = t->smoke;

	if (pt_thread_register(s->fx->pool, &t->self)) {
		smoke_violation(s, "a thread could not be registered");
		return;
	}
	/* Of two homes, if there are: some strategies have a tree for each. */
	(void)!pt_thread_set_home(t->self, t->index % 2);
	/* Relaxed, so that the flag does not order the threads for a race detector. */
	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		s->functions[t->index](t);
		pt_thread_quiescent(t->self);
		atomic_fetch_add_explicit(&t->steps, 1, memory_order_relaxed);
	}
	if (pt_thread_unregister(t->self))
		smoke_violation(s, "a thread could not be unregistered");
}

static void *thread_main(void *arg)
{
	struct smoke_thread *t = arg;

	run_thread(t);
	atomic_fetch_sub_explicit(&t->smoke->running, 1, memory_order_relaxed);
	return NULL;
}

static bool seen_enough(struct smoke *s)
{
	unsigned i;

	for (i = 0; i < SMOKE_THREADS; i++)
		if (atomic_load_explicit(&s->threads[i].steps, memory_order_relaxed) < 10)
			return false;
	return atomic_load_explicit(&s->seen, memory_order_relaxed) >= s->seen_at_least;
}

#define NAP_MS 10

/* This thread is registered, too: with qsbr it would hold up the others' grace periods. */
static void nap(struct smoke *s)
{
	const struct timespec time = {0, NAP_MS * 1000000L};

	pt_thread_quiescent(s->fx->self);
	nanosleep(&time, NULL);
}

/* Sleep until it is time to stop. */
static void wait_for_the_end(struct smoke *s)
{
	unsigned ms;

	for (ms = 0; ms < smoke_ms || (ms < smoke_ms + MAX_EXTRA_MS && !seen_enough(s));
	     ms += NAP_MS) {
		if (atomic_load_explicit(&s->stop, memory_order_relaxed))
			return;
		nap(s);
	}
}

void smoke_run(struct smoke *s)
{
	pthread_t ids[SMOKE_THREADS];
	unsigned i;

	atomic_store_explicit(&s->running, SMOKE_THREADS, memory_order_relaxed);
	for (i = 0; i < SMOKE_THREADS; i++) {
		s->threads[i].smoke = s;
		s->threads[i].index = i;
		s->threads[i].random = (uint64_t)time(NULL) * SMOKE_THREADS + i;
		assert_int_equal(pthread_create(&ids[i], NULL, thread_main, &s->threads[i]), 0);
	}
	wait_for_the_end(s);
	atomic_store_explicit(&s->stop, true, memory_order_relaxed);
	while (atomic_load_explicit(&s->running, memory_order_relaxed))
		nap(s);
	for (i = 0; i < SMOKE_THREADS; i++)
		pthread_join(ids[i], NULL);
	if (atomic_load(&s->violation))
		fail_msg("%s", atomic_load(&s->violation));
	assert_true(seen_enough(s));
}
