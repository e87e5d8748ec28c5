/* SPDX-License-Identifier: MIT */
/* Random transactions of a cursor, compared call by call. */
#include "model.h"

static void advance(struct transaction *t, pt_va_t last)
{
	t->va = last + 1;
	t->at_end = last == t->last;
}

/* A length for the next call: mostly within reach. Adds the errors it must lead to. */
static uint64_t random_reach(struct transaction *t, uint64_t *errors)
{
	struct world *w = t->w;
	uint64_t left = t->last - t->va + 1; /* 0: the whole address space or nothing */
	uint64_t len = w->fx->page * (1 + random_below(w, 8));

	if (one_in(w, 3))
		len = w->fx->huge * (1 + random_below(w, 3));
	if (one_in(w, 3) && !t->at_end)
		len = left;
	if (one_in(w, 50))
		len = one_in(w, 2) ? 0 : len + 1;
	if (!len || (len & (w->fx->page - 1)))
		*errors |= ERROR_BIT(EINVAL);
	else if (t->at_end || len - 1 > left - 1)
		*errors |= ERROR_BIT(ERANGE);
	return len;
}

static void do_query(struct transaction *t)
{
	struct pt_mapping m;
	int rc = pt_cursor_query(&t->c, &m);

	if (succeeded_anyway(t->w, rc, t->at_end ? ERROR_BIT(ERANGE) : 0))
		expect_mapping(t->w, t->va, &m);
}

void cursor_find_next(struct transaction *t, uint64_t len, uint64_t errors)
{
	struct world *w = t->w;
	pt_va_t found, want = 0;
	int rc = pt_cursor_find_next(&t->c, len, &found);

	if (errors) {
		succeeded_anyway(w, rc, errors);
		return;
	}
	if (flat_next(&w->map, t->va, t->va + (len - 1), &want)) {
		succeeded_anyway(w, rc, 0);
		assert_int_equal(found, want);
		t->va = found;
	} else {
		succeeded_anyway(w, rc, ERROR_BIT(ENOENT));
		advance(t, t->va + (len - 1));
	}
}

static void do_find_next(struct transaction *t)
{
	uint64_t errors = 0;
	uint64_t len = random_reach(t, &errors);

	cursor_find_next(t, len, errors);
}

void cursor_jump(struct transaction *t, pt_va_t va, uint64_t errors)
{
	if (va < t->first || va > t->last)
		errors |= ERROR_BIT(ERANGE);
	if (succeeded_anyway(t->w, pt_cursor_jump(&t->c, va), errors)) {
		t->va = va;
		t->at_end = false;
	}
}

static void do_jump(struct transaction *t)
{
	struct world *w = t->w;
	pt_va_t va = one_in(w, 2) ? random_page(w)
				  : t->first + w->fx->page *
						       random_below(w, 1 + (t->last - t->first) /
										       w->fx->page);
	uint64_t errors = 0;

	if (one_in(w, 50)) {
		va++;
		errors = ERROR_BIT(EINVAL);
	}
	cursor_jump(t, va, errors);
}

void cursor_map(struct transaction *t, const struct pt_item *wanted)
{
	struct world *w = t->w;
	struct pt_item item = *wanted;
	uint64_t size = pt_page_size(w->fx->format, item.level);
	uint64_t errors = 0;

	item.prop = trackable(w, item.prop, t->va, t->va + (size - 1));
	if (t->mode != PT_BUILD || !(w->fx->format->leaf_levels >> item.level & 1) ||
	    ((t->va | item.pa) & (size - 1)))
		errors |= ERROR_BIT(EINVAL);
	if (t->at_end || item.level > t->top || size - 1 > t->last - t->va)
		errors |= ERROR_BIT(ERANGE);
	if (!errors && flat_any_leaf(&w->map, t->va, t->va + (size - 1)))
		errors |= ERROR_BIT(EEXIST);
	if (item.prop & PT_TRACKED)
		give_item(w, item.pa, item.level);
	if (!succeeded(w, pt_cursor_map(&t->c, &item), errors)) {
		if (item.prop & PT_TRACKED)
			take_back_item(w, item.pa, item.level);
		return;
	}
	w->changes++;
	flat_clear(&w->map, t->va, t->va + (size - 1));
	flat_map(&w->map, t->va, t->va + (size - 1), item.pa, item.prop, item.level);
	advance(t, t->va + (size - 1));
}

