/* SPDX-License-Identifier: MIT */
/*
 * Transactions. Whoever has a cursor over a page has it alone (C1): its plain words say who that is
 * and what it must hold, and every call of the cursor is judged by what it promises.
 */
#include <inttypes.h>
#include <string.h>

#include "inject.h"
#include "logbook.h"
#include "verdict.h"
#include "worker.h"

#define NOTHING UINT32_MAX

struct transaction {
	struct worker *w;
	struct arena *a;
	struct space *s;
	struct pt_cursor c;
	struct pt_gather g;
	enum pt_mode mode;
	unsigned top;
	uint32_t from, to;
	enum op_kind step; /* for histories */
	uint64_t call;
};

/* ---- what a page holds ---- */

static value_t look(struct transaction *t, pt_va_t va)
{
	struct pt_mapping m = {0};
	int rc = pt_cursor_jump(&t->c, va);

	if (!rc)
		rc = pt_cursor_query(&t->c, &m);
	if (rc)
		verdict_fail("C1", va, "a cursor cannot look at a page of its range: %d", rc);
	if (!rc && (va < m.va || va - m.va >= m.len))
		verdict_fail("C1", va, "a cursor's query describes other addresses");
	if (!rc && m.kind == PT_KIND_LEAF && !!(m.item.prop & PT_TRACKED) != t->a->frames.tracked)
		verdict_fail("C1", va, "a leaf has lost, or gained, PT_TRACKED");
	return value_of(&m, va);
}

/* The value of a wide page's last part, given its first. */
static value_t value_at_end(const struct space *s, const struct page *p, value_t value)
{
	return value_is_leaf(value) ? value_leaf(value_pa(value) + (p->pages - 1) * s->page_bytes,
						 (pt_prop_t)value & VALUE_PROPS)
				    : value;
}

static void judge_page(struct page *p, value_t found, value_t expected, const char *when)
{
	char a[VALUE_TEXT], b[VALUE_TEXT];

	if (found == expected)
		return;
	verdict_fail(LIFE_OF(value_pa(found)) == LIFE_MASK && value_is_leaf(found) ? "R1" : "C1",
		     p->va, "%s the page holds %s, but it must hold %s (value %" PRIu64 ")", when,
		     value_text(a, found), value_text(b, expected), load64(&p->begun));
}

/* Compare a page with its model; or, if shots may have changed it, see what it is by now. */
static void visit_page(struct transaction *t, struct page *p)
{
	uint64_t done = load64(&p->shots_done), settled = load64(&p->settled);
	value_t found = look(t, p->va);
	uint64_t begun = load64(&p->shots_begun);

	if (p->pages > 1)
		judge_page(p, look(t, page_last(t->s, p) - (t->s->page_bytes - 1)),
			   value_at_end(t->s, p, found), "in its last part");
	if (settled == begun) {
		judge_page(p, found, p->value, "when a cursor begins");
		return;
	}
	if (value_is_leaf(found))
		judge_held_leaf(t->w, p, found);
	if (t->mode == PT_READ_ONLY)
		return; /* others may be looking as well */
	if (found != p->value) {
		page_write_begin(p, found);
		page_write_end(p);
	}
	if (done == begun)
		store64(&p->settled, begun);
	else
		store64(&p->settled, UINT64_MAX);
}

/* ---- begin and end ---- */

static void own(struct transaction *t)
{
	const uint64_t me = t->w->index + 1;

	for (uint32_t i = t->from; i <= t->to; i++) {
		struct page *p = page_at(t->w, i);

		if (p->owner)
			verdict_fail("C1", p->va,
				     "thread %u has a cursor over the page, and thread %" PRIu64
				     " has, too",
				     t->w->index, p->owner - 1);
		if (t->mode != PT_READ_ONLY)
			p->owner = me;
		t->w->stale[i] = false;
	}
}

static void disown(struct transaction *t)
{
	const uint64_t me = t->mode == PT_READ_ONLY ? 0 : t->w->index + 1;

	for (uint32_t i = t->from; i <= t->to; i++) {
		struct page *p = page_at(t->w, i);

		if (p->owner != me)
			verdict_fail("C1", p->va,
				     "thread %" PRIu64
				     " has taken the page over while thread %u had "
				     "a cursor over it",
				     p->owner - 1, t->w->index);
		if (me)
			p->owner = 0;
	}
}

