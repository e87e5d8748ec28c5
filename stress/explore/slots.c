/* SPDX-License-Identifier: MIT */
/*
 * A call on a range is taken apart into what it does to each page (struct atom), which happens at one
 * moment between its beginning and its end. What it says of all pages together, how many it has found
 * mapped, or that there is one, is a tally over its atoms. For each page all orders of the atoms are tried,
 * and give sums for the tallies; then sums are chosen, one for each page, that add up to what was said.
 *
 * A cursor is no transaction: each of its calls is on its own.
 */
#include "slots.h"

#include <string.h>

#include "trace.h"

#define MAX_ATOMS 24 /* of a page */
#define MAX_TALLIES 8
#define TALLY_BITS 8
#define MAX_SUMS 4096
#define MAX_COPIES 4
#define NO_TALLY UINT8_MAX

enum effect {
	SEE,          /* as the call describes it */
	IS_FREE,      /* no leaf is there */
	IS_LEAF,      /* a leaf is there */
	MAY_BE_LEAF,  /* perhaps it was there and in the way: counts */
	MAY_BE_TAKEN, /* the same for a leaf or a mark */
	FILL,         /* no leaf is there: becomes `value` */
	CLEAR,        /* a leaf counts; becomes empty */
	CLEAR_FREE,   /* no leaf is there: becomes empty */
	CHANGE,       /* a leaf counts, and gets the call's properties */
	MAY_CHANGE,   /* a leaf perhaps does */
	COPY,  /* a leaf counts, and gets the call's properties; what is there is remembered, */
	PASTE, /* and put here, where nothing is */
};

struct atom {
	const struct call *call;
	enum effect effect;
	uint8_t tally;
	uint8_t copy; /* COPY, PASTE: which one they share */
	struct page_state value;
};

struct tally {
	bool at_least; /* or else exactly */
	uint64_t n;
};

struct takes {
	const struct program *program;
	bool with_reads;
	struct atom atoms[SCENARIO_PAGES][MAX_ATOMS];
	unsigned nr_atoms[SCENARIO_PAGES];
	struct tally tallies[MAX_TALLIES];
	unsigned nr_tallies;
	unsigned copies[SCENARIO_PAGES]; /* of each page */
	bool impossible;                 /* a call has returned what none can */
};

/* ---- calls taken apart ---- */

static void add(struct takes *k, const struct call *call, unsigned page, enum effect effect,
		uint8_t tally)
{
	if (page >= SCENARIO_PAGES) {
		k->impossible = true;
		return;
	}
	if (k->nr_atoms[page] == MAX_ATOMS)
		rt_fail("-", "the oracle keeps at most %d calls on a page", MAX_ATOMS);
	k->atoms[page][k->nr_atoms[page]++] =
		(struct atom){.call = call, .effect = effect, .tally = tally};
}

static void add_pages(struct takes *k, const struct call *call, unsigned page, unsigned end,
		      enum effect effect, uint8_t tally)
{
	for (; page < end; page++)
		add(k, call, page, effect, tally);
}

static uint8_t new_tally(struct takes *k, bool at_least, uint64_t n)
{
	if (k->nr_tallies == MAX_TALLIES)
		rt_fail("-", "the oracle sums up at most %d calls", MAX_TALLIES);
	k->tallies[k->nr_tallies] = (struct tally){at_least, n};
	return (uint8_t)k->nr_tallies++;
}

static bool ran_out(const struct call *call)
{
	return call->rc == -ENOMEM && call->may_fail;
}

static void add_fill(struct takes *k, const struct call *call, unsigned page)
{
	struct page_state value = flat_filled(call->step);
	unsigned end = page + call->step->pages, done = call->rc ? page + call->done : end;

	k->impossible |= done > end || (call->rc && call->rc != -EEXIST && !ran_out(call));
	for (unsigned p = page; p < done; p++) {
		add(k, call, p, FILL, NO_TALLY);
		k->atoms[p][k->nr_atoms[p] - 1].value = value;
		value.value += value.kind == PT_KIND_LEAF ? PAGE_VA(1) : 0;
	}
	if (call->rc == -EEXIST)
		add_pages(k, call, done, end, MAY_BE_LEAF, new_tally(k, true, 1));
}

/* Unmap and protect. */
static void add_change(struct takes *k, const struct call *call, enum effect effect)
{
	unsigned page = call->step->page, end = page + call->step->pages;

	k->impossible |= (call->rc && !ran_out(call)) || call->done > call->step->pages;
	if (call->rc)
		add_pages(k, call, page, page + call->done, effect, NO_TALLY);
	else
		add_pages(k, call, page, end, effect, new_tally(k, false, call->pages));
}

