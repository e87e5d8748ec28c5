/* SPDX-License-Identifier: MIT */
/*
 * The flat table: one register for each page. A transaction, one call or all calls of a cursor, is
 * atomic with respect to other transactions (C1), so some order of them must give their results; an
 * order is possible if nobody comes before somebody who had ended before it began. Queries are not
 * transactions: each reads the register of its page at one moment between its beginning and its
 * end (Q2), while each write to a page happens at one moment inside the call that makes it.
 *
 * With weak memory, before and after are what happens-before says: calls that nothing orders may
 * have come in either order, and a query may return what is overwritten if it need not know.
 *
 * With slot isolation there are no transactions: see slots.c.
 *
 * Programs are small, so all orders are tried. What a call must return is computed from the flat
 * table, never from the tree.
 */
#include "oracle.h"

#include <stdio.h>
#include <string.h>

#include "slots.h"
#include "trace.h"

#define MAX_TRANSACTIONS 12
#define MAX_WRITES 16 /* of one page */
#define MAX_READS 16  /* of one page */

struct transaction {
	const struct call *first, *last;
};

struct history {
	const struct program *program;
	const struct page_state *final;
	struct transaction transactions[MAX_TRANSACTIONS];
	unsigned nr_transactions;
	const struct call *reads[MAX_THREADS * MAX_STEPS];
	unsigned nr_reads;
	bool explained_but_reads; /* an order fits the transactions, if not the queries */
};

/* ---- queries ---- */

/* Every value a page has had, in order, and the call by which it came. */
struct values {
	struct page_state state[MAX_WRITES + 1];
	const struct call *by[MAX_WRITES + 1]; /* NULL: set-up */
	unsigned count;
};

/*
 * The earliest value that @read can have seen, not before @from; 0 when there is none. Counted
 * from 1. A value written by a call that had ended before the read began must be seen, or a later
 * one; a value written by a call that began after the read had ended cannot be.
 */
static unsigned read_sees(const struct values *v, const struct call *read, unsigned from)
{
	for (unsigned i = 1; i < v->count; i++)
		if (i > from && call_before(v->by[i], read))
			from = i;
	for (unsigned i = from; i < v->count; i++) {
		if (v->by[i] && v->by[i]->invoked > read->responded)
			return 0;
		if (flat_read_fits(&v->state[i], read))
			return i + 1;
	}
	return 0;
}

/*
 * Reads of one page, sorted by their responses: whoever began after another had ended sees the same
 * value or a later one. Taking the earliest possible value each time never spoils a later choice.
 */
static bool reads_fit(const struct history *h, unsigned page, const struct values *v)
{
	const struct call *done[MAX_READS];
	unsigned saw[MAX_READS], n = 0;
	uint32_t after = 0;

	for (;;) {
		const struct call *next = NULL;
		unsigned from = 0;

		for (unsigned i = 0; i < h->nr_reads; i++) {
			const struct call *r = h->reads[i];

			if (r->step->page == page && r->responded > after &&
			    (!next || r->responded < next->responded))
				next = r;
		}
		if (!next || n == MAX_READS)
			return !next;
		for (unsigned i = 0; i < n; i++)
			if (call_before(done[i], next) && saw[i] - 1 > from)
				from = saw[i] - 1;
		saw[n] = read_sees(v, next, from);
		if (!saw[n])
			return false;
		done[n++] = next;
		after = next->responded;
	}
}

static bool page_is_read(const struct history *h, unsigned page)
{
	for (unsigned i = 0; i < h->nr_reads; i++)
		if (h->reads[i]->step->page == page)
			return true;
	return false;
}

static bool same_state(const struct page_state *a, const struct page_state *b)
{
	return a->kind == b->kind && a->value == b->value && a->prop == b->prop;
}

static void add_value(struct values *v, const struct page_state *state, const struct call *by)
{
	if (v->count && same_state(&v->state[v->count - 1], state))
		return;
	if (v->count > MAX_WRITES)
		rt_fail("-", "the oracle keeps at most %d writes of a page", MAX_WRITES);
	v->state[v->count] = *state;
	v->by[v->count] = by;
	v->count++;
}

