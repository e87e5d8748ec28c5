/* SPDX-License-Identifier: MIT */
#include "plan.h"
#include "spans.h"
#include "xalloc.h"

#define NO_EVENT UINT32_MAX

/*
 * All that touch a page are ordered, so the last one to touch it stands for all before: it has
 * waited for them. The same holds for the last event that concerned the whole space.
 */
struct plan_space {
	struct spans touched; /* pages; value: the last event that touched them */
	uint32_t *last;       /* for each worker: events it has to complete for this space */
	uint32_t whole;       /* NO_EVENT: none yet */
};

struct planner {
	const struct trace *t;
	struct plan *plan;
	uint32_t *worker_of; /* thread -> worker */
	uint32_t *position;  /* event -> index in its worker's queue */
	struct plan_space *spaces;
	uint32_t *need;  /* worker -> events the one being planned must see completed */
	uint32_t *known; /* [worker][other]: events waited for already */
};

struct load {
	uint32_t thread;
	uint32_t events;
};

static int compare_load(const void *a, const void *b)
{
	const struct load *x = a, *y = b;

	if (x->events != y->events)
		return x->events < y->events ? 1 : -1;
	return (x->thread > y->thread) - (x->thread < y->thread);
}

/* The busiest thread first, each to the worker that has least to do. */
static void assign_threads(struct planner *pl)
{
	uint32_t n = pl->t->nr_threads;
	struct load *loads = xcalloc(n, sizeof(*loads));
	uint64_t *sums = xcalloc(pl->plan->workers, sizeof(*sums));

	for (uint32_t i = 0; i < n; i++)
		loads[i].thread = i;
	for (uint32_t i = 0; i < pl->t->nr_events; i++)
		loads[pl->t->events[i].thread].events++;
	qsort(loads, n, sizeof(*loads), compare_load);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t best = 0;

		for (uint32_t w = 1; w < pl->plan->workers; w++) {
			if (sums[w] < sums[best])
				best = w;
		}
		pl->worker_of[loads[i].thread] = best;
		sums[best] += loads[i].events;
	}
	free(sums);
	free(loads);
}

static uint32_t worker_of(const struct planner *pl, uint32_t event)
{
	return pl->worker_of[pl->t->events[event].thread];
}

static void need_event(struct planner *pl, uint32_t event)
{
	uint32_t *need = &pl->need[worker_of(pl, event)];

	if (*need < pl->position[event] + 1)
		*need = pl->position[event] + 1;
}

/* @event uses the space, after what concerned it as a whole. */
static void use_space(struct planner *pl, struct plan_space *s, uint32_t event)
{
	if (s->whole != NO_EVENT)
		need_event(pl, s->whole);
	s->last[worker_of(pl, event)] = pl->position[event] + 1;
}

static void touch_pages(struct planner *pl, struct plan_space *s, uint32_t event, uint64_t va,
			uint64_t len)
{
	uint64_t start = va >> TRACE_PAGE_SHIFT, end = start + (len >> TRACE_PAGE_SHIFT);
	struct span *p;

	for (p = spans_next(&s->touched, start); p && p->start < end;
	     p = spans_next(&s->touched, p->end)) {
		if (p->value != event)
			need_event(pl, (uint32_t)p->value);
	}
	spans_assign(&s->touched, start, end, event);
}

/* @event concerns the whole space: it comes after all earlier events, and before all later ones. */
static void take_space(struct planner *pl, struct plan_space *s, uint32_t event)
{
	use_space(pl, s, event);
	for (uint32_t w = 0; w < pl->plan->workers; w++) {
		if (w != worker_of(pl, event) && pl->need[w] < s->last[w])
			pl->need[w] = s->last[w];
	}
	s->whole = event;
	spans_clear(&s->touched);
}

static void find_conflicts(struct planner *pl, uint32_t event)
{
	const struct trace_event *e = &pl->t->events[event];
	struct plan_space *s = &pl->spaces[e->space];

	switch (e->op) {
	case OP_FORK:
		take_space(pl, s, event);
		take_space(pl, &pl->spaces[e->arg], event);
		break;
	case OP_EXEC:
		use_space(pl, s, event);
		take_space(pl, &pl->spaces[e->arg], event);
		break;
	case OP_EXIT:
		take_space(pl, s, event);
		break;
	case OP_MOVE:
		use_space(pl, s, event);
		touch_pages(pl, s, event, e->va, e->len);
		touch_pages(pl, s, event, e->new_va, e->new_len);
		break;
	default:
		use_space(pl, s, event);
		touch_pages(pl, s, event, e->va, e->len);
		break;
	}
}

/* Turn needs into the waits that are not implied by earlier ones. */
static void append_waits(struct planner *pl, uint32_t self, struct plan_queue *q)
{
	uint32_t *known = pl->known + (size_t)self * pl->plan->workers;
	uint32_t before = q->nr_waits;
	bool conflict = false;

	for (uint32_t w = 0; w < pl->plan->workers; w++) {
		uint32_t need = pl->need[w];

		pl->need[w] = 0;
		if (w == self || need == 0)
			continue;
		conflict = true;
		if (need <= known[w])
			continue;
		known[w] = need;
		q->waits = xgrow(q->waits, q->nr_waits, &q->room_waits, sizeof(*q->waits));
		q->waits[q->nr_waits++] = (struct plan_wait){.worker = w, .count = need};
	}
	pl->plan->conflicts += conflict;
	pl->plan->waiting += q->nr_waits > before;
}

static void append_event(struct planner *pl, uint32_t event)
{
	uint32_t self = worker_of(pl, event);
	struct plan_queue *q = &pl->plan->queues[self];

	pl->position[event] = q->nr_steps;
	find_conflicts(pl, event);
	append_waits(pl, self, q);
	q->steps = xgrow(q->steps, q->nr_steps, &q->room_steps, sizeof(*q->steps));
	q->steps[q->nr_steps++] = (struct plan_step){.event = event, .wait_end = q->nr_waits};
}

void plan_build(const struct trace *t, unsigned workers, struct plan *ret)
{
	struct plan plan = {.workers = workers};
	struct planner pl = {.t = t, .plan = &plan};

	plan.queues = xcalloc(workers, sizeof(*plan.queues));
	pl.worker_of = xcalloc(t->nr_threads, sizeof(*pl.worker_of));
	pl.position = xcalloc(t->nr_events, sizeof(*pl.position));
	pl.spaces = xcalloc(t->nr_spaces, sizeof(*pl.spaces));
	pl.need = xcalloc(workers, sizeof(*pl.need));
	pl.known = xcalloc((size_t)workers * workers, sizeof(*pl.known));
	for (uint32_t i = 0; i < t->nr_spaces; i++) {
		pl.spaces[i].whole = NO_EVENT;
		pl.spaces[i].last = xcalloc(workers, sizeof(*pl.spaces[i].last));
	}
	assign_threads(&pl);
	for (uint32_t i = 0; i < t->nr_events; i++)
		append_event(&pl, i);
	for (uint32_t i = 0; i < t->nr_spaces; i++) {
		spans_clear(&pl.spaces[i].touched);
		free(pl.spaces[i].last);
	}
	free(pl.known);
	free(pl.need);
	free(pl.spaces);
	free(pl.position);
	free(pl.worker_of);
	*ret = plan;
}

void plan_free(struct plan *p)
{
	for (unsigned i = 0; i < p->workers; i++) {
		free(p->queues[i].steps);
		free(p->queues[i].waits);
	}
	free(p->queues);
	*p = (struct plan){0};
}
