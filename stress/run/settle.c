/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "settle.h"
#include "verdict.h"

static bool fails(struct arena *a, int rc, const char *call)
{
	if (rc)
		verdict_fail("C2", a->space.base, "%s returns %d while all threads stand still",
			     call, rc);
	return rc || verdict_failed();
}

/* Dirty bits that hardware set and nobody was told of are in the entry. */
static void judge_dirt(struct lease *l, const struct page *p, bool dirty)
{
	uint32_t sets = atomic_load_explicit(&l->sets, memory_order_relaxed);
	uint32_t told = atomic_load_explicit(&l->told, memory_order_relaxed);

	if (l->dirty ? dirty && !sets : sets - told != dirty)
		verdict_fail(
			"T2", p->va,
			"the hardware set the dirty bit %u times, calls reported %u, and it is "
			"%s now",
			sets, told, dirty ? "set" : "clear");
}

static void settle_leaf(struct arena *a, struct page *p, const struct pt_mapping *m, value_t value)
{
	struct lease *l = lease_of(&a->frames, value_pa(value));

	if (!l || !lease_is_at(&a->frames, l, value_pa(value), p->va) ||
	    atomic_load_explicit(&l->gone, memory_order_relaxed))
		verdict_fail(
			"C1", p->va,
			"while all threads stand still the page maps what was removed or never "
			"mapped here");
	else
		judge_dirt(l, p, m->item.prop & PT_DIRTY);
}

static void settle_page(struct arena *a, struct page *p)
{
	char found[VALUE_TEXT], expected[VALUE_TEXT];
	uint64_t shots = load64(&p->shots_begun);
	struct pt_mapping m;
	value_t value;

	if (fails(a, pt_query(a->self, a->table, p->va, &m), "pt_query()"))
		return;
	value = value_of(&m, p->va);
	if (p->owner)
		verdict_fail("C1", p->va, "nobody holds the page, but thread %" PRIu64 " says so",
			     p->owner - 1);
	if (load64(&p->settled) == shots && value != p->value)
		verdict_fail("C1", p->va,
			     "while all threads stand still the page holds %s, but it must hold %s "
			     "(value %" PRIu64 ")",
			     value_text(found, value), value_text(expected, p->value),
			     load64(&p->begun));
	if (value_is_leaf(value))
		settle_leaf(a, p, &m, value);
	page_write_begin(p, value);
	page_write_end(p);
	store64(&p->settled, shots);
	store64(&p->synced, load64(&p->begun));
}

/*
 * Where slots are isolated, shots that met in a wide page may each have left a part of theirs, for which
 * the model has no value: make it empty.
 */
static bool empty_torn_pages(struct arena *a)
{
	for (uint32_t i = 0; i < a->space.nr_pages; i++) {
		struct page *p = &a->space.pages[i];
		struct pt_gather g;
		uint64_t pages;

		if (p->pages == 1 || load64(&p->settled) == load64(&p->shots_begun))
			continue;
		pt_gather_init(&g, a->self, a->table, a->frames.reported ? leaf_removed : NULL,
			       &a->workers[0]);
		if (fails(a,
			  pt_unmap(a->self, a->table, p->va, range_len(&a->space, i, i), &g,
				   &pages),
			  "pt_unmap()") ||
		    fails(a, pt_gather_sync(&g), "pt_gather_sync()"))
			return false;
	}
	return true;
}

/* Each lease is mapped as often as it says: if all pages are right, the sums tell. */
static void judge_sums(struct arena *a, const struct pt_check_report *r)
{
	struct frames *f = &a->frames;
	int64_t left = 0, refs = 0;

	for (uint32_t i = 0; i < NR_ROWS + NR_SINGLES; i++) {
		struct lease *l = i < NR_ROWS ? &f->rows[i] : &f->singles[i - NR_ROWS];

		if (atomic_load_explicit(&l->state, memory_order_acquire) == LEASE_FREE)
			continue;
		left += atomic_load_explicit(&l->left, memory_order_relaxed);
		refs += atomic_load_explicit(&l->refs, memory_order_relaxed);
	}
	if (left * (int64_t)f->page_bytes != (int64_t)r->mapped_bytes)
		verdict_fail("C1", a->space.base,
			     "%" PRId64
			     " pages have been mapped and not removed, but the table maps "
			     "%" PRIu64,
			     left, r->mapped_bytes / f->page_bytes);
	if (f->tracked && refs != (int64_t)r->leaves)
		verdict_fail("R2", a->space.base,
			     "%" PRId64 " references are out, but the table has %" PRIu64 " leaves",
			     refs, r->leaves);
}

void settle(struct arena *a)
{
	struct pt_check_report report;

	if (isolates_slots(a) && !empty_torn_pages(a))
		return;
	/* What calls do not report is known when it is dropped. */
	if (fails(a, pt_thread_reclaim(a->self), "pt_thread_reclaim()") ||
	    fails(a, pt_check(a->self, a->table, &report), "pt_check()"))
		return;
	if (report.violation) {
		verdict_fail("S1", report.va, "%s (level %u)", report.violation, report.level);
		return;
	}
	for (uint32_t i = 0; i < a->space.nr_pages && !verdict_failed(); i++)
		settle_page(a, &a->space.pages[i]);
	if (!verdict_failed())
		judge_sums(a, &report);
}

void settle_empty(struct arena *a, struct worker *w)
{
	struct pt_check_report report;
	struct pt_gather g;
	uint64_t pages, nodes, lent;

	pt_gather_init(&g, a->self, a->table, a->frames.reported ? leaf_removed : NULL, w);
	if (fails(a,
		  pt_unmap(a->self, a->table, a->space.base,
			   range_len(&a->space, 0, a->space.nr_pages - 1), &g, &pages),
		  "pt_unmap()") ||
	    fails(a, pt_gather_sync(&g), "pt_gather_sync()") ||
	    fails(a,
		  pt_prune(a->self, a->table, a->space.base,
			   a->space.nr_blocks * a->space.block_bytes, NULL, &nodes),
		  "pt_prune()") ||
	    fails(a, pt_thread_reclaim(a->self), "pt_thread_reclaim()") ||
	    fails(a, pt_check(a->self, a->table, &report), "pt_check()"))
		return;
	lent = atomic_load_explicit(&a->frames.lent, memory_order_relaxed);
	if (report.violation)
		verdict_fail("S1", report.va, "%s (level %u)", report.violation, report.level);
	else if (report.leaves || report.marks)
		verdict_fail("C1", report.va,
			     "all is unmapped, but the table has %" PRIu64 " leaves and %" PRIu64
			     " marks",
			     report.leaves, report.marks);
	else if (lent)
		verdict_fail("R2", a->space.base,
			     "all is unmapped, but %" PRIu64 " mappings were never handed back",
			     lent);
}
