/* SPDX-License-Identifier: MIT */
/* A thread of the stress run, and the arena in which all of them meet. */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "cpu.h"
#include "frames.h"
#include "op.h"
#include "random.h"
#include "space.h"

#define THREADS_MOST 256u

struct arena;
struct logbook;
struct place;

struct worker {
	_Alignas(128) struct arena *arena;
	unsigned index;
	int where; /* CPU of the system it is bound to, or -1 */
	pthread_t id;
	struct pt_thread *self;
	struct cpu *cpu;
	struct rng rng;
	struct purse purse;
	struct op op;         /* that it is in; others read it for reports only */
	bool outer;           /* ranges of calls go on to where entries of level 3 begin and end */
	bool *stale;          /* of each page: it changed what CPUs may have cached */
	value_t *old;         /* of each page: what it held before the step */
	_Atomic uint64_t ops; /* begun */
	_Atomic uint64_t parked; /* phases it has ended */
	uint64_t exact, loose;   /* queries judged by values, or that could not be */
	uint64_t limit;          /* operations until it ends the phase for all */
};

/* What the kinds of operations weigh. */
struct mix {
	uint32_t weight[OP_KINDS];
	uint32_t sum;
};

/* What happens in one round: a table from its creation to its end. */
struct arena {
	struct pt_pool *pool;
	struct pt_table *table;
	struct pt_thread *self; /* the main thread's */
	const struct pt_strategy_info *strategy;
	const struct pt_format_info *format;
	struct space space;
	struct frames frames;
	struct machine machine;
	struct mix mix;
	uint64_t seed;
	const struct place *place;
	unsigned nr_workers;
	struct worker *workers;
	_Atomic uint64_t phase;  /* odd: running; even: all stop */
	_Atomic bool leave;      /* threads end at the next stop */
	uint64_t rounds, phases; /* so far, for the seed */
	struct logbook *logbook; /* NULL: no histories */
	unsigned readers;        /* threads that only look: the last ones */
};

/*
 * Phases differ in what there is of: only cursors, so that every value is exact; only shots, so that
 * the short ways meet; both.
 */
static inline bool phase_has_only_cursors(const struct arena *a)
{
	return a->phases % 4 < 2;
}

static inline bool isolates_slots(const struct arena *a)
{
	return a->strategy->isolation == PT_ISOLATION_SLOT;
}

static inline bool phase_has_only_shots(const struct arena *a)
{
	return isolates_slots(a) ? !phase_has_only_cursors(a) : a->phases % 4 == 2;
}

/* The calling thread's, or NULL. */
extern _Thread_local struct worker *worker_self;

void *worker_main(void *worker);

/* Round an operation: see op.h. */
void op_begin(struct worker *w, enum op_kind kind, uint32_t from, uint32_t to);
void op_end(struct worker *w, int rc);

static inline uint32_t worker_below(struct worker *w, uint32_t limit)
{
	return rng_below(&w->rng, limit);
}

static inline bool worker_one_in(struct worker *w, uint32_t n)
{
	return !rng_below(&w->rng, n);
}

static inline struct page *page_at(struct worker *w, uint32_t i)
{
	return &w->arena->space.pages[i];
}

/* ---- operations; each is one op ---- */

void run_look(struct worker *w, enum op_kind kind);     /* OP_QUERY..OP_ACCESS */
void run_hardware(struct worker *w, enum op_kind kind); /* OP_READ, OP_WRITE */
void run_cursor(struct worker *w);
void run_shot(struct worker *w, enum op_kind kind); /* OP_MAP..OP_MARK */
void run_upkeep(struct worker *w, enum op_kind kind);

/* Part of a shot: see by a cursor what the pages hold by now. */
void settle_by_cursor(struct worker *w, uint32_t from, uint32_t to);

/* ---- what they share ---- */

/* Pages for a call: a few, a block, some blocks. */
void pick_pages(struct worker *w, uint32_t *ret_from, uint32_t *ret_to);

static inline pt_va_t range_va(const struct space *s, uint32_t from)
{
	return s->pages[from].va;
}

static inline pt_va_t page_last(const struct space *s, const struct page *p)
{
	return p->va + (p->pages * s->page_bytes - 1);
}

static inline uint64_t range_len(const struct space *s, uint32_t from, uint32_t to)
{
	return page_last(s, &s->pages[to]) - s->pages[from].va + 1;
}

/*
 * A call on pages may reach out to where the entry of level 3 begins or ends in which they lie, if
 * there are no other pages before or behind them: then trees of tables go at once.
 */
pt_va_t call_first(const struct worker *w, uint32_t from);
pt_va_t call_last(const struct worker *w, uint32_t to);

static inline uint64_t call_len(const struct worker *w, uint32_t from, uint32_t to)
{
	return call_last(w, to) - call_first(w, from) + 1;
}

/* A leaf was removed, and flushed: the gather's callback, with the worker as context. */
void leaf_removed(void *ctx, pt_va_t va, const struct pt_item *item);

/* Properties of a new leaf, and changes of properties. */
pt_prop_t pick_prop(struct worker *w);
void pick_change(struct worker *w, pt_prop_t *ret_set, pt_prop_t *ret_clear);

/* Values of a page under a change of properties. */
static inline value_t value_changed(value_t value, pt_prop_t set, pt_prop_t clear)
{
	return value_is_leaf(value) ? (value & ~(value_t)clear) | set : value;
}

/* Lend frames for pages from..to, which lie in one block. */
struct lease *lend(struct worker *w, uint32_t from, uint32_t to, unsigned max_level);

/* Is a leaf that was found, by who holds its page, what is lent for that page? */
void judge_held_leaf(struct worker *w, const struct page *p, value_t value);

#endif
