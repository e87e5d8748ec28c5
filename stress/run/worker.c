/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <string.h>

#include "inject.h"
#include "logbook.h"
#include "place.h"
#include "verdict.h"
#include "worker.h"

_Thread_local struct worker *worker_self;

void op_begin(struct worker *w, enum op_kind kind, uint32_t from, uint32_t to)
{
	struct op *op = &w->op;

	op->kind = kind;
	op->step = NULL;
	op->from = from;
	op->to = to;
	op->number = atomic_load_explicit(&w->ops, memory_order_relaxed) + 1;
	op->judged = WINDOW_UNKNOWN;
	atomic_store_explicit(&w->ops, op->number, memory_order_relaxed);
}

void op_end(struct worker *w, int rc)
{
	w->op.rc = rc;
	w->op.kind = OP_NONE;
	w->op.step = NULL;
}

static enum op_kind pick_kind(struct worker *w)
{
	const struct mix *mix = &w->arena->mix;
	uint32_t at = worker_below(w, mix->sum);
	unsigned kind = 0;

	while (at >= mix->weight[kind])
		at -= mix->weight[kind++];
	return (enum op_kind)kind;
}

static bool is_left_out(struct worker *w, enum op_kind kind)
{
	const struct arena *a = w->arena;

	if (kind >= OP_CURSOR && w->index >= a->nr_workers - a->readers)
		return true;
	if (kind >= OP_MAP && kind <= OP_MARK)
		return phase_has_only_cursors(a);
	return kind == OP_CURSOR && phase_has_only_shots(a);
}

static void run_one(struct worker *w)
{
	enum op_kind kind;

	do
		kind = pick_kind(w);
	while (is_left_out(w, kind));
	if (kind <= OP_ACCESS)
		run_look(w, kind);
	else if (kind <= OP_WRITE)
		run_hardware(w, kind);
	else if (kind == OP_CURSOR)
		run_cursor(w);
	else if (kind <= OP_MARK)
		run_shot(w, kind);
	else
		run_upkeep(w, kind);
}

static uint64_t phase_of(struct arena *a)
{
	/* Acquire: what the main thread did while all stood; pairs with its release. */
	return atomic_load_explicit(&a->phase, memory_order_acquire);
}

/*
 * Announcing quiescence, for others may wait for grace periods. Phases with odd numbers run; one may
 * be over before this thread has noticed that it began. Return: the phase to run, or 0: to leave.
 */
static uint64_t wait_for_phase(struct worker *w)
{
	struct arena *a = w->arena;
	uint64_t phase;

	while (!((phase = phase_of(a)) & 1)) {
		if (atomic_load_explicit(&a->leave, memory_order_acquire))
			return 0;
		/* Release: what this thread did comes before what the main thread will look at. */
		atomic_store_explicit(&w->parked, phase, memory_order_release);
		pt_thread_quiescent(w->self);
		sched_yield();
	}
	return phase;
}

/* The sequence of operations in a phase follows from seed, thread and phase alone. */
static void run_phase(struct worker *w, uint64_t phase)
{
	struct arena *a = w->arena;
	uint64_t last = atomic_load_explicit(&w->ops, memory_order_relaxed) + w->limit;

	rng_seed(&w->rng, a->seed + a->phases * THREADS_MOST, w->index);
	inject_thread(a->seed, a->phases * THREADS_MOST + w->index);
	while (atomic_load_explicit(&a->phase, memory_order_relaxed) == phase &&
	       atomic_load_explicit(&w->ops, memory_order_relaxed) < last && logbook_has_room(w) &&
	       !verdict_failed()) {
		run_one(w);
		pt_thread_quiescent(w->self);
	}
	inject_thread_off();
	/* The first who is done ends it for all. */
	atomic_compare_exchange_strong_explicit(&a->phase, &phase, phase + 1, memory_order_release,
						memory_order_relaxed);
}

void *worker_main(void *argument)
{
	struct worker *w = argument;
	uint64_t phase;

	worker_self = w;
	if (place_bind(w->arena->place, w->where))
		w->where = -1;
	if (pt_thread_register(w->arena->pool, &w->self)) {
		verdict_fail("C2", 0, "a thread cannot be registered");
		return NULL;
	}
	while ((phase = wait_for_phase(w)))
		run_phase(w, phase);
	if (pt_thread_unregister(w->self))
		verdict_fail("C2", 0, "a thread cannot be unregistered");
	return NULL;
}

/* ---- what operations share ---- */

pt_va_t call_first(const struct worker *w, uint32_t from)
{
	const struct space *s = &w->arena->space;
	pt_va_t va = s->pages[from].va, begin = va - va % s->outer_bytes;

	return w->outer && (!from || s->pages[from - 1].va < begin) ? begin : va;
}