static bool all_reads_fit(const struct history *h, const struct flat *initial,
			  const unsigned *order)
{
	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		struct flat f = *initial;
		struct values v = {0};

		if (!page_is_read(h, page))
			continue;
		add_value(&v, &f.page[page], NULL);
		for (unsigned i = 0; i < h->nr_transactions; i++) {
			const struct transaction *t = &h->transactions[order[i]];

			for (const struct call *c = t->first; c <= t->last; c++) {
				if (c->step && flat_apply(&f, c))
					add_value(&v, &f.page[page], c);
			}
		}
		if (!reads_fit(h, page, &v))
			return false;
	}
	return true;
}

/* ---- orders ---- */

static bool apply_transaction(struct flat *f, const struct transaction *t)
{
	for (const struct call *c = t->first; c <= t->last; c++)
		if (c->step && !flat_apply(f, c))
			return false;
	return true;
}

static bool may_be_next(const struct history *h, unsigned candidate, unsigned placed)
{
	for (unsigned i = 0; i < h->nr_transactions; i++)
		if (!(placed & 1u << i) && i != candidate &&
		    call_before(h->transactions[i].last, h->transactions[candidate].first))
			return false;
	return true;
}

static bool explain(struct history *h, const struct flat *initial, const struct flat *now,
		    unsigned placed, unsigned *order, unsigned n)
{
	if (n == h->nr_transactions) {
		for (unsigned p = 0; p < SCENARIO_PAGES; p++)
			if (!same_state(&now->page[p], &h->final[p]))
				return false;
		h->explained_but_reads = true;
		return all_reads_fit(h, initial, order);
	}
	for (unsigned i = 0; i < h->nr_transactions; i++) {
		struct flat next = *now;

		if ((placed & 1u << i) || !may_be_next(h, i, placed) ||
		    !apply_transaction(&next, &h->transactions[i]))
			continue;
		order[n] = i;
		if (explain(h, initial, &next, placed | 1u << i, order, n + 1))
			return true;
	}
	return false;
}

/* ---- the history of an execution ---- */

static void add_transaction(struct history *h, const struct call *first, const struct call *last)
{
	if (h->nr_transactions == MAX_TRANSACTIONS)
		rt_fail("-", "the oracle takes at most %d transactions", MAX_TRANSACTIONS);
	h->transactions[h->nr_transactions++] = (struct transaction){first, last};
}

static void collect(struct history *h, unsigned thread)
{
	const struct call *calls = h->program->calls[thread];
	const struct call *begin = NULL;
	unsigned depth = 0; /* what is opened inside a transaction is part of it */

	for (unsigned i = 0; i < h->program->nr_calls[thread]; i++) {
		const struct call *c = &calls[i];

		if (!c->step)
			continue;
		switch (c->step->kind) {
		case STEP_MAP:
		case STEP_UNMAP:
		case STEP_PROTECT:
		case STEP_MARK:
		case STEP_PRUNE:
		case STEP_MERGE:
		case STEP_HARVEST:
		case STEP_CLONE:
			add_transaction(h, c, c);
			break;
		case STEP_BEGIN:
		case STEP_TRY:
			if (!depth)
				begin = c;
			if (!c->rc)
				depth++;
			else if (!depth)
				add_transaction(h, c, c);
			break;
		case STEP_END:
			if (!--depth)
				add_transaction(h, begin, c);
			break;
		case STEP_QUERY:
		case STEP_QUERY_GET:
		case STEP_WALK:
		case STEP_ACCESS:
			if (!c->translated && c->rc != -EOVERFLOW)
				h->reads[h->nr_reads++] = c;
			break;
		default:
			break;
		}
	}
}

