/* SPDX-License-Identifier: MIT */
/*
 * Plans against a brute-force reading of what a conflict is: every pair of events is looked at, and
 * what must have happened before what is computed from nothing but queues and waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plan.h"
#include "random_trace.h"

#define MAX_WORKERS 4

/* ---- what a conflict is ---- */

static bool concerns_whole(const struct trace_event *e, uint32_t space)
{
	if (e->op == OP_FORK)
		return e->space == space || e->arg == space;
	if (e->op == OP_EXEC)
		return e->arg == space;
	return e->op == OP_EXIT && e->space == space;
}

static bool uses(const struct trace_event *e, uint32_t space)
{
	return e->space == space || ((e->op == OP_FORK || e->op == OP_EXEC) && e->arg == space);
}

static bool has_range(const struct trace_event *e)
{
	return e->len > 0;
}

static bool overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static bool ranges_overlap(const struct trace_event *a, const struct trace_event *b)
{
	if (!has_range(a) || !has_range(b))
		return false;
	return overlap(a->va, a->len, b->va, b->len) ||
	       overlap(a->new_va, a->new_len, b->va, b->len) ||
	       overlap(a->va, a->len, b->new_va, b->new_len) ||
	       overlap(a->new_va, a->new_len, b->new_va, b->new_len);
}

static bool conflict_in(const struct trace_event *a, const struct trace_event *b, uint32_t space)
{
	if (!uses(a, space) || !uses(b, space))
		return false;
	if (concerns_whole(a, space) || concerns_whole(b, space))
		return true;
	return ranges_overlap(a, b);
}

static bool conflict(const struct trace_event *a, const struct trace_event *b)
{
	if (conflict_in(a, b, a->space))
		return true;
	return (a->op == OP_FORK || a->op == OP_EXEC) && conflict_in(a, b, a->arg);
}

/* ---- what a plan guarantees ---- */

struct place {
	uint32_t worker, position;
	uint32_t seen[MAX_WORKERS]; /* events of each worker completed before it */
};

static struct place *place_events(const struct trace *t, const struct plan *p)
{
	struct place *places = calloc(t->nr_events, sizeof(*places));
	uint32_t placed = 0;

	for (uint32_t w = 0; w < p->workers; w++) {
		const struct plan_queue *q = &p->queues[w];

		for (uint32_t i = 0; i < q->nr_steps; i++) {
			uint32_t event = q->steps[i].event;

			assert_true(event < t->nr_events);
			assert_true(i == 0 || q->steps[i - 1].event < event);
			places[event].worker = w;
			places[event].position = i;
			placed++;
		}
	}
	assert_int_equal(placed, t->nr_events);
	return places;
}

static void see(struct place *self, const struct place *before)
{
	for (unsigned w = 0; w < MAX_WORKERS; w++) {
		if (self->seen[w] < before->seen[w])
			self->seen[w] = before->seen[w];
	}
	if (self->seen[before->worker] < before->position + 1)
		self->seen[before->worker] = before->position + 1;
}

/* In file order; a wait for a later event would make `seen` of that one incomplete, so refuse it. */
static void follow_waits(const struct trace *t, const struct plan *p, struct place *places)
{
	for (uint32_t i = 0; i < t->nr_events; i++) {
		const struct plan_queue *q = &p->queues[places[i].worker];
		uint32_t position = places[i].position;
		uint32_t wait = position ? q->steps[position - 1].wait_end : 0;

		if (position)
			see(&places[i], &places[q->steps[position - 1].event]);
		for (; wait < q->steps[position].wait_end; wait++) {
			const struct plan_queue *other = &p->queues[q->waits[wait].worker];
			uint32_t target;

			assert_true(q->waits[wait].count > 0);
			assert_true(q->waits[wait].count <= other->nr_steps);
			target = other->steps[q->waits[wait].count - 1].event;
			assert_true(other != q);
			assert_true(target < i);
			/* No wait without need: the threads run freely otherwise. */
			assert_true(conflict(&t->events[target], &t->events[i]));
			see(&places[i], &places[target]);
		}
		assert_int_equal(wait, q->steps[position].wait_end);
	}
}

