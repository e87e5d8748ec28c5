/* SPDX-License-Identifier: MIT */
/*
 * Calls without a cursor: the short ways. Several may meet on one page, so nobody owns the values; but
 * each mapping is removed exactly once (frames.c), and what holds when all stand still is exact
 * (settle.c). A shot that nobody disturbed is judged by the values before it.
 */
#include <inttypes.h>

#include "inject.h"
#include "logbook.h"
#include "verdict.h"
#include "worker.h"

#define QUIET_MOST 8u

struct shot {
	uint32_t from, to;
	uint64_t call;
	bool quiet; /* nobody else was there before, */
	value_t before[QUIET_MOST];
	uint64_t begun[QUIET_MOST], shots[QUIET_MOST];
};

static void announce(struct worker *w, struct shot *s, uint32_t from, uint32_t to)
{
	s->from = from;
	s->to = to;
	s->quiet = to - from < QUIET_MOST;
	for (uint32_t i = from; i <= to; i++) {
		struct page *p = page_at(w, i);

		if (s->quiet) {
			s->shots[i - from] = load64(&p->shots_begun);
			s->quiet = page_quiet(p, &s->before[i - from], &s->begun[i - from]);
		}
		atomic_fetch_add_explicit(&p->shots_begun, 1, memory_order_relaxed);
	}
	s->call = logbook_call(w);
}

/*
 * Pages hold now what the call, which returned @rc, made of them: a leaf of @l, or else @value. Where slots
 * are isolated a call that failed has come some way. Return: how far, in bytes.
 */
static uint64_t made(struct worker *w, const struct shot *s, enum op_kind kind, int rc,
		     const struct lease *l, value_t value)
{
	const struct arena *a = w->arena;
	const pt_va_t va = page_at(w, s->from)->va;
	uint64_t done = !rc                 ? range_len(&a->space, s->from, s->to)
			: isolates_slots(a) ? pt_thread_done(w->self)
					    : 0;

	for (uint32_t i = s->from; i <= s->to && page_at(w, i)->va - va < done; i++) {
		if (l)
			value = value_leaf(lease_pa(&a->frames, l, page_at(w, i)->va), PT_READ);
		logbook_makes(w, i, value, 0, s->call, kind);
	}
	logbook_made(w);
	return done;
}

/* ... or after it, while it ran. */
static bool stayed_quiet(struct worker *w, const struct shot *s)
{
	if (!s->quiet)
		return false;
	for (uint32_t i = s->from; i <= s->to; i++) {
		struct page *p = page_at(w, i);

		if (load64(&p->shots_begun) != s->shots[i - s->from] + 1 ||
		    load64(&p->begun) != s->begun[i - s->from])
			return false;
	}
	return true;
}

static void finish(struct worker *w, const struct shot *s)
{
	for (uint32_t i = s->from; i <= s->to; i++)
		atomic_fetch_add_explicit(&page_at(w, i)->shots_done, 1, memory_order_relaxed);
}

static uint64_t mapped(struct worker *w, const struct shot *s)
{
	uint64_t pages = 0;

	for (uint32_t i = s->from; i <= s->to; i++)
		if (value_is_leaf(s->before[i - s->from]))
			pages += page_at(w, i)->pages;
	return pages;
}

static void judge_call(struct worker *w, const struct shot *s, const char *call, int rc, bool fills,
		       uint64_t pages)
{
	pt_va_t va = page_at(w, s->from)->va;
	int expected;

	if (rc && !(fills && rc == -EEXIST))
		verdict_fail("C2", va, "%s returns %d", call, rc);
	if (!stayed_quiet(w, s))
		return;
	w->exact++;
	expected = fills && mapped(w, s) ? -EEXIST : 0;
	if (rc != expected)
		verdict_fail("C1", va, "%s returns %d, must return %d: nobody else was there", call,
			     rc, expected);
	else if (!rc && !fills && pages != mapped(w, s))
		verdict_fail("C1", va,
			     "%s says %" PRIu64 " pages, of which %" PRIu64 " were mapped", call,
			     pages, mapped(w, s));
}

