/* SPDX-License-Identifier: MIT */
/* What changes no translation: merging, pruning, harvesting, reclaiming. */
#include <inttypes.h>

#include "verdict.h"
#include "worker.h"

struct harvest {
	struct worker *w;
	bool clears;
	uint64_t leaves;
};

/* Under the table's locks: the leaf is there, so it is lent. */
static void harvested(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct harvest *h = ctx;
	struct frames *f = &h->w->arena->frames;
	struct lease *l = lease_of(f, item->pa);

	h->leaves++;
	if (!l || !lease_is_at(f, l, item->pa, va))
		verdict_fail("C1", va, "a leaf is harvested that is not mapped here");
	else if (h->clears && (item->prop & PT_DIRTY))
		lease_dirt_told(f, l, va, item->level == 1 ? 1 : f->block_pages);
	if (!(item->prop & (PT_ACCESSED | PT_DIRTY)))
		verdict_fail("T2", va, "a leaf is harvested that was not used");
}

static int harvest(struct worker *w, pt_va_t va, uint64_t len)
{
	struct harvest h = {.w = w, .clears = worker_one_in(w, 2)};
	pt_prop_t clear = h.clears ? PT_DIRTY | PT_ACCESSED : worker_one_in(w, 2) ? PT_ACCESSED : 0;
	uint64_t leaves = 0;
	int rc = pt_harvest(w->self, w->arena->table, va, len, clear, harvested, &h, NULL, &leaves);

	if (!rc && leaves != h.leaves)
		verdict_fail("T2", va, "pt_harvest() says %" PRIu64 " leaves and reports %" PRIu64,
			     leaves, h.leaves);
	return rc;
}

void run_upkeep(struct worker *w, enum op_kind kind)
{
	struct arena *a = w->arena;
	/* Where a leaf may go while it is harvested, nobody could say whether it was told in time. */
	bool alone = kind == OP_HARVEST && isolates_slots(a);
	uint32_t from, to;
	uint64_t len, count;
	pt_va_t va;
	int rc;

	pick_pages(w, &from, &to);
	if (kind != OP_HARVEST || alone) {
		from = a->space.first[page_at(w, from)->block];
		to = a->space.first[page_at(w, to)->block + 1] - 1;
	}
	va = call_first(w, from);
	len = call_len(w, from, to);
	op_begin(w, kind, from, to);
	if (alone && (!phase_has_only_cursors(a) || !pages_reserve(&a->space, from, to))) {
		op_end(w, -EBUSY);
		return;
	}
	if (kind == OP_MERGE)
		rc = pt_merge(w->self, a->table, va, len, 2, &count);
	else if (kind == OP_PRUNE)
		rc = pt_prune(w->self, a->table, va, len, NULL, &count);
	else if (kind == OP_HARVEST)
		rc = harvest(w, va, len);
	else
		rc = pt_thread_reclaim(w->self);
	if (alone)
		pages_release(&a->space, from, to);
	if (rc)
		verdict_fail("C2", va, "%s returns %d", op_names[kind], rc);
	op_end(w, rc);
}