static void check_plan(const struct trace *t, unsigned workers)
{
	struct place *places;
	struct plan p;

	plan_build(t, workers, &p);
	places = place_events(t, &p);
	follow_waits(t, &p, places);
	for (uint32_t j = 0; j < t->nr_events; j++) {
		for (uint32_t i = 0; i < j; i++) {
			if (places[j].seen[places[i].worker] > places[i].position)
				continue;
			if (conflict(&t->events[i], &t->events[j]))
				fail_msg("%u workers: event %u does not wait for event %u", workers,
					 j, i);
		}
	}
	free(places);
	plan_free(&p);
}

/* ---- the tests ---- */

static void random_traces_keep_their_conflicts_in_order(void **state)
{
	struct random_trace random;

	(void)state;
	srand(3);
	for (unsigned round = 0; round < 400; round++) {
		random_trace(&random);
		for (unsigned workers = 1; workers <= MAX_WORKERS; workers++)
			check_plan(&random.trace, workers);
	}
}

static void a_shipped_trace_keeps_its_conflicts_in_order(void **state)
{
	static const char *const names[] = {TRACES "/nginx.ptt.zst", TRACES "/edges.ptt.zst"};
	struct trace_error error;
	struct trace t;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		if (trace_read(names[i], &t, &error))
			fail_msg("%s", error.text);
		check_plan(&t, 2);
		check_plan(&t, 3);
		trace_free(&t);
	}
}

static void threads_stay_together_and_loads_are_even(void **state)
{
	struct trace_event events[90];
	struct trace t = {.events = events, .nr_events = 90, .nr_spaces = 1, .nr_threads = 5};
	static const uint32_t owner[9] = {0, 1, 0, 2, 0, 3, 1, 0, 4}; /* 40, 20, 10, 10, 10 */
	int worker[5] = {-1, -1, -1, -1, -1};
	struct plan p;

	(void)state;
	for (uint32_t i = 0; i < 90; i++)
		events[i] = (struct trace_event){.op = OP_FAULT,
						 .va = i << TRACE_PAGE_SHIFT,
						 .len = TRACE_PAGE,
						 .thread = owner[i % 9]};
	plan_build(&t, 2, &p);
	assert_int_equal(p.queues[0].nr_steps + p.queues[1].nr_steps, 90);
	assert_int_equal(abs((int)p.queues[0].nr_steps - 45), 5);
	for (int w = 0; w < 2; w++) {
		for (uint32_t i = 0; i < p.queues[w].nr_steps; i++) {
			int *mine = &worker[events[p.queues[w].steps[i].event].thread];

			assert_true(*mine == -1 || *mine == w);
			*mine = w;
		}
	}
	/* Different pages: nobody waits. */
	assert_int_equal(p.conflicts, 0);
	assert_int_equal(p.waiting, 0);
	plan_free(&p);
}

/* Thread 0 unmaps ten pages, thread 1 uses one after the other: one wait is enough. */
static void what_was_waited_for_is_not_waited_for_again(void **state)
{
	struct trace_event events[20];
	struct trace t = {.events = events, .nr_events = 20, .nr_spaces = 1, .nr_threads = 2};
	struct plan p;

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		events[i] = (struct trace_event){.op = OP_FAULT,
						 .va = (uint64_t)(i % 10) << TRACE_PAGE_SHIFT,
						 .len = TRACE_PAGE,
						 .thread = i >= 10};
	events[9] = (struct trace_event){.op = OP_UNMAP, .len = 10 * TRACE_PAGE};
	plan_build(&t, 2, &p);
	assert_int_equal(p.conflicts, 10);
	assert_int_equal(p.waiting, 1);
	assert_int_equal(p.queues[1].nr_waits, 1);
	assert_int_equal(p.queues[1].waits[0].worker, 0);
	assert_int_equal(p.queues[1].waits[0].count, 10);
	plan_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_traces_keep_their_conflicts_in_order),
		cmocka_unit_test(a_shipped_trace_keeps_its_conflicts_in_order),
		cmocka_unit_test(threads_stay_together_and_loads_are_even),
		cmocka_unit_test(what_was_waited_for_is_not_waited_for_again),
	};

	return cmocka_run_group_tests_name("replay_plan", tests, NULL, NULL);
}
