/* SPDX-License-Identifier: MIT */
/*
 * The threads of a scenario as coroutines. Exactly one runs; it goes on until it blocks, ends, or
 * the search decides at a scheduling point that another one goes on.
 *
 * Callbacks of grace periods have a coroutine of their own. It runs as soon as it can, nested in
 * whatever made that possible, and there are no scheduling points in it: memory is freed at the
 * earliest moment that is legal.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"
#include "search.h"
#include "trace.h"

static struct coroutine host;
static unsigned interrupted; /* by THREAD_RCU */
static bool failed, pruned;
static char letter[8], message[512];
static void (*alone_fn)(void *ctx);
static void *alone_ctx;

static void become(unsigned thread)
{
	rt.me = (uint8_t)thread;
	rt.self = &rt.threads[thread];
}

static void switch_to(unsigned next)
{
	struct thread *from = rt.self;

	if (next == rt.me)
		return;
	become(next);
	coroutine_switch(&from->coroutine, &rt.self->coroutine);
}

static _Noreturn void leave(void)
{
	coroutine_switch(&rt.self->coroutine, &host);
	__builtin_unreachable();
}

void rt_fail(const char *broken, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	snprintf(letter, sizeof(letter), "%s", broken);
	failed = true;
	leave();
}

void sched_prune(void)
{
	pruned = true;
	leave();
}

bool sched_pruned(void)
{
	return pruned;
}

bool sched_failed(void)
{
	return failed;
}

const char *sched_letter(void)
{
	return letter;
}

const char *sched_message(void)
{
	return message;
}

/* ---- deadlock ---- */

static void describe_wait(unsigned t, char *text, size_t size)
{
	const struct thread *thread = &rt.threads[t];
	char name[64];
	uintptr_t addr = 0;

	if (thread->waiting == WAIT_POLL)
		addr = thread->polled[0].addr;
	else if (thread->waiting == WAIT_SLEEP)
		addr = (uintptr_t)thread->sleeps_on;
	if (addr)
		memory_name(addr, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%s",
			 thread->waiting == WAIT_FLUSH ? "a CPU's walk" : "a grace period");
	snprintf(text, size, "%s waits for %s in %s", trace_thread(t), name,
		 thread->operation ? thread->operation : "set-up");
}

static _Noreturn void deadlock(void)
{
	char text[384] = "";
	size_t n = 0;

	for (unsigned t = 0; t < THREAD_ALL; t++)
		if (rt.threads[t].waiting && n < sizeof(text) - 128) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", n ? "; " : "");
			describe_wait(t, text + n, sizeof(text) - n);
			n += strlen(text + n);
		}
	rt_fail("P1", "deadlock: %s", text);
}

/* ---- who goes on ---- */

static void meet(const struct footprint *doing)
{
	for (unsigned t = 0; t < MAX_THREADS; t++)
		if ((rt.away & 1u << t) && footprints_conflict(&rt.threads[t].left, doing))
			rt.away &= (uint8_t) ~(1u << t);
}

void sched_meet(unsigned bit, bool write)
{
	struct footprint one = {0};

	footprint_add(&one, bit, write);
	meet(&one);
}

void sched_stamp(void)
{
	static const struct footprint invocation = {.changes[0] = UINT64_C(1) << BIT_TIME};

	rt.self->invoke_pending = false;
	rt.self->invoked = ++rt.events;
	footprint_join(&rt.doing, &invocation);
	if (unlikely(rt.away))
		meet(&invocation);
}

static void stamp_invocation(void)
{
	if (rt.self->invoke_pending)
		sched_stamp();
}

/* What the step before has done, the search has noted. */
static void next_step(unsigned next)
{
	rt.doing = (struct footprint){0};
	switch_to(next);
}

void sched_choose(void)
{
	if (rt.me >= MAX_THREADS)
		return;
	if (unlikely(rt.step > STEP_LIMIT))
		rt_fail("P1", "no end after %d steps: %s is in %s", STEP_LIMIT, trace_thread(rt.me),
			rt.self->operation);
	next_step(search_decide(rt.enabled, rt.me));
	stamp_invocation();
}

static void go_elsewhere(void)
{
	rt.step++;
	if (!rt.enabled)
		deadlock();
	next_step(search_decide(rt.enabled, THREAD_ALL));
}

/* What it does belongs to the step that lets it go on. */
static void resume_rcu(void)
{
	sched_effect(pseudo_cell(CELL_RCU), true);
	interrupted = rt.me;
	switch_to(THREAD_RCU);
}

void sched_block(enum wait_kind kind)
{
	struct thread *self = rt.self;

	self->waiting = kind;
	rt.waited |= rt.me < MAX_THREADS && (kind == WAIT_POLL || kind == WAIT_SLEEP);
	if (kind == WAIT_POLL)
		rt.pollers |= (uint8_t)(1u << rt.me);
	if (unlikely(rt.recording))
		trace_note("waits", 0);
	if (rt.me == THREAD_MAIN)
		deadlock();
	if (rt.me == THREAD_RCU) {
		switch_to(interrupted);
		return;
	}
	stamp_invocation();
	rt.enabled &= (uint8_t) ~(1u << rt.me);
	go_elsewhere();
}

