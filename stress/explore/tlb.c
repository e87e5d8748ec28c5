/* SPDX-License-Identifier: MIT */
#include "tlb.h"

#include <string.h>

#include "psc.h"
#include "roles.h"
#include "trace.h"

struct translation {
	bool valid, write, dirty;
	uint8_t frame;
};

struct frame {
	int8_t references; /* moved into the table and not dropped */
	bool dropped;      /* handed back, and not mapped since */
	uint8_t writes;    /* times that the hardware set its dirty bit, at most, */
	uint8_t page;      /* when it was last mapped here */
	bool reported;     /* a call was told that it is dirty, */
	uint8_t cleared;   /* and how often one was that cleared the bit, of a single page */
};

static struct tlb {
	struct translation of[MAX_THREADS][SCENARIO_PAGES];
	struct frame frames[SCENARIO_FRAMES];
	/* Pages whose old translations need not be gone yet: until this call ends, until a sync. */
	uint64_t changing[MAX_THREADS], gathered[MAX_THREADS];
	uint64_t stored;         /* pages through which the hardware wrote */
	uint64_t unreported;     /* pages unmapped by a call that reports nothing */
	uint8_t walking;         /* CPUs in the middle of an access */
	bool holds[MAX_THREADS]; /* in a call that may flush with a range held */
	/* For happens-before: who flushed this CPU came before what it does; what it has done. */
	union clock flushed[MAX_THREADS], accessed[MAX_THREADS];
} tlb, snapshot;

static bool used; /* some thread accesses pages */

void tlb_clear(const struct scenario *scenario)
{
	tlb = (struct tlb){0};
	psc_clear();
	used = false;
	for (unsigned t = 0; t < MAX_THREADS; t++)
		for (unsigned i = 0; i < MAX_STEPS; i++)
			used |= scenario->threads[t][i].kind == STEP_ACCESS;
}

void tlb_snapshot(void)
{
	snapshot = tlb;
	psc_snapshot();
}

void tlb_restore(void)
{
	tlb = snapshot;
	psc_restore();
}

static void tlb_point(bool write)
{
	struct cell *cell = pseudo_cell(CELL_TLB);

	if (rt.me >= MAX_THREADS || !used)
		return;
	cell->readers |= (uint8_t)(1u << rt.me);
	if (write)
		cell->writers |= (uint8_t)(1u << rt.me);
	sched_point(cell, write);
}

/* All of this is one location: what is read and written here, is so in any step of a thread. */
static void tlb_effect(void)
{
	if (used)
		sched_effect(pseudo_cell(CELL_TLB), true);
}

static uint64_t page_mask(unsigned page, unsigned pages)
{
	return (pages == 64 ? UINT64_MAX : (UINT64_C(1) << pages) - 1) << page;
}

/* ---- the CPU ---- */

static void use_frame(unsigned page, unsigned frame)
{
	if (tlb.frames[frame].dropped)
		rt_fail("R2", "%s uses frame %u through page %u after it was handed back",
			trace_thread(rt.me), frame, page);
}

static void walk(struct program *program, struct call *call, struct translation *entry)
{
	bool write = call->step->mode == PT_ACCESS_WRITE;
	unsigned page = call->step->page;
	struct frame *frame;
	pt_pa_t pa;

	call->rc = pt_access(program->handles[rt.me], roles_table(program, call->step, rt.me),
			     page_va(program, page), (enum pt_access)call->step->mode, false, &pa);
	if (call->rc)
		return;
	if (rt.me < MAX_THREADS && !call->step->emulated)
		psc_walked(program, roles_table(program, call->step, rt.me), page);
	call->value = pa;
	*entry = (struct translation){
		.valid = true,
		.write = write,
		.dirty = write,
		.frame = (uint8_t)PA_FRAME(pa),
	};
	frame = &tlb.frames[entry->frame];
	if (write) {
		frame->writes++;
		frame->page = (uint8_t)page;
		tlb.stored |= page_mask(page, 1);
	}
}

/* The interrupt comes after what the flusher did before, its acknowledgement after what @cpu did. */
static void acknowledge(unsigned cpu, unsigned flusher)
{
	union clock *clock = &rt.threads[flusher].clock;

	clock_join(&tlb.flushed[cpu], clock);
	clock_join(clock, &tlb.accessed[cpu]);
	clock->of[flusher]++;
}

static void walk_done(void)
{
	if (rt.weak) {
		tlb.accessed[rt.me] = rt.self->clock;
		rt.self->clock.of[rt.me]++;
	}
	sched_effect(pseudo_cell(CELL_TLB), true);
	tlb.walking &= (uint8_t) ~(1u << rt.me);
	for (unsigned t = 0; t < MAX_THREADS; t++)
		if (rt.threads[t].waiting == WAIT_FLUSH &&
		    rt.threads[t].waits_for == UINT64_C(1) << rt.me) {
			if (rt.weak)
				acknowledge(rt.me, t);
			sched_wake(t);
		}
}