static bool begin(struct transaction *t, struct worker *w, enum pt_mode mode, uint32_t from,
		  uint32_t to)
{
	struct arena *a = w->arena;
	bool try = worker_one_in(w, 8);
	int rc;

	t->w = w;
	t->a = a;
	t->s = &a->space;
	t->mode = mode;
	t->from = from;
	t->to = to;
	if (w->outer && worker_one_in(w, 2))
		t->top = a->format->levels;
	else
		t->top = 1 + worker_below(w, worker_one_in(w, 8) ? a->format->levels : 2);
	if (isolates_slots(a) && !pages_reserve(t->s, from, to))
		return false;
	pt_gather_init(&t->g, w->self, a->table, a->frames.reported ? leaf_removed : NULL, w);
	rc = (try ? pt_cursor_try_begin : pt_cursor_begin)(
		w->self, a->table, call_first(w, from), call_len(w, from, to), mode, t->top, &t->c);
	if (rc && isolates_slots(a))
		pages_release(t->s, from, to);
	if (rc == -EBUSY && try)
		return false;
	if (rc) {
		verdict_fail("C1", range_va(t->s, from), "a cursor cannot begin: %d", rc);
		return false;
	}
	own(t);
	for (uint32_t i = from; i <= to; i++)
		visit_page(t, page_at(w, i));
	return true;
}

static void end(struct transaction *t)
{
	int rc;

	disown(t);
	pt_cursor_end(&t->c);
	if (isolates_slots(t->a))
		pages_release(t->s, t->from, t->to);
	t->w->op.step = "syncing";
	inject_here();
	rc = pt_gather_sync(&t->g);
	if (rc)
		verdict_fail("C1", range_va(t->s, t->from), "pt_gather_sync() returns %d", rc);
	for (uint32_t i = t->from; i <= t->to; i++)
		if (t->w->stale[i])
			page_synced(page_at(t->w, i));
}

/* The page's next value; the present one needs a flush if a CPU may have cached more. */
static void change(struct transaction *t, uint32_t i, value_t value)
{
	struct page *p = page_at(t->w, i);
	value_t old = p->value;

	page_write_begin(p, value);
	logbook_makes(t->w, i, value, load64(&p->begun), t->call, t->step);
	if (value_is_leaf(old) &&
	    (((old ^ value) & ~(value_t)0xfff) || (old & ~value & PT_WRITE))) {
		page_stale(p, !t->w->stale[i]);
		t->w->stale[i] = true;
	}
}

static void changed(struct transaction *t, uint32_t from, uint32_t to)
{
	logbook_made(t->w);
	for (uint32_t i = from; i <= to; i++)
		page_write_end(page_at(t->w, i));
}

static uint32_t first_leaf(struct transaction *t, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i <= to; i++)
		if (value_is_leaf(page_at(t->w, i)->value))
			return i;
	return NOTHING;
}

static bool jump(struct transaction *t, pt_va_t va)
{
	int rc = pt_cursor_jump(&t->c, va);

	if (rc)
		verdict_fail("C1", va, "a cursor cannot jump: %d", rc);
	return !rc;
}

/* ---- steps ---- */

static void begin_step(struct transaction *t, enum op_kind kind, const char *name)
{
	t->w->op.step = name;
	t->step = kind;
	t->call = logbook_call(t->w);
}

static void check_rc(struct transaction *t, const char *call, uint32_t i, int rc, int expected)
{
	if (rc != expected)
		verdict_fail(expected ? "C2" : "C1", page_at(t->w, i)->va,
			     "%s returns %d, must return %d", call, rc, expected);
}

/* Map pages from..to, one page or a block, as one item. */
static void map_item(struct transaction *t, uint32_t from, uint32_t to, unsigned level)
{
	struct lease *l = lend(t->w, from, to, level);
	bool taken = first_leaf(t, from, to) != NOTHING;
	int expected = level > t->top ? -ERANGE : taken ? -EEXIST : 0;
	struct pt_item item = {.level = level, .prop = pick_prop(t->w)};
	int rc;

	if (!l || !jump(t, page_at(t->w, from)->va))
		return;
	item.pa = lease_pa(&t->a->frames, l, page_at(t->w, from)->va);
	for (uint32_t i = from; !expected && i <= to; i++)
		change(t, i,
		       value_leaf(lease_pa(&t->a->frames, l, page_at(t->w, i)->va), item.prop));
	rc = pt_cursor_map(&t->c, &item);
	if (!expected)
		changed(t, from, to);
	else
		lease_return(&t->a->frames, l);
	check_rc(t, "pt_cursor_map()", from, rc, expected);
}

/* The block that begins at page i, if it lies in the range. */
static bool whole_block(struct transaction *t, uint32_t i, uint32_t *ret_to)
{
	uint32_t block = page_at(t->w, i)->block;

	*ret_to = t->s->first[block + 1] - 1;
	return t->s->first[block] >= t->from && *ret_to <= t->to;
}

static void step_map(struct transaction *t)
{
	uint32_t i = t->from + worker_below(t->w, t->to - t->from + 1), to;

	begin_step(t, OP_MAP, "map");
	if (whole_block(t, i, &to) && worker_one_in(t->w, 2))
		map_item(t, t->s->first[page_at(t->w, i)->block], to, 2);
	else if (page_at(t->w, i)->pages == 1)
		map_item(t, i, i, 1);
}