pt_va_t call_last(const struct worker *w, uint32_t to)
{
	const struct space *s = &w->arena->space;
	pt_va_t last = page_last(s, &s->pages[to]), end = last | (s->outer_bytes - 1);

	return w->outer && (to + 1 == s->nr_pages || s->pages[to + 1].va > end) ? end : last;
}

/* All pages in the same entry of level 3. */
static void pick_outer(struct worker *w, uint32_t from, uint32_t *ret_from, uint32_t *ret_to)
{
	const struct space *s = &w->arena->space;
	uint64_t outer = s->pages[from].va / s->outer_bytes;

	for (*ret_from = from; *ret_from && s->pages[*ret_from - 1].va / s->outer_bytes == outer;)
		--*ret_from;
	for (*ret_to = from;
	     *ret_to + 1 < s->nr_pages && s->pages[*ret_to + 1].va / s->outer_bytes == outer;)
		++*ret_to;
}

void pick_pages(struct worker *w, uint32_t *ret_from, uint32_t *ret_to)
{
	const struct space *s = &w->arena->space;
	uint32_t from = worker_below(w, s->nr_pages), n = 1;
	uint32_t block = s->pages[from].block, blocks;

	w->outer = worker_one_in(w, 2);
	switch (worker_below(w, 16)) {
	default:
		break;
	case 8 ... 11:
		n = 2 + worker_below(w, 3);
		break;
	case 12 ... 14: /* a block, as the calls on tables and huge pages need */
		if (s->block_pages > 8 && s->nr_pages > 512 && !worker_one_in(w, 16))
			break;
		*ret_from = s->first[block];
		*ret_to = s->first[block + 1] - 1;
		return;
	case 15:
		if (s->nr_pages > 512 && !worker_one_in(w, 32))
			break;
		if (s->nr_pages <= 512 && worker_one_in(w, 2)) {
			pick_outer(w, from, ret_from, ret_to);
			return;
		}
		blocks = 1 + worker_below(w, s->nr_blocks - block < 4 ? s->nr_blocks - block : 4);
		*ret_from = s->first[block];
		*ret_to = s->first[block + blocks] - 1;
		return;
	}
	*ret_from = from;
	*ret_to = from + n <= s->nr_pages ? from + n - 1 : s->nr_pages - 1;
}

void leaf_removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct worker *w = ctx;
	struct arena *a = w->arena;
	struct lease *l = lease_of(&a->frames, item->pa);
	uint32_t pages = item->level == 1 ? 1 : a->space.block_pages;

	if (!l || item->level > 2 || !lease_is_at(&a->frames, l, item->pa, va))
		verdict_fail("R2", va, "a leaf is said to be removed that is not mapped here");
	else
		lease_removed(&a->frames, l, va, pages, item->prop & PT_DIRTY);
}

pt_prop_t pick_prop(struct worker *w)
{
	uint32_t dice = worker_below(w, 16);

	return PT_READ | PT_USER | (w->arena->frames.tracked ? PT_TRACKED : 0) |
	       (dice & 3 ? PT_WRITE : 0) | (dice & 4 ? PT_SOFT0 : 0) | (dice & 8 ? PT_SOFT1 : 0);
}

void pick_change(struct worker *w, pt_prop_t *ret_set, pt_prop_t *ret_clear)
{
	uint32_t dice = worker_below(w, 8);

	*ret_set =
		(dice & 1 ? PT_WRITE : 0) | (dice & 2 ? PT_SOFT0 : 0) | (dice & 4 ? PT_SOFT1 : 0);
	*ret_clear = (PT_WRITE | PT_SOFT0 | PT_SOFT1) & ~*ret_set;
}

struct lease *lend(struct worker *w, uint32_t from, uint32_t to, unsigned max_level)
{
	struct arena *a = w->arena;
	struct space *s = &a->space;
	uint32_t pages = (uint32_t)(range_len(s, from, to) / s->page_bytes);
	uint32_t block = s->pages[from].block;
	bool whole = pages == s->block_pages && max_level > 1;

	return lease_take(&a->frames, &w->purse, s->pages[from].va, pages,
			  range_va(s, s->first[block]), whole ? 1 : pages);
}

void judge_held_leaf(struct worker *w, const struct page *p, value_t value)
{
	struct arena *a = w->arena;
	struct lease *l = lease_of(&a->frames, value_pa(value));
	char text[VALUE_TEXT];

	if (!l)
		verdict_fail("R1", p->va, "a cursor finds %s",
			     LIFE_OF(value_pa(value)) == LIFE_MASK
				     ? "what free nodes are filled with"
				     : "memory that nobody has mapped");
	else if (!lease_is_at(&a->frames, l, value_pa(value), p->va) ||
		 atomic_load_explicit(&l->gone, memory_order_relaxed))
		verdict_fail("C1", p->va,
			     "a cursor finds %s, which was removed or never mapped here",
			     value_text(text, value));
}