static void add_clone(struct takes *k, const struct call *call)
{
	unsigned page = call->step->page, end = page + call->step->pages;
	unsigned done = call->rc ? page + call->done : end;
	uint8_t tally = call->rc ? NO_TALLY : new_tally(k, false, call->pages);

	k->impossible |= done > end || (call->rc && call->rc != -EEXIST && call->rc != -EOVERFLOW &&
					!ran_out(call));
	for (unsigned p = page; p < done; p++) {
		uint8_t copy = (uint8_t)k->copies[p % SECOND_TABLE]++;

		if (copy == MAX_COPIES)
			rt_fail("-", "the oracle keeps at most %d copies of a page", MAX_COPIES);
		add(k, call, p, COPY, tally);
		k->atoms[p][k->nr_atoms[p] - 1].copy = copy;
		add(k, call, OTHER_PAGE(p), PASTE, NO_TALLY);
		k->atoms[OTHER_PAGE(p)][k->nr_atoms[OTHER_PAGE(p)] - 1].copy = copy;
	}
	if (!call->rc)
		return;
	add_pages(k, call, done, end, MAY_CHANGE, NO_TALLY);
	if (call->rc == -EEXIST) {
		tally = new_tally(k, true, 1);
		for (unsigned p = done; p < end; p++)
			add(k, call, OTHER_PAGE(p), MAY_BE_TAKEN, tally);
	}
}

/* Take next, protect next, find: what has no leaf up to where there is one. */
static void add_next(struct takes *k, const struct call *call, unsigned *at)
{
	const bool takes = call->step->kind == STEP_CURSOR_TAKE;
	const enum effect skips = takes ? CLEAR_FREE : IS_FREE;
	unsigned end = *at + call->step->pages, from = *at, to;

	if (call->rc == -ENOENT) {
		add_pages(k, call, from, end, skips, NO_TALLY);
		*at = end;
		return;
	}
	if (ran_out(call)) {
		add_pages(k, call, from, from + call->done, skips, NO_TALLY);
		return;
	}
	to = call->page + (call->step->kind == STEP_CURSOR_FIND ? 1 : call->pages);
	if (call->rc || call->page < from || to > end || to <= call->page) {
		k->impossible = true;
		return;
	}
	add_pages(k, call, from, call->page, skips, NO_TALLY);
	*at = to;
	if (takes) {
		k->impossible |= !call->value;
		add_pages(k, call, call->page, to, CLEAR, new_tally(k, false, call->value));
	} else if (call->step->kind == STEP_CURSOR_PROTECT) {
		add_pages(k, call, call->page, to, CHANGE, new_tally(k, false, to - call->page));
	} else {
		add_pages(k, call, call->page, to, IS_LEAF, NO_TALLY);
		*at = call->page;
	}
}

/* @at: where the thread's cursors stand, the innermost last. */
static void add_cursor_call(struct takes *k, const struct call *call, unsigned *at)
{
	switch (call->step->kind) {
	case STEP_CURSOR_QUERY:
		k->impossible |= call->rc;
		add(k, call, *at, SEE, NO_TALLY);
		break;
	case STEP_CURSOR_JUMP:
		k->impossible |= call->rc;
		*at = call->step->page;
		break;
	case STEP_CURSOR_MAP:
	case STEP_CURSOR_MARK:
		add_fill(k, call, *at);
		*at += call->rc ? 0 : call->step->pages;
		break;
	default:
		add_next(k, call, at);
		break;
	}
}

static void add_call(struct takes *k, const struct call *call)
{
	const struct step *s = call->step;

	switch (s->kind) {
	case STEP_MAP:
	case STEP_MARK:
		add_fill(k, call, s->page);
		break;
	case STEP_UNMAP:
		add_change(k, call, CLEAR);
		break;
	case STEP_PROTECT:
		add_change(k, call, CHANGE);
		break;
	case STEP_CLONE:
		add_clone(k, call);
		break;
	case STEP_MERGE:
		k->impossible |= call->rc || call->pages > s->pages / 4u;
		break;
	case STEP_HARVEST:
		k->impossible |= call->rc || call->pages > s->pages;
		break;
	case STEP_PRUNE:
		k->impossible |= call->rc;
		break;
	case STEP_QUERY:
	case STEP_QUERY_GET:
	case STEP_WALK:
	case STEP_ACCESS:
		if (!call->translated && call->rc != -EOVERFLOW && k->with_reads)
			add(k, call, s->page, SEE, NO_TALLY);
		break;
	default:
		break;
	}
}