void tlb_access(struct program *program, struct call *call)
{
	struct translation none, *entry;
	bool write = call->step->mode == PT_ACCESS_WRITE;

	/* In a set-up, by a CPU that no thread runs on. Software caches nothing. */
	if (rt.me >= MAX_THREADS || call->step->emulated) {
		walk(program, call, &none);
		return;
	}
	entry = &tlb.of[rt.me][call->step->page];
	tlb_point(true);
	tlb.walking |= (uint8_t)(1u << rt.me);
	if (rt.weak)
		clock_join(&rt.self->clock, &tlb.flushed[rt.me]);
	call->translated = entry->valid && (!write || (entry->write && entry->dirty));
	if (!call->translated)
		walk(program, call, entry);
	if (!call->rc)
		use_frame(call->step->page, entry->frame);
	walk_done();
	if (unlikely(rt.recording))
		trace_text("access", call->rc           ? "faults"
				     : call->translated ? "by a cached translation"
							: "walked and cached");
}

/* ---- flush ---- */

/*
 * A CPU acknowledges when an access of its is over. Nor does it while its thread waits for a lock: the
 * library flushes without locks, but where its contract says otherwise.
 */
static bool acknowledges(unsigned cpu)
{
	enum wait_kind waits = rt.threads[cpu].waiting;

	if (tlb.walking & 1u << cpu)
		return false;
	return tlb.holds[rt.me] || rt.me >= MAX_THREADS ||
	       (waits != WAIT_POLL && waits != WAIT_SLEEP);
}

void tlb_flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	const unsigned base = *(const unsigned *)ctx;

	for (unsigned cpu = 0; cpu < rt.subject->threads; cpu++) {
		tlb_point(true);
		while (!acknowledges(cpu)) {
			rt.self->waits_for = UINT64_C(1) << cpu;
			sched_block(WAIT_FLUSH);
			sched_effect(pseudo_cell(CELL_TLB), true);
		}
		if (rt.weak)
			acknowledge(cpu, rt.me);
		for (uint64_t page = VA_PAGE(va); page < VA_PAGE(va + len - 1) + 1; page++)
			tlb.of[cpu][base + page].valid = false;
		if (tables)
			psc_flush(cpu, base + VA_PAGE(va), base + VA_PAGE(va + len - 1));
		if (unlikely(rt.recording))
			trace_text("flushed", trace_thread(cpu));
	}
}

void tlb_may_hold(bool holds)
{
	if (rt.me < MAX_THREADS)
		tlb.holds[rt.me] = holds;
}

void tlb_change_begins(unsigned page, unsigned pages, bool gathered)
{
	tlb_effect();
	if (rt.me >= MAX_THREADS)
		return;
	if (gathered)
		tlb.gathered[rt.me] |= page_mask(page, pages);
	else
		tlb.changing[rt.me] |= page_mask(page, pages);
}

void tlb_unreported(unsigned page, unsigned pages)
{
	tlb.unreported |= page_mask(page, pages);
}

/* Does the tree, now, say what @entry says? */
static bool up_to_date(struct program *program, unsigned page, const struct translation *entry)
{
	pt_prop_t prop;
	pt_pa_t pa;
	int rc;

	sched_effect_any(); /* the walk reads the tree */
	rt.quiet = true;
	rc = pt_walk(program->handles[0], table_of(program, page), page_va(program, page), &pa,
		     &prop);
	rt.quiet = false;
	return !rc && PA_FRAME(pa) == entry->frame && (!entry->write || (prop & PT_WRITE)) &&
	       (!entry->dirty || (prop & PT_DIRTY));
}

/*
 * The pages of this thread's calls may have no stale translation any more, unless another thread
 * is changing them.
 */
void tlb_change_synced(struct program *program, bool gathered)
{
	uint64_t *done, pages;

	if (rt.me >= MAX_THREADS)
		return;
	tlb_effect();
	done = gathered ? &tlb.gathered[rt.me] : &tlb.changing[rt.me];
	pages = *done;
	*done = 0;
	for (unsigned t = 0; t < MAX_THREADS; t++)
		pages &= ~(tlb.changing[t] | tlb.gathered[t]);
	for (unsigned page = 0; page < SCENARIO_PAGES; page++)
		for (unsigned cpu = 0; cpu < rt.subject->threads; cpu++) {
			const struct translation *entry = &tlb.of[cpu][page];

			if ((pages >> page & 1) && entry->valid &&
			    !up_to_date(program, page, entry))
				rt_fail("T1",
					"%s still translates page %u to frame %u%s after "
					"the change has returned",
					trace_thread(cpu), page, entry->frame,
					entry->write ? ", writable and dirty" : "");
		}
}

/* ---- frames ---- */

