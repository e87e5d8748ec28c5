/* SPDX-License-Identifier: MIT */
/*
 * Grace periods, memory and waiting for the library under the schedule explorer.
 *
 * A callback runs as soon as the read sections that were open when it was handed in have ended;
 * with none open, at once. That is the earliest moment that is legal, and the one at which a reader
 * without a read section, or a node retired too early, does the most harm. Memory is never handed
 * out twice in one execution, so a stale pointer to it stays recognisable.
 *
 * Happens-before: the end of each read section, and what the caller did before, come before the
 * callback, or the return of a synchronous wait. Nothing orders the beginning of a section after a
 * call, because a grace period may begin later than it was asked for.
 *
 * With weak memory something must, or a section could read from before a grace period that did not
 * wait for it: each section then begins after all calls so far. One that the grace period still has
 * to wait for is one that begins before the call.
 */
#include "port.h"

#include <errno.h>
#include <string.h>

#include "explore/psc.h"
#include "explore/runtime.h"
#include "explore/search.h"
#include "explore/trace.h"

#define MAX_CALLBACKS 64

struct callback {
	struct port_rcu_head *head;
	port_rcu_fn fn;
	uint8_t readers; /* sections that must end first, a bit for each thread */
	union clock clock;
};

static struct model {
	uint8_t reading;       /* threads in a read section, a bit each */
	unsigned nr_callbacks; /* queued, in order of their call */
	unsigned objects;
	uint64_t unique;
	uint64_t called, done;
	union clock readers_left; /* all ends of read sections */
	union clock asked;        /* all beginnings of grace periods */
	struct callback callbacks[MAX_CALLBACKS];
} model, snapshot;

void port_model_clear(void)
{
	model = (struct model){0};
}

void port_model_snapshot(void)
{
	snapshot = model;
	/* What set-up did comes before everything: executions begin with empty clocks. */
	snapshot.readers_left = (union clock){0};
	snapshot.asked = (union clock){0};
}

void port_model_restore(void)
{
	/* Callbacks beyond nr_callbacks mean nothing: no need to copy them. */
	model.reading = snapshot.reading;
	model.nr_callbacks = 0;
	model.objects = snapshot.objects;
	model.unique = snapshot.unique;
	model.called = snapshot.called;
	model.done = snapshot.done;
	model.readers_left = snapshot.readers_left;
	model.asked = snapshot.asked;
}

unsigned port_model_objects(void)
{
	return model.objects;
}

/* ---- threads and RCU ---- */

void port_thread_register(struct port_thread *self)
{
	(void)self;
}

void port_thread_unregister(struct port_thread *self)
{
	(void)self;
}

void port_rcu_quiescent(struct port_thread *self)
{
	(void)self;
}

/* A conflict that is not on memory: entering and leaving read, handing in a callback writes. */
static void rcu_point(bool write)
{
	struct cell *cell = pseudo_cell(CELL_RCU);

	if (rt.me < MAX_THREADS) {
		cell->readers |= (uint8_t)(1u << rt.me);
		if (write)
			cell->writers |= (uint8_t)(1u << rt.me);
	}
	sched_point(cell, write);
}

void port_rcu_read_lock(struct port_thread *self)
{
	(void)self;
	if (rt.quiet || rt.self->read_nest++)
		return;
	rcu_point(false);
	model.reading |= (uint8_t)(1u << rt.me);
	if (unlikely(rt.weak))
		clock_join(&rt.self->clock, &model.asked);
	if (unlikely(rt.recording))
		trace_note("enters a read section", 0);
}

static void wake_after_readers(void)
{
	for (unsigned t = 0; t < THREAD_ALL; t++) {
		struct thread *thread = &rt.threads[t];

		if (thread->waiting != WAIT_GRACE)
			continue;
		thread->waits_for &= ~(UINT64_C(1) << rt.me);
		if (!thread->waits_for)
			sched_wake(t);
	}
}

static bool somebody_waits(uint8_t reader)
{
	for (unsigned i = 0; i < model.nr_callbacks; i++)
		if (model.callbacks[i].readers & reader)
			return true;
	for (unsigned t = 0; t < THREAD_ALL; t++)
		if (rt.threads[t].waiting == WAIT_GRACE && (rt.threads[t].waits_for & reader))
			return true;
	return false;
}