/* Base pages that the model says are mapped in va..last, which ends at a page of the model or inside. */
static uint64_t mapped_in(struct transaction *t, uint32_t i, pt_va_t va, pt_va_t last)
{
	uint64_t bytes = 0;

	for (; i <= t->to && page_at(t->w, i)->va <= last; i++) {
		struct page *p = page_at(t->w, i);
		pt_va_t from = p->va < va ? va : p->va;
		pt_va_t to = page_last(t->s, p) < last ? page_last(t->s, p) : last;

		if (value_is_leaf(p->value) && from <= to)
			bytes += to - from + 1;
	}
	return bytes / t->s->page_bytes;
}

/* The first page at or behind @i that ends behind @va. */
static uint32_t page_over(struct transaction *t, uint32_t i, pt_va_t va)
{
	while (i <= t->to && page_last(t->s, page_at(t->w, i)) < va)
		i++;
	return i;
}

/* Does it make sense that a call has come from @va to taken_va..+len? */
static bool judge_next(struct transaction *t, const char *call, uint32_t i, pt_va_t va,
		       pt_va_t last, pt_va_t next, uint64_t len)
{
	uint32_t leaf = first_leaf(t, i, page_over(t, i, last));
	pt_va_t at;

	if (leaf == NOTHING) {
		verdict_fail("C1", va, "%s finds a mapping at %#" PRIx64 ", where none is", call,
			     next);
		return false;
	}
	at = page_at(t->w, leaf)->va < va ? va : page_at(t->w, leaf)->va;
	if (next < va || next > at || next + (len - 1) < at || next + (len - 1) > last ||
	    pt_cursor_va(&t->c) != next + len) {
		verdict_fail("C1", at,
			     "%s, from %#" PRIx64 " to %#" PRIx64 ", says that it found "
			     "%#" PRIx64 "..%#" PRIx64 " and stands at %#" PRIx64
			     "; the next mapping is at %#" PRIx64,
			     call, va, last, next, next + (len - 1), pt_cursor_va(&t->c), at);
		return false;
	}
	return true;
}

/* Take all of from..to, call by call. What others see of each page changes once, in some call. */
static void take(struct transaction *t, uint32_t from, uint32_t to)
{
	pt_va_t last = call_last(t->w, to), va = call_first(t->w, from);
	uint32_t i = from;
	value_t *old = t->w->old;

	for (uint32_t n = from; n <= to; n++) {
		old[n] = page_at(t->w, n)->value;
		if (old[n] != VALUE_EMPTY)
			change(t, n, VALUE_EMPTY);
	}
	/* The model still is what was there, until all is taken. */
	for (uint32_t n = from; n <= to; n++)
		page_at(t->w, n)->value = old[n];
	while (va <= last && !verdict_failed()) {
		struct pt_taken taken;
		int rc = pt_cursor_take_next(&t->c, last - va + 1, &t->g, &taken);
		int expected = first_leaf(t, i, to) == NOTHING ? -ENOENT : 0;

		check_rc(t, "pt_cursor_take_next()", i, rc, expected);
		if (rc || expected)
			break;
		if (!judge_next(t, "pt_cursor_take_next()", i, va, last, taken.va, taken.len))
			break;
		if (taken.pages != mapped_in(t, i, taken.va, taken.va + (taken.len - 1)))
			verdict_fail(
				"C1", taken.va,
				"pt_cursor_take_next() says that it took %" PRIu64 " pages, of "
				"which %" PRIu64 " were mapped",
				taken.pages, mapped_in(t, i, taken.va, taken.va + (taken.len - 1)));
		va = taken.va + taken.len;
		i = page_over(t, i, va);
		if (i > to)
			break;
	}
	for (uint32_t n = from; n <= to; n++)
		page_at(t->w, n)->value = VALUE_EMPTY;
	changed(t, from, to);
}

struct properties {
	pt_prop_t set, clear;
};

static pt_prop_t apply(void *ctx, pt_va_t va, const struct pt_item *old)
{
	const struct properties *p = ctx;

	(void)va;
	return (old->prop & ~p->clear) | p->set;
}