static void take_apart(struct takes *k, unsigned thread)
{
	const struct program *p = k->program;
	unsigned at[MAX_STEPS + 1], cursors = 0;

	for (unsigned i = 0; i < p->nr_calls[thread]; i++) {
		const struct call *call = &p->calls[thread][i];

		if (!call->step)
			continue;
		if (call->step->kind == STEP_BEGIN || call->step->kind == STEP_TRY) {
			at[cursors] = call->step->page;
			cursors += !call->rc;
			k->impossible |= call->rc && !ran_out(call) &&
					 !(call->rc == -EBUSY && call->step->kind == STEP_TRY);
		} else if (call->step->kind == STEP_END) {
			cursors--;
		} else if (call->step->kind > STEP_TRY && call->step->kind < STEP_END) {
			add_cursor_call(k, call, &at[cursors - 1]);
		} else {
			add_call(k, call);
		}
	}
}

/* ---- the orders of one page, or of a page and where it is cloned to ---- */

struct sums {
	uint64_t of[MAX_SUMS];
	unsigned count;
};

struct state {
	struct page_state page[2], copy[MAX_COPIES];
};

struct orders {
	const struct atom *atoms[2 * MAX_ATOMS];
	uint8_t page[2 * MAX_ATOMS];
	uint64_t before[2 * MAX_ATOMS]; /* atoms that come before, a bit each; */
	uint64_t looks[2 * MAX_ATOMS];  /* and those that look and had ended when it began */
	unsigned count;
	const struct page_state *final[2];
	bool counts; /* any atom does */
	struct sums *sums;
};

static void add_sum(struct sums *sums, uint64_t sum)
{
	for (unsigned i = 0; i < sums->count; i++)
		if (sums->of[i] == sum)
			return;
	if (sums->count == MAX_SUMS)
		rt_fail("-", "the oracle keeps at most %d sums", MAX_SUMS);
	sums->of[sums->count++] = sum;
}

static bool only_looks(const struct atom *a)
{
	return a->effect <= MAY_BE_TAKEN;
}

static bool comes_before(const struct atom *a, const struct atom *b)
{
	if (a->call == b->call)
		return a->effect == COPY && b->effect == PASTE;
	if (a->call->thread == b->call->thread)
		return a->call < b->call;
	return call_before(a->call, b->call);
}

static bool same_state(const struct page_state *a, const struct page_state *b)
{
	return a->kind == b->kind && a->value == b->value && a->prop == b->prop;
}

/* Do @a at this moment, in one of two ways. Return: it can be; *count: how much it counts. */
static bool do_atom(const struct atom *a, struct state *state, unsigned page, bool other_way,
		    unsigned *count)
{
	static const struct page_state nothing = {.kind = PT_KIND_EMPTY};
	struct page_state *now = &state->page[page];
	const bool leaf = now->kind == PT_KIND_LEAF;

	*count = 0;
	if (other_way && a->effect != MAY_BE_LEAF && a->effect != MAY_BE_TAKEN &&
	    a->effect != MAY_CHANGE)
		return false;
	switch (a->effect) {
	case SEE:
		return a->call->step->kind == STEP_CURSOR_QUERY ? flat_same_page(now, a->call)
								: flat_read_fits(now, a->call);
	case IS_FREE:
		return !leaf;
	case IS_LEAF:
		return leaf;
	case MAY_BE_LEAF:
		*count = other_way;
		return !other_way || leaf;
	case MAY_BE_TAKEN:
		*count = other_way;
		return !other_way || now->kind != PT_KIND_EMPTY;
	case FILL:
		*now = a->value;
		return !leaf;
	case CLEAR:
		*count = leaf;
		*now = nothing;
		return true;
	case CLEAR_FREE:
		*now = nothing;
		return !leaf;
	case CHANGE:
		*count = leaf;
		flat_change(a->call->step, now);
		return true;
	case MAY_CHANGE:
		if (other_way)
			flat_change(a->call->step, now);
		return true;
	case COPY:
		*count = leaf;
		flat_change(a->call->step, now);
		state->copy[a->copy] = *now;
		return true;
	case PASTE:
		if (state->copy[a->copy].kind == PT_KIND_EMPTY)
			return true;
		if (now->kind != PT_KIND_EMPTY)
			return false;
		*now = state->copy[a->copy];
		return true;
	}
	return false;
}