static void do_map(struct transaction *t)
{
	struct world *w = t->w;
	unsigned levels = w->fx->format->levels;
	struct pt_item item = {
		.pa = random_frame(w, t->va),
		.prop = random_prop(w),
		.level = one_in(w, 3) ? 1 + (unsigned)random_below(w, levels) : 1,
	};

	cursor_map(t, &item);
}

void cursor_mark(struct transaction *t, uint64_t len, uint64_t mark, uint64_t errors)
{
	struct world *w = t->w;
	pt_va_t last = t->va + (len - 1);

	if (t->mode != PT_BUILD)
		errors |= ERROR_BIT(EINVAL);
	if (!errors && flat_any_leaf(&w->map, t->va, last))
		errors |= ERROR_BIT(EEXIST);
	if (!succeeded(w, pt_cursor_mark(&t->c, len, mark), errors))
		return;
	w->changes++;
	flat_mark(&w->map, t->va, last, mark);
	advance(t, last);
}

static void do_mark(struct transaction *t)
{
	struct world *w = t->w;
	uint64_t mark = random_mark(w);
	uint64_t errors = t->mode == PT_BUILD ? 0 : ERROR_BIT(EINVAL);
	uint64_t len = random_reach(t, &errors);

	/* Slots above top are out of reach, and more than a few thousand below take their time. */
	if (errors || len / pt_page_size(w->fx->format, t->top) <= 4096)
		cursor_mark(t, len, mark, errors);
}

/* Split the leaf at @va until it lies within the range, as the call must. */
static struct leaf fit_leaf(struct world *w, pt_va_t va, pt_va_t first, pt_va_t last)
{
	for (;;) {
		struct leaf leaf = model_leaf(w, va);
		uint64_t size = pt_page_size(w->fx->format, leaf.item.level);

		if (leaf.va >= first && leaf.va + (size - 1) <= last)
			return leaf;
		flat_split_leaf(&w->map, va);
	}
}

static void expect_taken(struct transaction *t, const struct pt_taken *taken, pt_va_t found,
			 pt_va_t last)
{
	struct world *w = t->w;
	pt_va_t taken_last = taken->va + (taken->len - 1);
	struct leaf leaf;

	assert_true(taken->va >= t->va && taken->va <= found && taken_last <= last);
	assert_true(found <= taken_last);
	if (taken->subtree) {
		unsigned level = 2;

		while (level < t->top && pt_page_size(w->fx->format, level) < taken->len)
			level++;
		assert_int_equal(taken->len, pt_page_size(w->fx->format, level));
		assert_int_equal(taken->va & (taken->len - 1), 0);
	} else {
		leaf = fit_leaf(w, found, t->va, last);
		assert_int_equal(taken->va, leaf.va);
		assert_int_equal(taken->len, pt_page_size(w->fx->format, leaf.item.level));
		expect_item(&taken->item, &leaf.item);
	}
	assert_int_equal(taken->pages, flat_pages(&w->map, taken->va, taken_last));
}

void cursor_take_next(struct transaction *t, uint64_t len, uint64_t errors)
{
	struct world *w = t->w;
	pt_va_t last = t->va + (len - 1);
	struct pt_taken taken;
	pt_va_t found;
	int rc = pt_cursor_take_next(&t->c, len, &w->gather, &taken);

	if (t->mode == PT_READ_ONLY)
		errors |= ERROR_BIT(EINVAL);
	if (errors) {
		succeeded(w, rc, errors);
		return;
	}
	if (!flat_next(&w->map, t->va, last, &found)) {
		succeeded(w, rc, ERROR_BIT(ENOENT));
		if (rc == -ENOMEM)
			return;
		flat_clear(&w->map, t->va, last);
		advance(t, last);
		return;
	}
	if (!succeeded(w, rc, 0))
		return;
	w->changes++;
	expect_taken(t, &taken, found, last);
	last = taken.va + (taken.len - 1);
	flat_cut_range(&w->map, t->va, last);
	note_removed(w, t->va, last);
	flat_clear(&w->map, t->va, last);
	advance(t, last);
}

static void do_take_next(struct transaction *t)
{
	uint64_t errors = 0;
	uint64_t len = random_reach(t, &errors);

	cursor_take_next(t, len, errors);
}

struct change {
	pt_prop_t set, clear;
	struct leaf seen;
	unsigned calls;
};