void port_rcu_read_unlock(struct port_thread *self)
{
	uint8_t me = (uint8_t)(1u << rt.me);

	(void)self;
	if (rt.quiet)
		return;
	if (!rt.self->read_nest)
		rt_fail("R1", "a read section is left that was not entered, in %s",
			rt.self->operation);
	if (--rt.self->read_nest)
		return;
	if (unlikely(rt.recording))
		trace_note("leaves the read section", 0);
	/* Who waits for this section, and for others, sees in what order they end. */
	sched_effect(pseudo_cell(CELL_RCU), somebody_waits(me));
	model.reading &= (uint8_t)~me;
	clock_join(&model.readers_left, &rt.self->clock);
	if (unlikely(++rt.self->clock.of[rt.me] == CLOCK_MAX))
		rt_fail("P1", "%d read sections in one execution", CLOCK_MAX);
	for (unsigned i = 0; i < model.nr_callbacks; i++)
		model.callbacks[i].readers &= (uint8_t)~me;
	wake_after_readers();
	sched_run_rcu();
}

void port_rcu_call(struct port_thread *self, struct port_rcu_head *head, port_rcu_fn fn)
{
	(void)self;
	rcu_point(true);
	if (model.nr_callbacks == MAX_CALLBACKS)
		rt_fail("R1", "more than %d callbacks wait for a grace period", MAX_CALLBACKS);
	if (unlikely(rt.recording))
		trace_note("asks for a grace period", (uintptr_t)head);
	model.callbacks[model.nr_callbacks++] = (struct callback){
		.head = head,
		.fn = fn,
		.readers = model.reading,
		.clock = rt.self->clock,
	};
	model.called++;
	clock_join(&model.asked, &rt.self->clock);
	rt.self->clock.of[rt.me]++;
	sched_run_rcu();
}

bool port_model_has_callbacks(void)
{
	for (unsigned i = 0; i < model.nr_callbacks; i++)
		if (!model.callbacks[i].readers)
			return true;
	return false;
}

static bool next_callback(struct callback *ret)
{
	for (unsigned i = 0; i < model.nr_callbacks; i++)
		if (!model.callbacks[i].readers) {
			*ret = model.callbacks[i];
			model.nr_callbacks--;
			for (; i < model.nr_callbacks; i++)
				model.callbacks[i] = model.callbacks[i + 1];
			return true;
		}
	return false;
}

static void wake_after_callbacks(void)
{
	for (unsigned t = 0; t < THREAD_ALL; t++)
		if (rt.threads[t].waiting == WAIT_BARRIER && model.done >= rt.threads[t].waits_for)
			sched_wake(t);
}

/* On THREAD_RCU. */
void port_model_run_callbacks(void)
{
	struct callback callback;

	while (next_callback(&callback)) {
		clock_join(&rt.self->clock, &callback.clock);
		clock_join(&rt.self->clock, &model.readers_left);
		if (unlikely(rt.recording))
			trace_note("grace period over", (uintptr_t)callback.head);
		callback.fn(callback.head);
		model.done++;
		rt.self->clock.of[THREAD_RCU]++;
		wake_after_callbacks();
	}
}

void port_rcu_synchronize(struct port_thread *self)
{
	(void)self;
	rcu_point(true);
	if (rt.self->read_nest)
		rt_fail("P1", "deadlock: %s waits for a grace period inside a read section",
			rt.self->operation);
	clock_join(&model.asked, &rt.self->clock);
	if (unlikely(++rt.self->clock.of[rt.me] == CLOCK_MAX))
		rt_fail("P1", "%d grace periods in one execution", CLOCK_MAX);
	rt.self->waits_for = model.reading;
	if (rt.self->waits_for)
		sched_block(WAIT_GRACE);
	sched_effect(pseudo_cell(CELL_RCU), true);
	clock_join(&rt.self->clock, &model.readers_left);
}

void port_rcu_barrier(struct port_thread *self)
{
	(void)self;
	rcu_point(true);
	rt.self->waits_for = model.called;
	if (model.done < model.called)
		sched_block(WAIT_BARRIER);
	sched_effect(pseudo_cell(CELL_RCU), true);
	clock_join(&rt.self->clock, &rt.threads[THREAD_RCU].clock);
}

/* ---- waiting ---- */

void port_model_wait_begin(void)
{
	rt.self->polling = true;
	rt.self->nr_polled = 0;
}

