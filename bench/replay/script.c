/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>

#include "script.h"
#include "spans.h"
#include "xalloc.h"

#define PERMISSIONS (PT_READ | PT_WRITE | PT_EXEC)

/* An address space while events are followed; in page numbers. */
struct model {
	struct spans mapped;   /* value: permissions */
	struct spans resident; /* one page each; value: the event that brought it in, and prop */
	uint64_t max_pages;
};

static uint64_t pack_page(uint32_t fault, pt_prop_t prop)
{
	return (uint64_t)fault << 32 | prop;
}

static uint64_t first_page(const struct trace_event *e)
{
	return e->va >> TRACE_PAGE_SHIFT;
}

static uint64_t end_page(const struct trace_event *e)
{
	return first_page(e) + (e->len >> TRACE_PAGE_SHIFT);
}

/* As on the hardware that was recorded, whatever may be written or executed may be read. */
static pt_prop_t permissions_of(uint32_t arg)
{
	pt_prop_t prop = arg & (MAP_ARG_READ | MAP_ARG_WRITE | MAP_ARG_EXEC) ? PT_READ : 0;

	if (arg & MAP_ARG_WRITE)
		prop |= PT_WRITE;
	if (arg & MAP_ARG_EXEC)
		prop |= PT_EXEC;
	return prop;
}

static bool holds_any(const struct spans *s, uint64_t start, uint64_t end)
{
	struct span *next = spans_next(s, start);

	return next && next->start < end;
}

static void note_max(struct model *m)
{
	if (m->resident.covered > m->max_pages)
		m->max_pages = m->resident.covered;
}

/*
 * A page is mapped writable by a write only, as a kernel does to catch the first one. Where no
 * mapping is known (a recorder may miss one) the program evidently could read and write.
 */
static void follow_fault(struct model *m, const struct trace_event *e, uint32_t index,
			 struct script_call *call)
{
	uint64_t page = first_page(e);
	struct span *mapping = spans_next(&m->mapped, page);
	struct span *here = spans_next(&m->resident, page);
	pt_prop_t prop = PT_READ | PT_WRITE;

	if (mapping && mapping->start <= page)
		prop = (pt_prop_t)mapping->value;
	if (!(e->arg & FAULT_ARG_WRITE))
		prop &= ~PT_WRITE;
	call->set = prop;
	if (here && here->start == page) {
		call->kind = CALL_PROTECT;
		here->value |= prop;
		return;
	}
	call->kind = CALL_MAP;
	call->set |= PT_USER;
	spans_assign(&m->resident, page, page + 1, pack_page(index, call->set));
	note_max(m);
}

static void follow_map(struct model *m, const struct trace_event *e, struct script_call *call)
{
	uint64_t start = first_page(e), end = end_page(e);

	if (holds_any(&m->mapped, start, end) || holds_any(&m->resident, start, end))
		call->kind = CALL_UNMAP;
	spans_erase(&m->resident, start, end);
	spans_assign(&m->mapped, start, end, permissions_of(e->arg));
}

static void follow_protect(struct model *m, const struct trace_event *e, struct script_call *call)
{
	uint64_t start = first_page(e), end = end_page(e);
	struct span *s;

	call->kind = CALL_PROTECT;
	call->set = permissions_of(e->arg);
	call->clear = PERMISSIONS & ~call->set;
	spans_cut(&m->mapped, start);
	spans_cut(&m->mapped, end);
	for (s = spans_next(&m->mapped, start); s && s->start < end;
	     s = spans_next(&m->mapped, s->end))
		s->value = call->set;
	for (s = spans_next(&m->resident, start); s && s->start < end;
	     s = spans_next(&m->resident, s->end))
		s->value = (s->value & ~(uint64_t)call->clear) | call->set;
}

static void note_carried(struct script *s, uint64_t pages)
{
	if (pages > s->max_carried)
		s->max_carried = pages;
}

static void follow_move(struct script *s, struct model *m, const struct trace_event *e,
			struct script_call *call)
{
	uint64_t start = first_page(e), end = end_page(e);
	uint64_t to = e->new_va >> TRACE_PAGE_SHIFT, to_len = e->new_len >> TRACE_PAGE_SHIFT;
	struct span *old = spans_next(&m->mapped, start), *p;
	uint64_t permissions = old && old->start < end ? old->value : PT_READ | PT_WRITE;
	struct spans moved = {0};

