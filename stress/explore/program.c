/* SPDX-License-Identifier: MIT */
/*
 * Runs the calls of a scenario and writes down what they did.
 *
 * After an execution the final state is judged only if no execution before has had the same one:
 * same memory, same results, same order of calls. Most schedules differ in nothing that matters.
 */
#include "program.h"

#include <stdio.h>
#include <string.h>

#include "oracle.h"
#include "seen.h"
#include "tlb.h"
#include "trace.h"

#define POOL_BYTES 4096

static struct pt_gather gathers[MAX_THREADS];
static struct pt_cursor cursors[MAX_THREADS];

/* ---- final states ---- */

static struct seen judged, outcomes;

unsigned program_outcomes(void)
{
	return outcomes.count;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* What calls returned and left behind, in *ret_outcome; and with the times of the calls. */
static uint64_t signature(const struct program *p, uint64_t *ret_outcome)
{
	uint64_t outcome = memory_signature(), times = 0;

	if (p->scenario->hardware)
		outcome = mix(outcome, tlb_signature());
	for (unsigned t = 0; t < p->threads; t++)
		for (unsigned i = 0; i < p->nr_calls[t]; i++) {
			const struct call *c = &p->calls[t][i];

			times = mix(times, (uint64_t)c->invoked << 32 | c->responded);
			outcome = mix(outcome,
				      (uint64_t)(uint32_t)c->rc << 32 | c->page << 8 | c->pages);
			outcome = mix(outcome, c->value ^ (uint64_t)c->prop << 32 ^
						       (uint64_t)c->kind << 60 ^
						       (uint64_t)c->translated << 59);
		}
	*ret_outcome = outcome;
	return mix(outcome, times);
}

/* ---- results ---- */

static void set_mapping(struct call *call, unsigned page, const struct pt_mapping *m)
{
	if (PAGE_VA(page) - m->va >= m->len)
		rt_fail("Q1", "a query of page %u describes addresses 0x%llx..0x%llx", page,
			(unsigned long long)m->va, (unsigned long long)(m->va + m->len - 1));
	call->kind = m->kind;
	call->value = m->kind == PT_KIND_LEAF ? m->item.pa + (PAGE_VA(page) - m->va) : m->mark;
	call->prop = m->kind == PT_KIND_LEAF ? m->item.prop : 0;
}

/* The properties a call promises; what the hardware sets is judged apart. */
static void strip_hardware(struct call *call)
{
	call->prop &= ~HARDWARE_BITS;
}

struct change {
	const struct step *step;
	struct pt_item old;
};

static pt_prop_t change_prop(void *ctx, pt_va_t va, const struct pt_item *old)
{
	struct change *change = ctx;

	(void)va;
	change->old = *old;
	return (old->prop & ~change->step->clear) | change->step->set;
}

/* ---- cursors ---- */

/* Whoever holds a range writes its words; who else does so at the same time races. */
static void own(struct program *p, const struct step *begin)
{
	for (unsigned page = begin->page; page < begin->page + begin->pages; page++)
		access_plain(&p->owned[page], sizeof(*p->owned), begin->mode != PT_READ_ONLY,
			     __builtin_return_address(0));
}

static void run_take(struct program *p, struct call *call, unsigned t)
{
	struct pt_taken taken;

	(void)p;
	call->rc =
		pt_cursor_take_next(&cursors[t], PAGE_VA(call->step->pages), &gathers[t], &taken);
	if (call->rc)
		return;
	call->page = VA_PAGE(taken.va);
	call->pages = VA_PAGE(taken.len);
	call->value = taken.pages;
}

static void run_protect_next(struct call *call, unsigned t)
{
	struct change change = {.step = call->step};
	pt_va_t va;
	uint64_t len;

	call->rc = pt_cursor_protect_next(&cursors[t], PAGE_VA(call->step->pages), change_prop,
					  &change, &gathers[t], &va, &len);
	if (call->rc)
		return;
	call->page = VA_PAGE(va);
	call->pages = VA_PAGE(len);
	if (call->step->clear & PT_DIRTY)
		tlb_reported(change.old.pa, change.old.prop, change.old.level);
}

static void run_cursor(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	struct pt_cursor *c = &cursors[t];
	struct pt_item item = {.pa = FRAME_PA(s->frame), .prop = s->set, .level = s->level};
	struct pt_mapping mapping;
	pt_va_t va;

	switch (s->kind) {
	case STEP_CURSOR_QUERY:
		call->rc = pt_cursor_query(c, &mapping);
		if (!call->rc)
			set_mapping(call, VA_PAGE(pt_cursor_va(c)), &mapping);
		strip_hardware(call);
		break;
	case STEP_CURSOR_FIND:
		call->rc = pt_cursor_find_next(c, PAGE_VA(s->pages), &va);
		call->page = call->rc ? 0 : VA_PAGE(va);
		break;
	case STEP_CURSOR_JUMP:
		call->rc = pt_cursor_jump(c, PAGE_VA(s->page));
		break;
	case STEP_CURSOR_MAP:
		call->rc = pt_cursor_map(c, &item);
		if (!call->rc)
			tlb_mapped(s, s->frame);
		break;
	case STEP_CURSOR_MARK:
		call->rc = pt_cursor_mark(c, PAGE_VA(s->pages), s->value);
		break;
	case STEP_CURSOR_TAKE:
		run_take(p, call, t);
		break;
	default:
		run_protect_next(call, t);
		break;
	}
}

/* ---- calls ---- */

static void run_range(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	struct pt_thread *self = p->handles[t];
	struct pt_gather *gather = s->gather ? &gathers[t] : NULL;
	pt_va_t va = PAGE_VA(s->page);
	uint64_t len = PAGE_VA(s->pages), pages = 0;

	switch (s->kind) {
	case STEP_MAP:
		call->rc = pt_map(self, p->table, va, len, FRAME_PA(s->frame), s->set, s->level);
		if (!call->rc)
			tlb_mapped(s, s->frame);
		break;
	case STEP_UNMAP:
		if (!gather)
			tlb_unreported(s->page, s->pages);
		call->rc = pt_unmap(self, p->table, va, len, gather, &pages);
		break;
	case STEP_PROTECT:
		call->rc = pt_protect(self, p->table, va, len, s->set, s->clear, gather, &pages);
		break;
	default:
		call->rc = pt_mark(self, p->table, va, len, s->value);
		break;
	}
	call->pages = (uint32_t)pages;
}

static void run_look(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	struct pt_mapping mapping;

	if (s->kind == STEP_ACCESS) {
		tlb_access(p, call);
	} else if (s->kind == STEP_QUERY) {
		call->rc = pt_query(p->handles[t], p->table, PAGE_VA(s->page), &mapping);
		if (!call->rc)
			set_mapping(call, s->page, &mapping);
	} else {
		call->rc = pt_walk(p->handles[t], p->table, PAGE_VA(s->page), &call->value,
				   &call->prop);
	}
	strip_hardware(call);
}

static bool changes_pages(const struct step *s)
{
	return s->kind == STEP_UNMAP || s->kind == STEP_PROTECT ||
	       (s->kind == STEP_BEGIN && s->mode != PT_READ_ONLY);
}

static bool syncs(const struct step *s)
{
	return s->kind == STEP_SYNC || (changes_pages(s) && s->kind != STEP_BEGIN && !s->gather);
}

/* One call; false when the cursor it needs was not to be had. */
static bool run_step(struct program *p, struct call *call, unsigned t, const struct step **held)
{
	const struct step *s = call->step;

	if (changes_pages(s))
		tlb_change_begins(s->page, s->pages);
	switch (s->kind) {
	case STEP_MAP:
	case STEP_UNMAP:
	case STEP_PROTECT:
	case STEP_MARK:
		run_range(p, call, t);
		break;
	case STEP_QUERY:
	case STEP_WALK:
	case STEP_ACCESS:
		run_look(p, call, t);
		break;
	case STEP_BEGIN:
		call->rc = pt_cursor_begin(p->handles[t], p->table, PAGE_VA(s->page),
					   PAGE_VA(s->pages), s->mode, s->level, &cursors[t]);
		*held = call->rc ? NULL : s;
		if (*held)
			own(p, *held);
		break;
	case STEP_END:
		own(p, *held);
		pt_cursor_end(&cursors[t]);
		*held = NULL;
		break;
	case STEP_SYNC:
		pt_gather_sync(&gathers[t]);
		break;
	case STEP_RECLAIM:
		pt_thread_reclaim(p->handles[t]);
		break;
	default:
		run_cursor(p, call, t);
		break;
	}
	if (p->scenario->hardware && syncs(s))
		tlb_change_synced(p);
	return !(s->kind == STEP_BEGIN && call->rc);
}

static bool needs_cursor(const struct step *s)
{
	return s->kind > STEP_BEGIN && s->kind <= STEP_END;
}

/* Run @steps as thread @t and write down what they do. Return: how many there are. */
static unsigned run_steps(struct program *p, const struct step *steps, struct call *calls,
			  unsigned t, char (*text)[64])
{
	const struct step *held = NULL;
	bool may_fail = false, has_cursor = true;
	unsigned i;

	for (i = 0; i < MAX_STEPS && steps[i].kind; i++) {
		struct call *call = &calls[i];

		*call = (struct call){.thread = (uint8_t)t};
		if (steps[i].kind == STEP_FAIL_ALLOC) {
			pt_thread_fail_alloc(p->handles[t], steps[i].value);
			may_fail = true;
			continue;
		}
		if (needs_cursor(&steps[i]) && !has_cursor)
			continue;
		call->step = &steps[i];
		call->may_fail = may_fail;
		sched_invoke(text ? text[i] : "set-up");
		has_cursor = run_step(p, call, t, &held) && has_cursor;
		call->responded = sched_respond();
		call->invoked = rt.self->invoked;
		if (steps[i].kind == STEP_END)
			has_cursor = true;
	}
	return i;
}

/* ---- text ---- */

void step_text(const struct step *s, char *text, size_t size)
{
	static const char *const names[] = {
		[STEP_MAP] = "map",
		[STEP_UNMAP] = "unmap",
		[STEP_PROTECT] = "protect",
		[STEP_MARK] = "mark",
		[STEP_QUERY] = "query",
		[STEP_WALK] = "walk",
		[STEP_ACCESS] = "load",
		[STEP_BEGIN] = "cursor",
		[STEP_CURSOR_QUERY] = "cursor query",
		[STEP_CURSOR_FIND] = "cursor find",
		[STEP_CURSOR_JUMP] = "cursor jump",
		[STEP_CURSOR_MAP] = "cursor map",
		[STEP_CURSOR_TAKE] = "cursor take",
		[STEP_CURSOR_PROTECT] = "cursor protect",
		[STEP_CURSOR_MARK] = "cursor mark",
		[STEP_END] = "cursor end",
		[STEP_SYNC] = "gather sync",
		[STEP_FAIL_ALLOC] = "allocations fail",
		[STEP_RECLAIM] = "reclaim",
	};
	static const char *const modes[] = {"read", "change", "build"};
	size_t n = (size_t)snprintf(text, size, "%s", names[s->kind]);

	if (s->kind == STEP_ACCESS && s->mode == PT_ACCESS_WRITE)
		n = (size_t)snprintf(text, size, "store");
	if (s->kind == STEP_BEGIN)
		n += (size_t)snprintf(text + n, size - n, " to %s", modes[s->mode]);
	if (s->pages && (needs_cursor(s) || s->kind == STEP_NONE))
		n += (size_t)snprintf(text + n, size - n, " %u pages", s->pages);
	else if (s->pages == 1)
		n += (size_t)snprintf(text + n, size - n, " page %u", s->page);
	else if (s->pages)
		n += (size_t)snprintf(text + n, size - n, " pages %u..%u", s->page,
				      s->page + s->pages - 1);
	if (s->kind == STEP_MAP || s->kind == STEP_CURSOR_MAP)
		snprintf(text + n, size - n, " to frame %u", s->frame);
}

/* ---- executions ---- */

static void body(void *ctx, unsigned t)
{
	struct program *p = ctx;

	pt_gather_init(&gathers[t], p->handles[t], p->table,
		       p->scenario->hardware ? tlb_removed : NULL, NULL);
	p->nr_calls[t] = run_steps(p, p->scenario->threads[t], p->calls[t], t, p->text[t]);
}

static void start(void *ctx)
{
	struct program *p = ctx;

	if (p->scenario->hardware)
		tlb_restore();
}

static void look_at_all(struct program *p, struct page_state *final)
{
	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		struct pt_mapping mapping;
		struct call look;

		if (pt_query(p->handles[0], p->table, PAGE_VA(page), &mapping))
			rt_fail("Q1", "a query of page %u fails after all threads have ended",
				page);
		set_mapping(&look, page, &mapping);
		final[page] = (struct page_state){look.kind, look.value, look.prop};
	}
}