static void protect(struct transaction *t, uint32_t from, uint32_t to)
{
	pt_va_t last = call_last(t->w, to), va = call_first(t->w, from);
	struct properties change_to;
	uint32_t i = from;

	pick_change(t->w, &change_to.set, &change_to.clear);
	for (uint32_t n = from; n <= to; n++) {
		value_t old = page_at(t->w, n)->value;

		if (value_changed(old, change_to.set, change_to.clear) != old)
			change(t, n, value_changed(old, change_to.set, change_to.clear));
	}
	while (va <= last && !verdict_failed()) {
		pt_va_t next;
		uint64_t len;
		int rc = pt_cursor_protect_next(&t->c, last - va + 1, apply, &change_to, &t->g,
						&next, &len);
		int expected = first_leaf(t, i, to) == NOTHING ? -ENOENT : 0;

		check_rc(t, "pt_cursor_protect_next()", i, rc, expected);
		if (rc || expected)
			break;
		if (!judge_next(t, "pt_cursor_protect_next()", i, va, last, next, len))
			break;
		va = next + len;
		i = page_over(t, i, va);
		if (i > to)
			break;
	}
	changed(t, from, to);
}

static void step_mark(struct transaction *t, uint32_t from, uint32_t to)
{
	uint64_t mark = worker_below(t->w, 1u << 16);
	int expected = first_leaf(t, from, to) == NOTHING ? 0 : -EEXIST;
	int rc;

	for (uint32_t i = from; !expected && i <= to; i++)
		change(t, i, value_mark(mark));
	rc = pt_cursor_mark(&t->c, range_len(t->s, from, to), mark);
	if (!expected)
		changed(t, from, to);
	check_rc(t, "pt_cursor_mark()", from, rc, expected);
}

static void step_find(struct transaction *t, uint32_t from, uint32_t to)
{
	uint32_t leaf = first_leaf(t, from, to);
	pt_va_t va = 0;
	int rc = pt_cursor_find_next(&t->c, range_len(t->s, from, to), &va);

	check_rc(t, "pt_cursor_find_next()", from, rc, leaf == NOTHING ? -ENOENT : 0);
	if (!rc && leaf != NOTHING && va != page_at(t->w, leaf)->va)
		verdict_fail("C1", va,
			     "pt_cursor_find_next() finds this, but the next mapping is "
			     "at %#" PRIx64,
			     page_at(t->w, leaf)->va);
}

/* A part of the range, or all of it. */
static void pick_part(struct transaction *t, uint32_t *ret_from, uint32_t *ret_to)
{
	uint32_t n = t->to - t->from + 1;

	*ret_from = t->from;
	*ret_to = t->to;
	if (n > 1 && worker_one_in(t->w, 2)) {
		*ret_from += worker_below(t->w, n);
		*ret_to = *ret_from + worker_below(t->w, t->to - *ret_from + 1);
	}
}

static void step(struct transaction *t)
{
	uint32_t from, to, dice = worker_below(t->w, 16);

	pick_part(t, &from, &to);
	if (dice < 6 && t->mode == PT_BUILD) {
		step_map(t);
		return;
	}
	if (!jump(t, dice < 13 ? call_first(t->w, from) : page_at(t->w, from)->va))
		return;
	if (dice < 10 && t->mode != PT_READ_ONLY) {
		begin_step(t, OP_UNMAP, "take");
		take(t, from, to);
	} else if (dice < 13 && t->mode != PT_READ_ONLY) {
		begin_step(t, OP_PROTECT, "protect");
		protect(t, from, to);
	} else if (dice < 14 && t->mode == PT_BUILD) {
		begin_step(t, OP_MARK, "mark");
		step_mark(t, from, to);
	} else if (dice < 15) {
		begin_step(t, OP_QUERY, "find");
		/* Of a reader, shots may have made the model doubtful. */
		if (t->mode != PT_READ_ONLY)
			step_find(t, from, to);
	}
}

/* Nobody can have changed a page meanwhile. */
static void look_again(struct transaction *t)
{
	for (unsigned n = 0; n < 2; n++) {
		struct page *p = page_at(t->w, t->from + worker_below(t->w, t->to - t->from + 1));
		value_t found = look(t, p->va);

		if (t->mode != PT_READ_ONLY)
			judge_page(p, found, p->value, "before a cursor ends");
		else if (found != look(t, p->va))
			verdict_fail("C1", p->va, "the page changes under a read cursor");
	}
}

void run_cursor(struct worker *w)
{
	static const enum pt_mode modes[8] = {PT_BUILD,  PT_BUILD,  PT_BUILD,  PT_BUILD,
					      PT_CHANGE, PT_CHANGE, PT_CHANGE, PT_READ_ONLY};
	uint32_t from, to, steps = 1 + worker_below(w, 3);
	struct transaction t;

	pick_pages(w, &from, &to);
	op_begin(w, OP_CURSOR, from, to);
	if (!begin(&t, w, modes[worker_below(w, 8)], from, to)) {
		op_end(w, -EBUSY);
		return;
	}
	while (steps-- && !verdict_failed())
		step(&t);
	look_again(&t);
	end(&t);
	op_end(w, 0);
}

void settle_by_cursor(struct worker *w, uint32_t from, uint32_t to)
{
	struct transaction t;

	if (!begin(&t, w, PT_CHANGE, from, to))
		return;
	end(&t);
}
