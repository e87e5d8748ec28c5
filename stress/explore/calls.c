/* SPDX-License-Identifier: MIT */
/* Makes the calls of a scenario and writes down what they did. */
#include "calls.h"

#include <stdio.h>

#include "figures.h"
#include "frames.h"
#include "roles.h"
#include "spares.h"
#include "tlb.h"

#define MAX_HELD 2 /* cursors of a thread */

/* A transaction that a thread is in. */
struct held {
	const struct step *begin;
	bool open; /* false: it was refused, and its calls are left out */
	struct pt_cursor cursor;
};

static struct pt_gather gathers[MAX_THREADS][2]; /* one for each table */
static struct held all_held[MAX_THREADS][MAX_HELD];
static unsigned nr_held[MAX_THREADS];

static struct pt_gather *gather_of(struct program *p, unsigned t, unsigned page)
{
	return &gathers[t][in_second(p, page)];
}

/* The innermost transaction. */
static struct held *held_by(unsigned t)
{
	return &all_held[t][nr_held[t] - 1];
}

void calls_begin(struct program *p, unsigned t)
{
	pt_removed_fn removed = p->scenario->hardware ? tlb_removed : NULL;

	pt_gather_init(&gathers[t][0], p->handles[t], p->kernel ? p->kernel : p->table, removed,
		       NULL);
	if (p->second)
		pt_gather_init(&gathers[t][1], p->handles[t], p->second, removed, NULL);
}

/* ---- results ---- */