static void check_shape(struct program *p)
{
	struct pt_check_report report;

	if (pt_check(p->handles[0], p->table, &report))
		rt_fail("S1", "pt_check() fails: a thread still holds a cursor");
	if (report.violation)
		rt_fail("S1", "%s (page %u, level %u)", report.violation, VA_PAGE(report.va),
			report.level);
}

/* Everything goes; nothing may be left, or freed twice. */
static void tear_down(struct program *p)
{
	struct pt_pool_stats stats;
	unsigned rc = 0;

	rt.self->operation = "tear-down";
	rc |= (unsigned)pt_table_destroy(p->handles[0], p->table);
	for (unsigned t = 0; t < p->threads; t++)
		rc |= (unsigned)pt_thread_unregister(p->handles[t]);
	pt_pool_get_stats(p->pool, &stats);
	if (rc)
		rt_fail("S1", "the table cannot be destroyed: a cursor is still open");
	if (stats.node_bytes || stats.retired_bytes)
		rt_fail("R1", "%llu bytes of nodes, %llu of them retired, were never freed",
			(unsigned long long)stats.node_bytes,
			(unsigned long long)stats.retired_bytes);
	if (pt_pool_destroy(p->pool))
		rt_fail("R1", "the pool cannot be destroyed");
	if (port_model_objects())
		rt_fail("R1", "%u small objects were never freed", port_model_objects());
	if (p->scenario->hardware)
		tlb_judge_references();
}

