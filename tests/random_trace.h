/* SPDX-License-Identifier: MIT */
/* Small traces of every kind of event, dense enough that most pairs of events conflict. */
#ifndef PT_TESTS_RANDOM_TRACE_H
#define PT_TESTS_RANDOM_TRACE_H

#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define RANDOM_EVENTS 60
#define RANDOM_PAGES 12
/* Across the border of two leaf tables. */
#define RANDOM_BASE ((512 - RANDOM_PAGES / 2) * TRACE_PAGE)

struct random_trace {
	struct trace trace;
	struct trace_event events[RANDOM_EVENTS];
	struct trace_space spaces[RANDOM_EVENTS + 1];
};

static inline void random_range(uint64_t *va, uint64_t *len)
{
	uint64_t start = (uint64_t)rand() % RANDOM_PAGES;

	*va = RANDOM_BASE + start * TRACE_PAGE;
	*len = (1 + (uint64_t)rand() % (RANDOM_PAGES - start)) * TRACE_PAGE;
}

static inline enum trace_op random_op(void)
{
	static const enum trace_op ops[] = {
		OP_EXEC, OP_FORK,  OP_FORK,    OP_EXIT,    OP_MOVE,
		OP_MOVE, OP_MOVE,  OP_MAP,     OP_UNMAP,   OP_DONTNEED,
		OP_MAP,  OP_UNMAP, OP_PROTECT, OP_PROTECT, OP_PROTECT,
	};
	unsigned choice = (unsigned)rand() % 40;

	return choice < sizeof(ops) / sizeof(ops[0]) ? ops[choice] : OP_FAULT;
}

static inline void random_details(struct trace *t, struct trace_event *e)
{
	switch (e->op) {
	case OP_FORK:
	case OP_EXEC:
		e->arg = t->nr_spaces++;
		t->spaces[e->arg] = (struct trace_space){.created = true};
		return;
	case OP_EXIT:
		t->spaces[e->space].gone = true;
		return;
	case OP_MOVE:
		random_range(&e->new_va, &e->new_len);
		break;
	case OP_DONTNEED:
		e->arg = 4;
		break;
	default:
		e->arg = (uint32_t)rand() % (e->op == OP_FAULT ? 2 : 8);
		break;
	}
	random_range(&e->va, &e->len);
	if (e->op == OP_FAULT)
		e->len = TRACE_PAGE;
}

/* Events in spaces that have exited are left out, so there may be fewer. */
static inline void random_trace(struct random_trace *r)
{
	struct trace *t = &r->trace;

	memset(r, 0, sizeof(*r));
	t->path = t->name = (char *)"random";
	t->events = r->events;
	t->spaces = r->spaces;
	t->nr_spaces = 1;
	t->nr_threads = 1 + (uint32_t)rand() % 6;
	t->last_va = RANDOM_BASE + RANDOM_PAGES * TRACE_PAGE - 1;
	for (uint32_t i = 0; i < RANDOM_EVENTS; i++) {
		struct trace_event *e = &t->events[t->nr_events];

		*e = (struct trace_event){
			.op = random_op(),
			.space = (uint32_t)rand() % t->nr_spaces,
			.thread = (uint32_t)rand() % t->nr_threads,
			.line = i + 1,
		};
		if (t->spaces[e->space].gone)
			continue;
		t->nr_events++;
		random_details(t, e);
	}
}

#endif