void sched_wake(unsigned t)
{
	struct thread *thread = &rt.threads[t];

	thread->waiting = WAIT_NONE;
	rt.pollers &= (uint8_t) ~(1u << t);
	if (t == THREAD_RCU)
		resume_rcu();
	else
		rt.enabled |= (uint8_t)(1u << t);
	for (unsigned f = 0; f < MAX_THREADS; f++)
		if (rt.threads[f].waiting == WAIT_FLUSH && rt.threads[f].waits_for == UINT64_C(1)
											      << t)
			sched_wake(f);
}

void sched_changed(struct cell *cell)
{
	for (unsigned t = 0; t < THREAD_ALL; t++) {
		const struct thread *thread = &rt.threads[t];

		if (!(rt.pollers & 1u << t))
			continue;
		for (unsigned i = 0; i < thread->nr_polled; i++)
			if (thread->polled[i].cell == cell) {
				sched_wake(t);
				break;
			}
	}
}

void sched_run_rcu(void)
{
	if (rt.me != THREAD_RCU && !rt.threads[THREAD_RCU].waiting && port_model_has_callbacks())
		resume_rcu();
}

/* ---- calls ---- */

void sched_invoke(const char *operation)
{
	rt.self->operation = operation;
	rt.self->invoke_pending = true;
	if (unlikely(rt.recording))
		trace_text("begins", operation);
}

uint32_t sched_respond(void)
{
	static const struct footprint response = {.sees[0] = UINT64_C(1) << BIT_TIME};

	stamp_invocation();
	footprint_join(&rt.doing, &response);
	if (unlikely(rt.away))
		meet(&response);
	return ++rt.events;
}

/* ---- executions ---- */

static void thread_entry(void)
{
	rt.subject->body(rt.subject->ctx, rt.me);
	rt.self->operation = "nothing: it has ended";
	rt.enabled &= (uint8_t) ~(1u << rt.me);
	rt.unfinished &= (uint8_t) ~(1u << rt.me);
	if (!rt.unfinished)
		leave();
	go_elsewhere();
	__builtin_unreachable();
}

static void rcu_entry(void)
{
	for (;;) {
		port_model_run_callbacks();
		switch_to(interrupted);
	}
}

static void alone_entry(void)
{
	alone_fn(alone_ctx);
	leave();
}

static void reset_thread(unsigned t, void (*entry)(void))
{
	struct thread *thread = &rt.threads[t];
	struct coroutine coroutine = thread->coroutine;

	*thread = (struct thread){.coroutine = coroutine};
	thread->clock.of[t] = 1;
	coroutine_reset(&thread->coroutine, entry);
}

static void enter(unsigned thread)
{
	become(thread);
	rt.quiet = false;
	coroutine_switch(&host, &rt.self->coroutine);
	rt.quiet = true;
}

bool sched_alone(void (*fn)(void *ctx), void *ctx)
{
	failed = false;
	reset_thread(THREAD_MAIN, alone_entry);
	reset_thread(THREAD_RCU, rcu_entry);
	alone_fn = fn;
	alone_ctx = ctx;
	enter(THREAD_MAIN);
	return !failed;
}

/* Whatever it does is not the last step's. */
static void finish(void)
{
	const struct footprint last = rt.doing;

	for (unsigned t = 0; t < THREAD_MAIN; t++)
		clock_join(&rt.threads[THREAD_MAIN].clock, &rt.threads[t].clock);
	enter(THREAD_MAIN);
	rt.doing = last;
}

static void finish_entry(void)
{
	if (rt.threads[THREAD_RCU].waiting)
		deadlock();
	if (!rt.atomics)
		rt_fail("-", "not one atomic access seen: the library is not instrumented");
	rt.subject->finish(rt.subject->ctx);
	leave();
}

void sched_run(void)
{
	unsigned n = rt.subject->threads;

	failed = pruned = false;
	rt.freeing = false;
	rt.waited = false;
	rt.step = 0;
	rt.atomics = 0;
	rt.events = 0;
	rt.pollers = 0;
	rt.away = 0;
	rt.doing = (struct footprint){0};
	rt.enabled = rt.unfinished = (uint8_t)((1u << n) - 1);
	for (unsigned t = 0; t < n; t++)
		reset_thread(t, thread_entry);
	reset_thread(THREAD_RCU, rcu_entry);
	reset_thread(THREAD_MAIN, finish_entry);
	if (rt.subject->start)
		rt.subject->start(rt.subject->ctx);
	enter(search_decide(rt.enabled, THREAD_ALL));
	if (!failed && !pruned)
		finish();
	memory_restore();
	port_model_restore();
}

int sched_setup(void)
{
	struct coroutine all[THREAD_ALL];
	int rc = coroutine_setup(all, THREAD_ALL);

	for (unsigned t = 0; t < THREAD_ALL; t++)
		rt.threads[t].coroutine = all[t];
	rt.quiet = true;
	return rc;
}
