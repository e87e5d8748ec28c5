/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "dump.h"

typedef void (*slot_fn)(void *ctx, const struct pt_mapping *slot);

/* Call @fn for each slot of the table, holes included. */
static void each_slot(struct fixture *fx, slot_fn fn, void *ctx)
{
	uint64_t len = fx->last - fx->first + 1;
	struct pt_mapping slot;
	struct pt_cursor c;
	pt_va_t va;

	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->first, len, PT_READ_ONLY,
				  fx->format->levels, &c));
	for (;;) {
		va = pt_cursor_va(&c);
		expect_ok(pt_cursor_query(&c, &slot));
		assert_true(va - slot.va < slot.len);
		fn(ctx, &slot);
		if (slot.va + (slot.len - 1) >= fx->last)
			break;
		expect_ok(pt_cursor_jump(&c, slot.va + slot.len));
	}
	pt_cursor_end(&c);
}

static void add_slot(void *ctx, const struct pt_mapping *slot)
{
	struct dump *d = ctx;

	if (slot->kind == PT_KIND_EMPTY)
		return;
	if (d->n == d->capacity) {
		d->capacity = 2 * d->capacity + 64;
		d->slots = realloc(d->slots, d->capacity * sizeof(*d->slots));
		if (!d->slots)
			abort();
	}
	d->slots[d->n++] = *slot;
}

void dump_take(struct fixture *fx, struct dump *d)
{
	*d = (struct dump){0};
	each_slot(fx, add_slot, d);
}

void dump_free(struct dump *d)
{
	free(d->slots);
}

void dump_expect_equal(const struct dump *before, const struct dump *after)
{
	size_t i;

	for (i = 0; i < before->n && i < after->n; i++) {
		const struct pt_mapping *a = &before->slots[i], *b = &after->slots[i];

		assert_int_equal(a->va, b->va);
		assert_int_equal(a->len, b->len);
		assert_int_equal(a->kind, b->kind);
		if (a->kind == PT_KIND_MARK) {
			assert_int_equal(a->mark, b->mark);
			continue;
		}
		assert_int_equal(a->item.pa, b->item.pa);
		assert_int_equal(a->item.prop, b->item.prop);
		assert_int_equal(a->item.level, b->item.level);
	}
	assert_int_equal(before->n, after->n);
}

void dump_expect_unchanged(struct fixture *fx, struct dump *before)
{
	struct dump now;

	dump_take(fx, &now);
	dump_expect_equal(before, &now);
	dump_free(&now);
	dump_free(before);
}

void before_take(struct fixture *fx, struct before *b)
{
	b->references = ledger_total(&fx->ledger);
	b->splits = fx->ledger.splits;
	b->drops = fx->ledger.drops;
	fx->flushes.n = 0;
	dump_take(fx, &b->content);
}

void before_free(struct before *b)
{
	dump_free(&b->content);
}

void before_expect_unchanged(struct fixture *fx, struct before *b)
{
	dump_expect_unchanged(fx, &b->content);
	check(fx);
	assert_int_equal(ledger_total(&fx->ledger), b->references);
	assert_int_equal(fx->ledger.splits, b->splits);
	assert_int_equal(fx->ledger.drops, b->drops);
	assert_int_equal(fx->flushes.n, 0);
}

struct against {
	const struct flatmap *model;
	pt_va_t first; /* what the table manages */
	size_t at;     /* the first extent that does not end below the slot */
};

static void compare_slot(void *ctx, const struct pt_mapping *slot)
{
	struct against *a = ctx;
	pt_va_t first = slot->va < a->first ? a->first : slot->va;
	pt_va_t last = slot->va + (slot->len - 1);
	const struct extent *e;

	while (a->at < a->model->n && a->model->extents[a->at].last < first)
		a->at++;
	e = a->at < a->model->n ? &a->model->extents[a->at] : NULL;
	if (slot->kind == PT_KIND_EMPTY) {
		assert_true(!e || e->first > last);
		return;
	}
	assert_non_null(e);
	assert_true(e->first <= first);
	assert_int_equal(e->kind, slot->kind);
	assert_true(e->last >= last);
	if (slot->kind == PT_KIND_MARK) {
		assert_int_equal(e->mark, slot->mark);
		return;
	}
	assert_int_equal(e->level, slot->item.level);
	assert_int_equal(e->pa + (slot->va - e->first), slot->item.pa);
	assert_int_equal(e->prop, slot->item.prop);
	assert_int_equal(slot->len, pt_page_size(a->model->format, e->level));
}

void dump_expect_model(struct fixture *fx, const struct flatmap *model)
{
	struct against a = {.model = model, .first = fx->first};

	each_slot(fx, compare_slot, &a);
}