	if (to == start && to_len >= end - start && !holds_any(&m->mapped, end, to + to_len) &&
	    !holds_any(&m->resident, end, to + to_len)) {
		/* It grows where it is: no entry changes. */
		spans_assign(&m->mapped, to, to + to_len, permissions);
		return;
	}
	call->kind = CALL_MOVE;
	for (p = spans_next(&m->resident, start); p && p->start < end;
	     p = spans_next(&m->resident, p->end)) {
		if (p->start - start < to_len)
			spans_assign(&moved, p->start, p->end, p->value);
	}
	spans_erase(&m->resident, start, end);
	spans_erase(&m->mapped, start, end);
	note_carried(s, moved.covered);
	spans_erase(&m->resident, to, to + to_len);
	spans_assign(&m->mapped, to, to + to_len, permissions);
	for (p = spans_next(&moved, 0); p; p = spans_next(&moved, p->end))
		spans_assign(&m->resident, p->start - start + to, p->end - start + to, p->value);
	spans_clear(&moved);
	note_max(m);
}

static void follow_fork(struct script *s, const struct model *m, struct model *child,
			struct script_call *call)
{
	call->kind = CALL_FORK;
	note_carried(s, m->resident.covered);
	spans_copy(&child->mapped, &m->mapped);
	spans_copy(&child->resident, &m->resident);
	note_max(child);
}

/* Keep what the space ends in, and forget the rest. */
static void finish(struct model *m, struct script_space *out)
{
	uint64_t n = 0;

	out->nr_pages = m->resident.covered;
	out->max_pages = m->max_pages;
	out->checksum = TRACE_CHECKSUM_BASIS;
	out->pages = xcalloc(out->nr_pages, sizeof(*out->pages));
	for (struct span *p = spans_next(&m->resident, 0); p;
	     p = spans_next(&m->resident, p->end)) {
		out->pages[n] = (struct script_page){
			.va = p->start << TRACE_PAGE_SHIFT,
			.fault = (uint32_t)(p->value >> 32),
			.prop = (pt_prop_t)p->value,
		};
		out->checksum = trace_checksum(out->checksum, out->pages[n].va);
		n++;
	}
	spans_clear(&m->mapped);
	spans_clear(&m->resident);
}

static void follow(struct script *s, struct model *models, uint32_t index)
{
	const struct trace_event *e = &s->trace->events[index];
	struct script_call *call = &s->calls[index];
	struct model *m = &models[e->space];
	uint64_t start = first_page(e), end = end_page(e);

	switch (e->op) {
	case OP_FAULT:
		follow_fault(m, e, index, call);
		break;
	case OP_MAP:
		follow_map(m, e, call);
		break;
	case OP_UNMAP:
		spans_erase(&m->mapped, start, end);
		/* fall through */
	case OP_DONTNEED:
		spans_erase(&m->resident, start, end);
		call->kind = CALL_UNMAP;
		break;
	case OP_PROTECT:
		follow_protect(m, e, call);
		break;
	case OP_MOVE:
		follow_move(s, m, e, call);
		break;
	case OP_FORK:
		follow_fork(s, m, &models[e->arg], call);
		break;
	case OP_EXEC:
		call->kind = CALL_CREATE;
		break;
	default:
		finish(m, &s->spaces[e->space]);
		break;
	}
}

void script_build(const struct trace *t, struct script *ret)
{
	struct script s = {.trace = t};
	struct model *models = xcalloc(t->nr_spaces, sizeof(*models));

	s.calls = xcalloc(t->nr_events, sizeof(*s.calls));
	s.spaces = xcalloc(t->nr_spaces, sizeof(*s.spaces));
	for (uint32_t i = 0; i < t->nr_events; i++) {
		follow(&s, models, i);
		s.nr_calls += s.calls[i].kind != CALL_NONE;
	}
	for (uint32_t i = 0; i < t->nr_spaces; i++) {
		if (!t->spaces[i].gone)
			finish(&models[i], &s.spaces[i]);
	}
	free(models);
	*ret = s;
}

int script_check(const struct script *s, struct trace_error *error)
{
	const struct trace *t = s->trace;

	for (uint32_t i = 0; i < t->nr_spaces; i++) {
		const struct trace_space *want = &t->spaces[i];
		const struct script_space *have = &s->spaces[i];

		if (want->pages == have->nr_pages && want->max_pages == have->max_pages &&
		    want->checksum == have->checksum)
			continue;
		snprintf(error->text, sizeof(error->text),
			 "%s:%" PRIu32 ": end_state of as %" PRIu32 " says pages=%" PRIu64
			 " maxpages=%" PRIu64 " fnv1a=%016" PRIx64
			 ", the events lead to pages=%" PRIu64 " maxpages=%" PRIu64
			 " fnv1a=%016" PRIx64,
			 t->path, want->end_line, i + 1, want->pages, want->max_pages,
			 want->checksum, have->nr_pages, have->max_pages, have->checksum);
		return -1;
	}
	return 0;
}

void script_free(struct script *s)
{
	for (uint32_t i = 0; i < s->trace->nr_spaces; i++)
		free(s->spaces[i].pages);
	free(s->spaces);
	free(s->calls);
	*s = (struct script){0};
}