void call_set_mapping(struct call *call, pt_va_t va, const struct pt_mapping *m)
{
	if (va - m->va >= m->len)
		rt_fail("Q1", "a query of page %u describes addresses 0x%llx..0x%llx", VA_PAGE(va),
			(unsigned long long)m->va, (unsigned long long)(m->va + m->len - 1));
	call->kind = m->kind;
	call->value = m->kind == PT_KIND_LEAF ? m->item.pa + (va - m->va) : m->mark;
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

/* ---- references of what is mapped ---- */

static void take(const struct program *p, const struct step *s)
{
	if (p->scenario->frames)
		frames_take(s);
	else
		tlb_take(s);
}

static void give(const struct program *p, const struct step *s)
{
	if (p->scenario->frames)
		frames_give(s);
	else
		tlb_give(s);
}

/* A call that failed has taken over the references of what it had done. */
static void give_rest(const struct program *p, const struct call *call)
{
	struct step rest = *call->step;

	rest.frame = (uint8_t)(rest.frame + call->done);
	rest.pages = (uint8_t)(rest.pages - call->done);
	if (rest.pages)
		give(p, &rest);
}

/* How far has a call of @t come that failed? */
static void note_done(struct program *p, struct call *call, unsigned t)
{
	if (call->rc && program_isolates_slots(p))
		call->done = VA_PAGE(pt_thread_done(p->handles[t]));
}

static void drop(const struct program *p, const struct pt_item *item)
{
	if (p->scenario->frames)
		frames_drop(item->pa, item->level);
	else
		tlb_item_ops.drop(NULL, item->pa, item->level);
}

/* ---- cursors ---- */

/* Whoever holds a range writes its words; who else does so at the same time races. */
static void own(struct program *p, const struct step *begin)
{
	if (program_isolates_slots(p))
		return;
	for (unsigned page = begin->page; page < begin->page + begin->pages; page++)
		access_plain(&p->owned[page], sizeof(*p->owned), begin->mode != PT_READ_ONLY,
			     __builtin_return_address(0));
}

static void run_take(struct program *p, struct call *call, unsigned t)
{
	struct held *held = held_by(t);
	struct pt_taken taken;

	call->rc = pt_cursor_take_next(&held->cursor, PAGE_VA(call->step->pages),
				       gather_of(p, t, held->begin->page), &taken);
	note_done(p, call, t);
	if (call->rc)
		return;
	call->page = page_at(p, held->begin->page, taken.va);
	call->pages = VA_PAGE(taken.len);
	call->value = taken.pages;
}

static void run_protect_next(struct program *p, struct call *call, unsigned t)
{
	struct held *held = held_by(t);
	struct change change = {.step = call->step};
	pt_va_t va;
	uint64_t len;

	call->rc = pt_cursor_protect_next(&held->cursor, PAGE_VA(call->step->pages), change_prop,
					  &change, gather_of(p, t, held->begin->page), &va, &len);
	if (call->rc)
		return;
	call->page = page_at(p, held->begin->page, va);
	call->pages = VA_PAGE(len);
	if (call->step->clear & PT_DIRTY)
		tlb_reported(change.old.pa, change.old.prop, change.old.level);
}

static void run_cursor(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	const unsigned in = held_by(t)->begin->page;
	struct pt_cursor *c = &held_by(t)->cursor;
	struct pt_item item = {.pa = FRAME_PA(s->frame), .prop = s->set, .level = s->level};
	struct pt_mapping mapping;
	pt_va_t va;

	switch (s->kind) {
	case STEP_CURSOR_QUERY:
		call->rc = pt_cursor_query(c, &mapping);
		if (!call->rc)
			call_set_mapping(call, pt_cursor_va(c), &mapping);
		strip_hardware(call);
		break;
	case STEP_CURSOR_FIND:
		call->rc = pt_cursor_find_next(c, PAGE_VA(s->pages), &va);
		call->page = call->rc ? 0 : page_at(p, in, va);
		break;
	case STEP_CURSOR_JUMP:
		call->rc = pt_cursor_jump(c, page_va(p, s->page));
		break;
	case STEP_CURSOR_MAP:
		take(p, s);
		call->rc = pt_cursor_map(c, &item);
		note_done(p, call, t);
		if (call->rc)
			give_rest(p, call);
		break;
	case STEP_CURSOR_MARK:
		call->rc = pt_cursor_mark(c, PAGE_VA(s->pages), s->value);
		note_done(p, call, t);
		break;
	case STEP_CURSOR_TAKE:
		run_take(p, call, t);
		break;
	default:
		run_protect_next(p, call, t);
		break;
	}
}

/* ---- calls ---- */

static void report_used(void *ctx, pt_va_t va, const struct pt_item *item)
{
	const struct step *s = ctx;

	(void)va;
	if (s->clear & PT_DIRTY)
		tlb_cleared(item->pa, item->prop, item->level);
}

static void run_upkeep(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	struct pt_thread *self = p->handles[t];
	struct pt_table *table = roles_table(p, s, t);
	pt_va_t va = page_va(p, s->page);
	uint64_t len = PAGE_VA(s->pages), count = 0;

	if (s->kind == STEP_PRUNE)
		call->rc = pt_prune(self, table, va, len, NULL, &count);
	else if (s->kind == STEP_MERGE)
		call->rc = pt_merge(self, table, va, len, s->level, &count);
	else
		call->rc = pt_harvest(self, table, va, len, s->clear, report_used, (void *)s, NULL,
				      &count);
	call->pages = (uint32_t)count;
}

static void run_range(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	struct pt_thread *self = p->handles[t];
	struct pt_table *table = roles_table(p, s, t);
	struct pt_gather *gather = s->gather ? gather_of(p, t, s->page) : NULL;
	pt_va_t va = page_va(p, s->page);
	uint64_t len = PAGE_VA(s->pages), pages = 0;

	switch (s->kind) {
	case STEP_MAP:
		take(p, s);
		call->rc = pt_map(self, table, va, len, FRAME_PA(s->frame), s->set, s->level);
		note_done(p, call, t);
		if (call->rc)
			give_rest(p, call);
		break;
	case STEP_UNMAP:
		if (!gather)
			tlb_unreported(s->page, s->pages);
		call->rc = pt_unmap(self, table, va, len, gather, &pages);
		break;
	case STEP_PROTECT:
		call->rc = pt_protect(self, table, va, len, s->set, s->clear, gather, &pages);
		break;
	default:
		call->rc = pt_mark(self, table, va, len, s->value);
		break;
	}
	note_done(p, call, t);
	call->pages = (uint32_t)pages;
}

static void run_clone(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	uint64_t pages = 0;

	call->rc = pt_clone(p->handles[t], table_of(p, s->page), table_of(p, OTHER_PAGE(s->page)),
			    page_va(p, s->page), PAGE_VA(s->pages), s->set, s->clear, NULL, &pages);
	note_done(p, call, t);
	call->pages = (uint32_t)pages;
}

static void run_look(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	struct pt_table *table = roles_table(p, s, t);
	pt_va_t va = page_va(p, s->page);
	struct pt_mapping mapping;

	if (s->kind == STEP_ACCESS) {
		tlb_access(p, call);
	} else if (s->kind == STEP_QUERY) {
		call->rc = pt_query(p->handles[t], table, va, &mapping);
		if (!call->rc)
			call_set_mapping(call, va, &mapping);
	} else if (s->kind == STEP_QUERY_GET) {
		call->rc = pt_query_get(p->handles[t], table, va, &mapping);
		if (!call->rc)
			call_set_mapping(call, va, &mapping);
		if (!call->rc && mapping.kind == PT_KIND_LEAF && (mapping.item.prop & PT_TRACKED))
			drop(p, &mapping.item);
	} else {
		call->rc = pt_walk(p->handles[t], table, va, &call->value, &call->prop);
	}
	strip_hardware(call);
}

static bool begins(const struct step *s)
{
	return s->kind == STEP_BEGIN || s->kind == STEP_TRY;
}

static bool changes_pages(const struct step *s)
{
	return s->kind == STEP_UNMAP || s->kind == STEP_PROTECT ||
	       (s->kind >= STEP_PRUNE && s->kind <= STEP_CLONE) ||
	       (begins(s) && s->mode != PT_READ_ONLY);
}

static bool syncs(const struct step *s)
{
	return s->kind == STEP_SYNC || (changes_pages(s) && !begins(s) && !s->gather);
}

/* Calls on no page. */
static void run_apart(struct program *p, struct call *call, unsigned t)
{
	if (call->step->kind <= STEP_DEACTIVATE)
		roles_run(p, call, t);
	else if (call->step->kind <= STEP_FRAME_PUT)
		frames_run(call, t);
	else if (call->step->kind <= STEP_REGISTER)
		figures_run(p, call, t);
	else
		spares_run(p, call, t);
	if (call->step->kind == STEP_REGISTER)
		calls_begin(p, t);
}

static void run_begin(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;
	struct held *held = &all_held[t][nr_held[t]++];
	struct pt_thread *self = p->handles[t];
	struct pt_table *table = roles_table(p, s, t);
	pt_va_t va = page_va(p, s->page);
	uint64_t len = PAGE_VA(s->pages);

	call->rc = s->kind == STEP_BEGIN
			   ? pt_cursor_begin(self, table, va, len, s->mode, s->level, &held->cursor)
			   : pt_cursor_try_begin(self, table, va, len, s->mode, s->level,
						 &held->cursor);
	held->begin = s;
	held->open = !call->rc;
	if (held->open)
		own(p, s);
}

static void run_end(struct program *p, unsigned t)
{
	struct held *held = held_by(t);

	own(p, held->begin);
	pt_cursor_end(&held->cursor);
	nr_held[t]--;
}

static void run_sync(struct program *p, unsigned t)
{
	int rc = pt_gather_sync(&gathers[t][0]);

	if (!rc && p->second)
		rc = pt_gather_sync(&gathers[t][1]);
	if (rc)
		rt_fail("P1", "a gather cannot be synced: %d", rc);
}

static void run_step(struct program *p, struct call *call, unsigned t)
{
	const struct step *s = call->step;

	if (s->kind >= STEP_TABLE_NEW) {
		run_apart(p, call, t);
		return;
	}
	if (changes_pages(s))
		tlb_change_begins(s->page, s->pages, begins(s) || s->gather);
	tlb_may_hold(s->kind == STEP_MERGE || s->kind == STEP_END);
	switch (s->kind) {
	case STEP_MAP:
	case STEP_UNMAP:
	case STEP_PROTECT:
	case STEP_MARK:
		run_range(p, call, t);
		break;
	case STEP_PRUNE:
	case STEP_MERGE:
	case STEP_HARVEST:
		run_upkeep(p, call, t);
		break;
	case STEP_CLONE:
		run_clone(p, call, t);
		break;
	case STEP_QUERY:
	case STEP_QUERY_GET:
	case STEP_WALK:
	case STEP_ACCESS:
		run_look(p, call, t);
		break;
	case STEP_BEGIN:
	case STEP_TRY:
		run_begin(p, call, t);
		break;
	case STEP_END:
		run_end(p, t);
		break;
	case STEP_SYNC:
		run_sync(p, t);
		break;
	case STEP_RECLAIM:
		pt_thread_reclaim(p->handles[t]);
		break;
	default:
		run_cursor(p, call, t);
		break;
	}
	if (p->scenario->hardware && syncs(s))
		tlb_change_synced(p, s->kind == STEP_SYNC);
}

static bool needs_cursor(const struct step *s)
{
	return s->kind > STEP_TRY && s->kind <= STEP_END;
}

/* Is @s a call of a transaction that was refused? Its end ends it, too. */
static bool left_out(const struct step *s, unsigned t)
{
	if (!needs_cursor(s) || held_by(t)->open)
		return false;
	nr_held[t] -= s->kind == STEP_END;
	return true;
}

/* Run @steps as thread @t and write down what they do. Return: how many there are. */
unsigned calls_run(struct program *p, const struct step *steps, struct call *calls, unsigned t,
		   char (*text)[64])
{
	bool may_fail = false;
	unsigned i;

	nr_held[t] = 0;
	for (i = 0; i < MAX_STEPS && steps[i].kind; i++) {
		struct call *call = &calls[i];

		*call = (struct call){.thread = (uint8_t)t};
		if (steps[i].kind == STEP_FAIL_ALLOC) {
			pt_thread_fail_alloc(p->handles[t], steps[i].value);
			may_fail = true;
			continue;
		}
		if (steps[i].kind == STEP_ALLOC_MAY_FAIL) {
			rt.self->alloc_may_fail = true;
			continue;
		}
		if (left_out(&steps[i], t))
			continue;
		call->step = &steps[i];
		rt.self->alloc_failed = false;
		call->began = rt.self->clock;
		sched_invoke(text ? text[i] : "set-up");
		run_step(p, call, t);
		call->may_fail = may_fail || rt.self->alloc_failed;
		call->ended = rt.self->clock.of[rt.me];
		call->responded = sched_respond();
		call->invoked = rt.self->invoked;
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
		[STEP_PRUNE] = "prune",
		[STEP_MERGE] = "merge",
		[STEP_HARVEST] = "harvest",
		[STEP_CLONE] = "clone",
		[STEP_QUERY] = "query",
		[STEP_QUERY_GET] = "query and get",
		[STEP_WALK] = "walk",
		[STEP_ACCESS] = "load",
		[STEP_BEGIN] = "cursor",
		[STEP_TRY] = "cursor, if at once,",
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
		[STEP_ALLOC_MAY_FAIL] = "an allocation may fail",
		[STEP_RECLAIM] = "reclaim",
		[STEP_TABLE_NEW] = "new table",
		[STEP_TABLE_DROP] = "drop table",
		[STEP_TABLE_GET] = "get table",
		[STEP_TABLE_PUT] = "put table",
		[STEP_KERNEL_PUT] = "put kernel table",
		[STEP_ACTIVATE] = "activate",
		[STEP_DEACTIVATE] = "deactivate",
		[STEP_FRAME_MAKE] = "make frame",
		[STEP_FRAME_GET] = "get frame",
		[STEP_FRAME_USE] = "use frame",
		[STEP_FRAME_OWN] = "own frame",
		[STEP_FRAME_PUT] = "put frame",
		[STEP_STATS] = "look at statistics",
		[STEP_REGISTER] = "register anew",
		[STEP_NODES_TAKE] = "take nodes",
		[STEP_NODES_GIVE] = "give nodes",
	};
	static const char *const modes[] = {"read", "change", "build"};
	size_t n = (size_t)snprintf(text, size, "%s", names[s->kind]);

	if (s->kind == STEP_ACCESS && s->mode == PT_ACCESS_WRITE)
		n = (size_t)snprintf(text, size, "store");
	if (begins(s))
		n += (size_t)snprintf(text + n, size - n, " to %s", modes[s->mode]);
	if (s->pages && (needs_cursor(s) || s->kind == STEP_NONE))
		n += (size_t)snprintf(text + n, size - n, " %u pages", s->pages);
	else if (s->pages == 1)
		n += (size_t)snprintf(text + n, size - n, " page %u", s->page);
	else if (s->pages)
		n += (size_t)snprintf(text + n, size - n, " pages %u..%u", s->page,
				      s->page + s->pages - 1);
	if (s->kind >= STEP_FRAME_MAKE && s->kind <= STEP_FRAME_PUT)
		snprintf(text + n, size - n, " %u", s->frame);
	if (s->kind == STEP_MAP || s->kind == STEP_CURSOR_MAP)
		snprintf(text + n, size - n, " to frame %u", s->frame);
}
