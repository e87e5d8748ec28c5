/* SPDX-License-Identifier: MIT */
/*
 * CPUs that cache translations, and the frames they use. Each thread of a scenario is a CPU: its
 * accesses go through its own cache, and the table's flush hook empties the caches, one CPU after
 * the other. A CPU in the middle of an access acknowledges when that is done.
 */
#ifndef EXPLORE_TLB_H
#define EXPLORE_TLB_H

#include "oracle.h"
#include "program.h"

/* State outside the arena: empty, as it is after set-up, back to that. */
void tlb_clear(const struct scenario *scenario);
void tlb_snapshot(void);
void tlb_restore(void);

/* A page is accessed as the hardware would; fills in @call. */
void tlb_access(struct program *program, struct call *call);

/*
 * pt_flush_fn, pt_item_ops and pt_removed_fn of the explorer's tables. The context of a flush is the
 * number of the table's first page.
 */
void tlb_flush(void *ctx, pt_va_t va, uint64_t len, bool tables);
extern const struct pt_item_ops tlb_item_ops;
void tlb_removed(void *ctx, pt_va_t va, const struct pt_item *item);

/* The call that begins may flush with its range held, as its contract says. */
void tlb_may_hold(bool holds);

/*
 * A call on these pages begins: there may be stale translations until it has synced, or the thread
 * has synced its gather.
 */
void tlb_change_begins(unsigned page, unsigned pages, bool gathered);
void tlb_change_synced(struct program *program, bool gathered);

/* The references of the frames that @step maps: before it, and again if it fails. */
void tlb_take(const struct step *step);
void tlb_give(const struct step *step);

/* A call was told of, will not be told of, dirty bits. */
void tlb_reported(pt_pa_t pa, pt_prop_t prop, unsigned level);
/* And it has cleared them. */
void tlb_cleared(pt_pa_t pa, pt_prop_t prop, unsigned level);
void tlb_unreported(unsigned page, unsigned pages);

/* Of everything above, for the signature of the final state. */
uint64_t tlb_signature(void);

/* Dirty bits neither lost nor invented (T2); @final with the hardware's bits. */
void tlb_judge_dirty(const struct page_state *final);

/* After the table is gone, every reference was given back. */
void tlb_judge_references(void);

#endif