/* Was another thread in a call, or between the first and last of a transaction, beside @c? */
static bool was_alone(const struct history *h, const struct call *c)
{
	for (unsigned i = 0; i < h->nr_transactions; i++) {
		const struct transaction *t = &h->transactions[i];

		if (t->first->thread != c->thread && t->first->invoked < c->responded &&
		    t->last->responded > c->invoked)
			return false;
	}
	for (unsigned i = 0; i < h->nr_reads; i++)
		if (h->reads[i]->thread != c->thread && h->reads[i]->invoked < c->responded &&
		    h->reads[i]->responded > c->invoked)
			return false;
	return true;
}

static void judge_refusals(const struct history *h)
{
	/* A lock that was given back may still be seen held. */
	if (rt.weak)
		return;
	for (unsigned t = 0; t < h->program->threads; t++)
		for (unsigned i = 0; i < h->program->nr_calls[t]; i++) {
			const struct call *c = &h->program->calls[t][i];

			if (c->step && c->step->kind == STEP_TRY && c->rc == -EBUSY &&
			    was_alone(h, c))
				rt_fail("P1", "a cursor is refused though nobody else is there");
		}
}

static void print_page(const struct page_state *page, char *text, size_t size)
{
	if (page->kind == PT_KIND_LEAF)
		snprintf(text, size, "frame %u", PA_FRAME(page->value));
	else if (page->kind == PT_KIND_MARK)
		snprintf(text, size, "mark %u", (unsigned)page->value);
	else
		snprintf(text, size, "nothing");
}

/* Every call with its result, for the report; and the final state, where there is something. */
static void note_history(const struct history *h)
{
	const struct program *p = h->program;
	char line[160], state[32];

	for (unsigned t = 0; t < p->threads; t++)
		for (unsigned i = 0; i < p->nr_calls[t]; i++) {
			const struct call *c = &p->calls[t][i];

			if (!c->step)
				continue;
			print_page(&(struct page_state){c->kind, c->value, c->prop}, state,
				   sizeof(state));
			snprintf(line, sizeof(line), "%s: %s = %d, %u pages, saw %s (time %u..%u)",
				 trace_thread(t), p->text[t][i], c->rc, c->pages, state, c->invoked,
				 c->responded);
			trace_text("result", line);
		}
	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		if (h->final[page].kind == PT_KIND_EMPTY)
			continue;
		print_page(&h->final[page], state, sizeof(state));
		snprintf(line, sizeof(line), "page %u: %s, properties 0x%x", page, state,
			 h->final[page].prop);
		trace_text("in the end", line);
	}
}

static bool any_failed(const struct program *p)
{
	for (unsigned t = 0; t < p->threads; t++)
		for (unsigned i = 0; i < p->nr_calls[t]; i++)
			if (p->calls[t][i].step && p->calls[t][i].rc == -ENOMEM)
				return true;
	return false;
}

void oracle_judge(const struct program *program, const struct page_state *final)
{
	static struct history h;
	struct flat initial = {0};
	unsigned order[MAX_TRANSACTIONS];

	h = (struct history){.program = program, .final = final};
	for (unsigned i = 0; i < MAX_STEPS && program->initial[i].step; i++)
		if (!flat_apply(&initial, &program->initial[i]))
			rt_fail("C1", "set-up: step %u returned %d", i, program->initial[i].rc);
	for (unsigned t = 0; t < program->threads; t++)
		collect(&h, t);
	judge_refusals(&h);
	if (program_isolates_slots(program)) {
		enum slots_verdict verdict = slots_explain(program, &initial, final);

		h.explained_but_reads = verdict == SLOTS_BUT_READS;
		if (verdict == SLOTS_EXPLAINED)
			return;
	} else if (explain(&h, &initial, &initial, 0, order, 0)) {
		return;
	}
	if (rt.recording)
		note_history(&h);
	if (h.explained_but_reads)
		rt_fail("Q2",
			"a query saw what its page never held between its call and its return");
	rt_fail(any_failed(program) ? "C2" : "C1",
		"no order of the calls explains their results and the final state");
}