/* Whoever maps frames has a reference of each before, and keeps it if the call fails. */
void tlb_take(const struct step *step)
{
	tlb_effect();
	for (unsigned f = step->frame; f < step->frame + step->pages; f++) {
		tlb.frames[f].dropped = false;
		tlb.frames[f].references += !!(step->set & PT_TRACKED);
	}
}

void tlb_give(const struct step *step)
{
	tlb_effect();
	for (unsigned f = step->frame; f < step->frame + step->pages; f++)
		tlb.frames[f].references -= !!(step->set & PT_TRACKED);
}

static void drop_frame(unsigned frame)
{
	struct frame *f = &tlb.frames[frame];

	sched_effect(pseudo_cell(CELL_TLB), true);
	if (--f->references < 0)
		rt_fail("R2", "frame %u is handed back more often than it was mapped", frame);
	f->dropped = !f->references;
	if (!f->dropped)
		return;
	for (unsigned cpu = 0; cpu < MAX_THREADS; cpu++)
		for (unsigned page = 0; page < SCENARIO_PAGES; page++)
			if (tlb.of[cpu][page].valid && tlb.of[cpu][page].frame == frame)
				rt_fail("R2",
					"frame %u is handed back while %s still translates "
					"page %u to it",
					frame, trace_thread(cpu), page);
}

static unsigned frames_of(unsigned level)
{
	return 1u << 2 * (level - 1);
}

static void item_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	if (unlikely(rt.recording))
		trace_text("handed back:", "a frame");
	for (unsigned i = 0; i < frames_of(level); i++)
		drop_frame(PA_FRAME(pa) + i);
}

static int item_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	tlb_point(true); /* somebody may hand the frame back before */
	sched_effect(pseudo_cell(CELL_TLB), true);
	for (unsigned i = 0; i < frames_of(level); i++) {
		struct frame *frame = &tlb.frames[PA_FRAME(pa) + i];

		if (!frame->references++)
			rt_fail("R2",
				"a reference of frame %u is taken after the last one was "
				"handed back",
				PA_FRAME(pa) + i);
	}
	return 0;
}

/* References are counted by base pages here: nothing changes. Merging, too. */
static void item_split(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
}

const struct pt_item_ops tlb_item_ops = {
	.clone = item_clone,
	.drop = item_drop,
	.split = item_split,
	.merge = item_split,
};

/* ---- dirty bits ---- */

void tlb_reported(pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	if (prop & PT_DIRTY)
		for (unsigned i = 0; i < frames_of(level); i++)
			tlb.frames[PA_FRAME(pa) + i].reported = true;
}

void tlb_cleared(pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	tlb_reported(pa, prop, level);
	if (prop & PT_DIRTY && level == 1)
		tlb.frames[PA_FRAME(pa)].cleared++;
}

void tlb_removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	(void)ctx;
	(void)va;
	tlb_reported(item->pa, item->prop, item->level);
}

/* Times that the bit of the frame was set, at most: a huge leaf has one for all its frames. */
static unsigned writes_around(unsigned frame)
{
	unsigned writes = 0;

	for (unsigned f = frame & ~3u; f < (frame & ~3u) + 4; f++)
		writes += tlb.frames[f].writes;
	return writes;
}

void tlb_judge_dirty(const struct page_state *final)
{
	bool kept[SCENARIO_FRAMES] = {false};

	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		if (final[page].kind != PT_KIND_LEAF || !(final[page].prop & PT_DIRTY))
			continue;
		kept[PA_FRAME(final[page].value)] = true;
		/* by a huge leaf it was part of, at most */
		if (!(tlb.stored & page_mask(page & ~15u, 16)))
			rt_fail("T2", "page %u is dirty, but nobody wrote through it", page);
	}
	for (unsigned f = 0; f < SCENARIO_FRAMES; f++) {
		const struct frame *frame = &tlb.frames[f];
		bool known = kept[f] || frame->reported;

		if (frame->writes && !known && !(tlb.unreported >> frame->page & 1))
			rt_fail("T2",
				"the hardware set the dirty bit of frame %u at page %u, but "
				"neither the table nor any call reports it",
				f, frame->page);
		if (frame->cleared > writes_around(f))
			rt_fail("T2",
				"frame %u has been found dirty %u times, but written %u times", f,
				frame->cleared, writes_around(f));
		if (known && !writes_around(f))
			rt_fail("T2", "frame %u is reported dirty, but nobody wrote it", f);
	}
}

void tlb_judge_references(void)
{
	for (unsigned f = 0; f < SCENARIO_FRAMES; f++)
		if (tlb.frames[f].references)
			rt_fail("S1", "%d references of frame %u were never handed back",
				tlb.frames[f].references, f);
}

uint64_t tlb_signature(void)
{
	const uint64_t *word = (const uint64_t *)&tlb;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(tlb) / sizeof(*word); i++) {
		hash = (hash ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash;
}
