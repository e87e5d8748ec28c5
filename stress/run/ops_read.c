/* SPDX-License-Identifier: MIT */
/* Looking at pages: by query, by walk, and as the hardware does. */
#include <inttypes.h>

#include "logbook.h"
#include "verdict.h"
#include "worker.h"

/* Which value of the page that is, if the history in the page is exact. */
static void judge(struct worker *w, struct page *p)
{
	struct op *op = &w->op;
	char found[VALUE_TEXT], was[VALUE_TEXT], is[VALUE_TEXT];
	uint64_t begun;

	op->judged = window_judge(p, &op->window, op->value, false);
	w->exact += op->judged == WINDOW_RIGHT;
	w->loose += op->judged == WINDOW_UNKNOWN;
	if (op->judged != WINDOW_WRONG)
		return;
	begun = load64(&p->begun);
	verdict_fail(LIFE_OF(value_pa(op->value)) == LIFE_MASK ? "R1" : "Q2", p->va,
		     "%s finds %s; when it began the page had its value %" PRIu64 " (%s), when it "
		     "ended at most its value %" PRIu64 " (%s) had begun",
		     op_names[op->kind], value_text(found, op->value), op->window.first,
		     value_text(was, load64(&p->ring[op->window.first % RING])), begun,
		     value_text(is, load64(&p->ring[begun % RING])));
}

/* Whatever the moment: a leaf is one that somebody mapped here. */
static void judge_leaf(struct worker *w, struct page *p, value_t value)
{
	struct lease *l;

	if (!value_is_leaf(value))
		return;
	l = lease_of(&w->arena->frames, value_pa(value));
	if (!l)
		verdict_fail("R1", p->va, "%s finds %s", op_names[w->op.kind],
			     LIFE_OF(value_pa(value)) == LIFE_MASK
				     ? "what free nodes are filled with"
				     : "memory that nobody has mapped");
}

static int query(struct worker *w, struct page *p, bool get)
{
	struct arena *a = w->arena;
	struct pt_mapping m;
	int rc = get ? pt_query_get(w->self, a->table, p->va, &m)
		     : pt_query(w->self, a->table, p->va, &m);

	if (rc) {
		verdict_fail("Q1", p->va, "%s returns %d", op_names[w->op.kind], rc);
		return rc;
	}
	if (!m.len || p->va - m.va >= m.len)
		verdict_fail("Q1", p->va, "%s describes other addresses", op_names[w->op.kind]);
	w->op.value = value_of(&m, p->va);
	if (get && (m.item.prop & PT_TRACKED) && m.kind == PT_KIND_LEAF) {
		struct lease *l = lease_of(&a->frames, m.item.pa);

		if (l && !lease_is_at(&a->frames, l, m.item.pa, m.va))
			verdict_fail("R2", p->va,
				     "a frame was handed back though query_get has "
				     "given a reference of it");
		return 1;
	}
	return 0;
}

static int walk(struct worker *w, struct page *p)
{
	struct arena *a = w->arena;
	pt_prop_t prop = PT_READ;
	pt_pa_t pa = 0;
	int rc = w->op.kind == OP_WALK
			 ? pt_walk(w->self, a->table, p->va, &pa, &prop)
			 : pt_access(w->self, a->table, p->va, PT_ACCESS_READ, true, &pa);

	w->op.value = rc ? VALUE_EMPTY : value_leaf(pa, prop);
	if (rc && rc != -ENOENT)
		verdict_fail("Q1", p->va, "%s returns %d", op_names[w->op.kind], rc);
	return rc;
}

/* A walk does not tell a mark from nothing, an access no properties: only query is exact. */
void run_look(struct worker *w, enum op_kind kind)
{
	uint32_t at = worker_below(w, w->arena->space.nr_pages);
	struct page *p = page_at(w, at);
	uint64_t call;
	bool got = false;
	int rc;

	op_begin(w, kind, at, at);
	window_open(p, &w->op.window);
	call = logbook_call(w);
	if (kind == OP_QUERY || kind == OP_QUERY_GET) {
		rc = query(w, p, kind == OP_QUERY_GET);
		logbook_saw(w, at, w->op.value, call);
		got = rc > 0;
		judge(w, p);
	} else {
		rc = walk(w, p);
		if (kind == OP_WALK && !rc) {
			logbook_saw(w, at, w->op.value, call);
			judge(w, p);
		}
	}
	judge_leaf(w, p, w->op.value);
	if (got)
		frames_put(&w->arena->frames, value_pa(w->op.value));
	op_end(w, rc < 0 ? rc : 0);
}

void run_hardware(struct worker *w, enum op_kind kind)
{
	struct arena *a = w->arena;
	uint32_t at = worker_below(w, a->space.nr_pages);
	struct page *p = page_at(w, at);
	pt_va_t va = p->va;

	if (p->pages > 1 && worker_one_in(w, 2))
		va += (p->pages - 1) * a->space.page_bytes;
	op_begin(w, kind, at, at);
	op_end(w, -(int)cpu_access(&a->machine, w->cpu, p, va, kind == OP_WRITE));
}