static void finish(void *ctx)
{
	struct program *p = ctx;
	struct page_state final[SCENARIO_PAGES], plain[SCENARIO_PAGES];
	uint64_t outcome, now = signature(p, &outcome);

	if (!rt.recording && seen_has(&judged, now))
		return;
	rt.self->operation = "the final check";
	check_shape(p);
	look_at_all(p, final);
	for (unsigned page = 0; page < SCENARIO_PAGES; page++) {
		plain[page] = final[page];
		plain[page].prop &= ~HARDWARE_BITS;
	}
	oracle_judge(p, plain);
	if (p->scenario->hardware)
		tlb_judge_dirty(final);
	tear_down(p);
	seen_add(&judged, now);
	seen_add(&outcomes, outcome);
}

/* ---- set-up ---- */

static void must(int rc, const char *what)
{
	if (rc)
		rt_fail("-", "set-up: %s returned %d", what, rc);
}

/* A table created and destroyed leaves the thread with spare nodes. */
static void warm(struct program *p, struct pt_config config, unsigned t)
{
	struct pt_table *scratch;

	config.flush = NULL;
	config.item_ops = NULL;
	must(pt_table_create(p->handles[t], &config, &scratch), "creating a table");
	must(pt_table_destroy(p->handles[t], scratch), "destroying a table");
}