static pt_prop_t apply_change(void *ctx, pt_va_t va, const struct pt_item *old)
{
	struct change *c = ctx;

	c->seen = (struct leaf){va, *old};
	c->calls++;
	return (old->prop & ~c->clear) | c->set;
}

void cursor_protect_next(struct transaction *t, uint64_t len, pt_prop_t set, pt_prop_t clear,
			 uint64_t errors)
{
	struct world *w = t->w;
	struct change change = {.set = set, .clear = clear};
	pt_va_t last = t->va + (len - 1);
	pt_va_t found, ret_va;
	uint64_t ret_len;
	struct leaf leaf;
	int rc = pt_cursor_protect_next(&t->c, len, apply_change, &change, &w->gather, &ret_va,
					&ret_len);

	if (t->mode == PT_READ_ONLY)
		errors |= ERROR_BIT(EINVAL);
	if (!errors && !flat_next(&w->map, t->va, last, &found)) {
		succeeded(w, rc, ERROR_BIT(ENOENT));
		if (rc != -ENOMEM)
			advance(t, last);
		return;
	}
	if (!succeeded(w, rc, errors))
		return;
	w->changes++;
	leaf = fit_leaf(w, found, t->va, last);
	assert_true(change.calls >= 1);
	assert_int_equal(change.seen.va, leaf.va);
	expect_item(&change.seen.item, &leaf.item);
	assert_int_equal(ret_va, leaf.va);
	assert_int_equal(ret_len, pt_page_size(w->fx->format, leaf.item.level));
	flat_protect_leaf(&w->map, found, change.set, change.clear);
	advance(t, ret_va + (ret_len - 1));
}

static void do_protect_next(struct transaction *t)
{
	pt_prop_t set = random_prop(t->w) & ~(PT_TRACKED | PT_CACHE_MASK);
	pt_prop_t clear = random_prop(t->w) & ~(PT_TRACKED | PT_CACHE_MASK);
	uint64_t errors = 0;
	uint64_t len = random_reach(t, &errors);

	cursor_protect_next(t, len, set, clear, errors);
}

/* Whether it may begin, which only building may not for want of nodes, is for succeeded() to say. */
static bool begun(struct transaction *t, int rc)
{
	if (t->mode != PT_BUILD)
		assert_int_equal(rc, 0);
	return succeeded(t->w, rc, 0);
}

bool cursor_begin(struct transaction *t, struct world *w, pt_va_t va, pt_va_t last,
		  enum pt_mode mode, unsigned top)
{
	*t = (struct transaction){
		.w = w, .mode = mode, .top = top, .first = va, .last = last, .va = va};
	open_gather(w);
	return begun(
		t, pt_cursor_begin(w->fx->self, w->fx->table, va, last - va + 1, mode, top, &t->c));
}

static void random_step_of(struct transaction *t)
{
	static void (*const steps[])(struct transaction * t) = {
		do_query,     do_find_next, do_jump, do_map,          do_map,
		do_take_next, do_take_next, do_mark, do_protect_next,
	};

	random_failure(t->w);
	steps[random_below(t->w, sizeof(steps) / sizeof(steps[0]))](t);
	end_failure(t->w);
	assert_int_equal(pt_cursor_va(&t->c), t->va);
}

void random_transaction(struct world *w)
{
	struct transaction t = {
		.w = w,
		.mode = one_in(w, 4)   ? PT_READ_ONLY
			: one_in(w, 2) ? PT_CHANGE
				       : PT_BUILD,
		.top = 1 + (unsigned)random_below(w, w->fx->format->levels),
	};
	unsigned steps = 1 + (unsigned)random_below(w, 8);
	uint64_t len;
	int rc;

	random_range(w, &t.first, &t.last);
	t.va = t.first;
	len = t.last - t.first + 1;
	open_gather(w);
	random_failure(w);
	rc = -EBUSY; /* so is trying, with nobody else there, if too much is retired */
	if (one_in(w, 2))
		rc = pt_cursor_try_begin(w->fx->self, w->fx->table, t.first, len, t.mode, t.top,
					 &t.c);
	if (rc == -EBUSY)
		rc = pt_cursor_begin(w->fx->self, w->fx->table, t.first, len, t.mode, t.top, &t.c);
	if (!begun(&t, rc)) {
		end_failure(w);
		return;
	}
	end_failure(w);
	while (steps--)
		random_step_of(&t);
	pt_cursor_end(&t.c);
}