/* ---- calls ---- */

static int shot_map(struct worker *w, struct shot *s)
{
	struct arena *a = w->arena;
	unsigned max_level = 1 + worker_below(w, 2);
	struct lease *l = lend(w, s->from, s->to, max_level);
	pt_va_t va = page_at(w, s->from)->va;
	uint64_t done;
	int rc;

	if (!l) {
		s->quiet = false;
		return 0;
	}
	rc = pt_map(w->self, a->table, va, range_len(&a->space, s->from, s->to),
		    lease_pa(&a->frames, l, va), pick_prop(w), max_level);
	done = made(w, s, OP_MAP, rc, l, VALUE_EMPTY);
	if (rc)
		lease_return_rest(&a->frames, l, done);
	judge_call(w, s, "pt_map()", rc, true, 0);
	return rc;
}

/* With a gather of its own, or with that of the call, if frames need not be told. */
static struct pt_gather *open_gather(struct worker *w, struct pt_gather *g)
{
	struct arena *a = w->arena;

	if (!a->frames.reported && worker_one_in(w, 2))
		return NULL;
	pt_gather_init(g, w->self, a->table, a->frames.reported ? leaf_removed : NULL, w);
	return g;
}

static void sync(struct worker *w, const struct shot *s, struct pt_gather *g)
{
	int rc;

	inject_here();
	rc = g ? pt_gather_sync(g) : 0;
	if (rc)
		verdict_fail("C1", page_at(w, s->from)->va, "pt_gather_sync() returns %d", rc);
}

static int shot_unmap(struct worker *w, struct shot *s)
{
	struct arena *a = w->arena;
	struct pt_gather storage, *g = open_gather(w, &storage);
	uint64_t pages = 0;
	int rc = pt_unmap(w->self, a->table, call_first(w, s->from), call_len(w, s->from, s->to), g,
			  &pages);

	made(w, s, OP_UNMAP, rc, NULL, VALUE_EMPTY);
	judge_call(w, s, "pt_unmap()", rc, false, pages);
	sync(w, s, g);
	return rc;
}

static int shot_protect(struct worker *w, struct shot *s)
{
	struct arena *a = w->arena;
	struct pt_gather storage, *g = open_gather(w, &storage);
	uint64_t pages = 0;
	pt_prop_t set, clear;
	int rc;

	pick_change(w, &set, &clear);
	rc = pt_protect(w->self, a->table, call_first(w, s->from), call_len(w, s->from, s->to), set,
			clear, g, &pages);
	judge_call(w, s, "pt_protect()", rc, false, pages);
	sync(w, s, g);
	return rc;
}

static int shot_mark(struct worker *w, struct shot *s)
{
	struct arena *a = w->arena;
	uint64_t mark = worker_below(w, 1u << 16);
	int rc = pt_mark(w->self, a->table, page_at(w, s->from)->va,
			 range_len(&a->space, s->from, s->to), mark);

	made(w, s, OP_MARK, rc, NULL, value_mark(mark));
	judge_call(w, s, "pt_mark()", rc, true, 0);
	return rc;
}

void run_shot(struct worker *w, enum op_kind kind)
{
	struct space *space = &w->arena->space;
	uint32_t from, to, last;
	struct shot s;
	int rc;

	pick_pages(w, &from, &to);
	/* Physical memory in a row is lent for one block at most. */
	last = space->first[page_at(w, from)->block + 1] - 1;
	if (kind == OP_MAP && to > last)
		to = last;
	op_begin(w, kind, from, to);
	announce(w, &s, from, to);
	rc = kind == OP_MAP     ? shot_map(w, &s)
	     : kind == OP_UNMAP ? shot_unmap(w, &s)
	     : kind == OP_MARK  ? shot_mark(w, &s)
				: shot_protect(w, &s);
	finish(w, &s);
	if (worker_one_in(w, 4) && !isolates_slots(w->arena))
		settle_by_cursor(w, from, to);
	op_end(w, rc);
}
