/* SPDX-License-Identifier: MIT */
/* The steps of scripts: calls of the model test, each as often as it takes. */
#include "nomem_script.h"

static unsigned levels(const struct script *s)
{
	return s->fx.format->levels;
}

pt_pa_t script_frame(const struct script *s, pt_va_t va, bool odd)
{
	return FRAMES + (va - s->fx.base) + (odd ? s->fx.page : 0);
}

/* ---- one-shot calls ---- */

void script_map(struct script *s, pt_va_t va, uint64_t len, pt_prop_t prop, unsigned max_level)
{
	STEP(s, model_map(&s->w, va, va + (len - 1), script_frame(s, va, false), prop, max_level));
}

void script_map_odd(struct script *s, pt_va_t va, uint64_t len, pt_prop_t prop)
{
	STEP(s, model_map(&s->w, va, va + (len - 1), script_frame(s, va, true), prop, levels(s)));
}

void script_unmap(struct script *s, pt_va_t va, uint64_t len)
{
	assert_false(s->w.gather_open);
	STEP(s, model_unmap(&s->w, va, va + (len - 1), false));
}

void script_protect(struct script *s, pt_va_t va, uint64_t len, pt_prop_t set, pt_prop_t clear)
{
	STEP(s, model_protect(&s->w, va, va + (len - 1), set, clear));
}

void script_mark(struct script *s, pt_va_t va, uint64_t len, uint64_t mark)
{
	STEP(s, model_mark(&s->w, va, va + (len - 1), mark));
}

void script_prune(struct script *s, pt_va_t va, uint64_t len)
{
	STEP(s, model_prune(&s->w, va, va + (len - 1), s->w.gather_open, true));
}

void script_merge(struct script *s, pt_va_t va, uint64_t len)
{
	STEP(s, model_merge(&s->w, va, va + (len - 1), levels(s)));
}

void script_harvest(struct script *s, pt_va_t va, uint64_t len, pt_prop_t clear)
{
	STEP(s, model_harvest(&s->w, va, va + (len - 1), clear, s->w.gather_open));
}

void script_write(struct script *s, pt_va_t va)
{
	STEP(s, model_access(&s->w, s->fx.table, va, PT_ACCESS_WRITE, false));
}

/* ---- gathers ---- */

void script_gather(struct script *s, pt_va_t va, uint64_t len)
{
	open_gather(&s->w);
	STEP(s, model_unmap(&s->w, va, va + (len - 1), true));
}

void script_sync(struct script *s)
{
	STEP(s, sync_gather(&s->w));
}

/* ---- the other table ---- */

/* What the copy of first..last holds is put into the other table's map. */
static void copy_extents(struct script *s, pt_va_t first, pt_va_t last, pt_prop_t clear)
{
	struct flatmap copy;

	flat_init(&copy, s->fx.format);
	flat_copy(&copy, &s->w.map);
	flat_protect(&copy, first, last, 0, clear | PT_ACCESSED | PT_DIRTY);
	flat_cut_range(&copy, first, last);
	for (size_t i = flat_lower(&copy, first); i < copy.n && copy.extents[i].first <= last; i++)
		flat_insert(&s->other_map, &copy.extents[i]);
	flat_free(&copy);
}

static void clone(struct script *s, pt_va_t first, pt_va_t last, pt_prop_t clear)
{
	const size_t i = flat_lower(&s->other_map, first);
	bool occupied = i < s->other_map.n && s->other_map.extents[i].first <= last;
	uint64_t pages = 0;
	int rc = pt_clone(s->fx.self, s->fx.table, s->other, first, last - first + 1, 0, clear,
			  s->w.gather_open ? &s->w.gather : NULL, &pages);

	if (!succeeded(&s->w, rc, occupied ? ERROR_BIT(EEXIST) : 0))
		return;
	assert_int_equal(pages, flat_pages(&s->w.map, first, last));
	copy_extents(s, first, last, clear);
	if (clear)
		flat_protect(&s->w.map, first, last, 0, clear);
}

void script_clone(struct script *s, pt_va_t va, uint64_t len, pt_prop_t clear)
{
	STEP(s, clone(s, va, va + (len - 1), clear));
}

void script_other(struct script *s)
{
	struct pt_table *table = s->fx.table;
	struct flatmap map = s->w.map;

	s->fx.table = s->other;
	s->w.map = s->other_map;
	s->other = table;
	s->other_map = map;
}

/* ---- cursors ---- */

void script_begin(struct script *s, pt_va_t va, uint64_t len, enum pt_mode mode)
{
	STEP(s, cursor_begin(&s->cursor, &s->w, va, va + (len - 1), mode, s->fx.giant_level));
	s->in_cursor = true;
}

void script_end(struct script *s)
{
	STEP(s, pt_cursor_end(&s->cursor.c));
	s->in_cursor = false;
}

void script_jump(struct script *s, pt_va_t va)
{
	STEP(s, cursor_jump(&s->cursor, va, 0));
}

void script_find_next(struct script *s, uint64_t len)
{
	STEP(s, cursor_find_next(&s->cursor, len, 0));
}

void script_map_item(struct script *s, pt_prop_t prop, unsigned level)
{
	const struct pt_item item = {
		.pa = script_frame(s, s->cursor.va, false), .prop = prop, .level = level};

	STEP(s, cursor_map(&s->cursor, &item));
}

void script_mark_next(struct script *s, uint64_t len, uint64_t mark)
{
	STEP(s, cursor_mark(&s->cursor, len, mark, 0));
}

void script_take_next(struct script *s, uint64_t len)
{
	STEP(s, cursor_take_next(&s->cursor, len, 0));
}

void script_protect_next(struct script *s, uint64_t len, pt_prop_t set, pt_prop_t clear)
{
	STEP(s, cursor_protect_next(&s->cursor, len, set, clear, 0));
}