/* Try all orders of what is not placed yet. Return: no more need be tried. */
static bool place(struct orders *o, uint64_t placed, const struct state *state, uint64_t sum)
{
	if (placed == (UINT64_C(1) << o->count) - 1) {
		for (unsigned i = 0; i < 2 && o->final[i]; i++)
			if (!same_state(&state->page[i], o->final[i]))
				return false;
		add_sum(o->sums, sum);
		return !o->counts;
	}
	for (unsigned i = 0; i < o->count; i++) {
		if ((placed >> i & 1) || (o->before[i] & ~placed))
			continue;
		for (unsigned way = 0; way < 2; way++) {
			struct state next = *state;
			uint64_t more = sum;
			unsigned count;

			if (!do_atom(o->atoms[i], &next, o->page[i], way, &count))
				continue;
			/* With weak memory, too, nobody sees what is written when he has ended. */
			if ((o->looks[i] & ~placed) &&
			    !same_state(&next.page[o->page[i]], &state->page[o->page[i]]))
				continue;
			if (o->atoms[i]->tally != NO_TALLY)
				more += (uint64_t)count << TALLY_BITS * o->atoms[i]->tally;
			if (place(o, placed | UINT64_C(1) << i, &next, more))
				return true;
		}
	}
	return false;
}

static void add_page(struct orders *o, const struct takes *k, unsigned page, unsigned as)
{
	for (unsigned i = 0; i < k->nr_atoms[page]; i++) {
		o->page[o->count] = (uint8_t)as;
		o->counts |= k->atoms[page][i].tally != NO_TALLY;
		o->atoms[o->count++] = &k->atoms[page][i];
	}
}

/* What has to come before atom @b. */
static void order_before(struct orders *o, unsigned b)
{
	for (unsigned a = 0; a < o->count; a++) {
		if (a == b)
			continue;
		if (comes_before(o->atoms[a], o->atoms[b]))
			o->before[b] |= UINT64_C(1) << a;
		if (only_looks(o->atoms[a]) &&
		    o->atoms[a]->call->responded < o->atoms[b]->call->invoked)
			o->looks[b] |= UINT64_C(1) << a;
	}
}

/* The sums that the orders of @page, and of the other page of a clone, can give. */
static void find_orders(const struct takes *k, unsigned page, const struct flat *initial,
			const struct page_state *final, struct sums *ret)
{
	struct orders o = {.sums = ret};
	struct state state = {.page = {initial->page[page]}};

	ret->count = 0;
	o.final[0] = &final[page];
	add_page(&o, k, page, 0);
	if (k->copies[page % SECOND_TABLE]) {
		state.page[1] = initial->page[OTHER_PAGE(page)];
		o.final[1] = &final[OTHER_PAGE(page)];
		add_page(&o, k, OTHER_PAGE(page), 1);
	}
	for (unsigned b = 0; b < o.count; b++)
		order_before(&o, b);
	place(&o, 0, &state, 0);
}

/* ---- all pages ---- */

static bool tallies_agree(const struct takes *k, uint64_t sum)
{
	for (unsigned i = 0; i < k->nr_tallies; i++) {
		uint64_t n = sum >> TALLY_BITS * i & ((1u << TALLY_BITS) - 1);

		if (k->tallies[i].at_least ? n < k->tallies[i].n : n != k->tallies[i].n)
			return false;
	}
	return true;
}

static bool all_pages_fit(const struct takes *k, const struct flat *initial,
			  const struct page_state *final)
{
	static struct sums all, page_sums, next;

	all.count = 0;
	add_sum(&all, 0);
	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		if (page >= SECOND_TABLE && k->copies[page % SECOND_TABLE])
			continue; /* seen with the other page */
		find_orders(k, page, initial, final, &page_sums);
		next.count = 0;
		for (unsigned i = 0; i < all.count; i++)
			for (unsigned j = 0; j < page_sums.count; j++)
				add_sum(&next, all.of[i] + page_sums.of[j]);
		all = next;
		if (!all.count)
			return false;
	}
	for (unsigned i = 0; i < all.count; i++)
		if (tallies_agree(k, all.of[i]))
			return true;
	return false;
}

static bool explained(const struct program *program, const struct flat *initial,
		      const struct page_state *final, bool with_reads)
{
	static struct takes k;

	memset(&k, 0, sizeof(k));
	k.program = program;
	k.with_reads = with_reads;
	for (unsigned t = 0; t < program->threads; t++)
		take_apart(&k, t);
	return !k.impossible && all_pages_fit(&k, initial, final);
}

enum slots_verdict slots_explain(const struct program *program, const struct flat *initial,
				 const struct page_state *final)
{
	if (explained(program, initial, final, true))
		return SLOTS_EXPLAINED;
	return explained(program, initial, final, false) ? SLOTS_BUT_READS : SLOTS_WRONG;
}