static void setup(void *ctx)
{
	struct program *p = ctx;
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = pt_format_find("toy")->node_shift,
		.chunk_bytes = POOL_BYTES,
		.max_bytes = POOL_BYTES,
		.magazine = 16,
		.retire_batch = 1,
		.phys_base = 0x10000,
	};
	struct pt_config config = {
		.size = sizeof(config),
		.format = "toy",
		.strategy = p->strategy,
	};

	rt.self->operation = "set-up";
	seen_clear(&judged);
	seen_clear(&outcomes);
	tlb_clear();
	must(pt_pool_create(&pool, &p->pool), "creating the pool");
	config.pool = p->pool;
	if (p->scenario->hardware) {
		config.item_ops = &tlb_item_ops;
		config.flush = tlb_flush;
	}
	for (unsigned t = 0; t < p->threads; t++) {
		must(pt_thread_register(p->pool, &p->handles[t]), "registering a thread");
		memory_describe("handle", p->handles[t], 64, 1);
		if (!p->scenario->cold)
			warm(p, config, t);
	}
	must(pt_table_create(p->handles[0], &config, &p->table), "creating the table");
	p->owned = memory_reserve(SCENARIO_PAGES * sizeof(*p->owned), 64, false);
	memory_describe("ownership of page", p->owned, sizeof(*p->owned), SCENARIO_PAGES);
	run_steps(p, p->scenario->initial, p->initial, 0, NULL);
	tlb_snapshot();
}

void program_subject(struct program *p, const struct scenario *scenario, const char *strategy,
		     struct subject *ret)
{
	*p = (struct program){.scenario = scenario, .strategy = strategy};
	while (p->threads < MAX_THREADS && scenario->threads[p->threads][0].kind)
		p->threads++;
	for (unsigned t = 0; t < p->threads; t++)
		for (unsigned i = 0; i < MAX_STEPS && scenario->threads[t][i].kind; i++)
			step_text(&scenario->threads[t][i], p->text[t][i], sizeof(p->text[t][i]));
	*ret = (struct subject){
		.name = scenario->name,
		.threads = p->threads,
		.setup = setup,
		.start = start,
		.body = body,
		.finish = finish,
		.ctx = p,
	};
}