void port_model_wait_blocked(void)
{
	struct thread *self = rt.self;
	bool changed = false;

	if (!self->nr_polled)
		rt_fail("P1", "a wait in %s whose condition loads nothing", self->operation);
	for (unsigned i = 0; i < self->nr_polled; i++) {
		changed |= self->polled[i].cell->version != self->polled[i].version;
		if (self->polled[i].cell->hot)
			sched_effect(self->polled[i].cell, false);
	}
	if (!changed)
		sched_block(WAIT_POLL);
	self->nr_polled = 0;
}

void port_model_wait_end(void)
{
	rt.self->polling = false;
	rt.self->nr_polled = 0;
}

void port_sleep(_Atomic uint32_t *word, uint32_t value)
{
	struct cell *cell = cell_of((uintptr_t)word);

	/* Who sleeps first is woken first. */
	if (rt.me < MAX_THREADS) {
		cell->readers |= (uint8_t)(1u << rt.me);
		cell->writers |= (uint8_t)(1u << rt.me);
	}
	sched_point(cell, true);
	if (atomic_load_explicit(word, memory_order_relaxed) != value)
		return;
	rt.self->sleeps_on = word;
	rt.self->asleep_since = rt.step;
	sched_block(WAIT_SLEEP);
}

/* The longest asleep first. */
void port_wake(_Atomic uint32_t *word, unsigned n)
{
	sched_point(cell_of((uintptr_t)word), true);
	while (n--) {
		unsigned first = THREAD_ALL;

		for (unsigned t = 0; t < THREAD_ALL; t++)
			if (rt.threads[t].waiting == WAIT_SLEEP &&
			    rt.threads[t].sleeps_on == word &&
			    (first == THREAD_ALL ||
			     rt.threads[t].asleep_since < rt.threads[first].asleep_since))
				first = t;
		if (first == THREAD_ALL)
			return;
		sched_wake(first);
	}
}

/* ---- memory ---- */

void *port_reserve(size_t bytes, size_t align)
{
	return memory_reserve(bytes, align, true);
}

void port_unreserve(void *addr, size_t bytes)
{
	memory_poison(addr, bytes, true);
}

/* The arena is committed as a whole, so any piece will do. */
size_t port_page_bytes(void)
{
	return 1;
}

int port_commit(void *addr, size_t bytes)
{
	memory_poison(addr, bytes, false);
	return 0;
}

void port_decommit(void *addr, size_t bytes)
{
	memset(addr, 0, bytes);
	memory_poison(addr, bytes, true);
}

/* As with the heap: what the number is makes no difference but to the final state. */
uint64_t port_unique(void)
{
	sched_effect(pseudo_cell(CELL_HEAP), true);
	return ++model.unique;
}

/* By where the object lies; never out of date, because allocating sets it. */
static size_t object_bytes[ARENA_BYTES / 64];

static size_t *bytes_of(const void *object)
{
	return &object_bytes[((uintptr_t)object - ARENA_BASE) / 64];
}

bool port_alloc_fails(void)
{
	struct thread *self = rt.self;

	if (likely(!self->alloc_may_fail) || !search_pick(PICK_ALLOC_FAILS, 2))
		return false;
	self->alloc_failed = true;
	return true;
}

/*
 * Zeroing is a write: whoever uses the object must be ordered after. Whoever allocates first gets the
 * lower address, which makes another final state.
 */
void *port_alloc(size_t bytes)
{
	void *object = port_alloc_fails() ? NULL : memory_reserve(bytes, 64, false);

	sched_effect(pseudo_cell(CELL_HEAP), true);
	if (object) {
		access_plain(object, bytes, true, __builtin_return_address(0));
		*bytes_of(object) = bytes;
		memory_describe("object", object, bytes, 1);
		model.objects++;
	}
	return object;
}

void port_free(void *object)
{
	if (!object)
		return;
	model.objects--;
	port_poison(object, *bytes_of(object));
}

/* Freeing is a write: whoever used the memory must be ordered before, in every schedule. */
void port_poison(void *addr, size_t bytes)
{
	if (rt.quiet)
		return;
	rt.freeing = true;
	access_plain(addr, bytes, true, __builtin_return_address(0));
	rt.freeing = false;
	memory_poison(addr, bytes, true);
	psc_freed((uintptr_t)addr);
}

void port_unpoison(void *addr, size_t bytes)
{
	memory_poison(addr, bytes, false);
}

void port_ignore(void *addr, size_t bytes)
{
	memory_ignore(addr, bytes);
}

void port_describe(const char *name, void *base, size_t stride, size_t count)
{
	memory_describe(name, base, stride, count);
}
