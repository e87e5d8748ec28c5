/* SPDX-License-Identifier: MIT */
/* Cursors: how they begin, and what each of their calls may be given. */
#include "hostile.h"

static void begin_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_thread *self = fx->self;
	struct pt_table *t = fx->table;
	const unsigned tops[] = {0, fx->format->levels + 1, UINT32_MAX};
	const int modes[] = {-1, PT_BUILD + 1, INT32_MAX};
	struct pt_cursor c;

	for (size_t i = 0; i < COUNT_OF(tops); i++) {
		enum pt_mode mode = (enum pt_mode)modes[i];

		refuse(pt_cursor_begin(self, t, fx->base, fx->page, PT_BUILD, tops[i], &c), EINVAL);
		refuse(pt_cursor_try_begin(self, t, fx->base, fx->page, PT_CHANGE, tops[i], &c),
		       EINVAL);
		refuse(pt_cursor_begin(self, t, fx->base, fx->page, mode, 1, &c), EINVAL);
		refuse(pt_cursor_try_begin(self, t, fx->base, fx->page, mode, 1, &c), EINVAL);
	}
}

static pt_prop_t untrack(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop ^ PT_TRACKED;
}

static pt_prop_t impossible(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop | 1u << 31;
}

/* Bad lengths, two pages before the end. */
static void lengths_are_refused(struct scene *s, struct pt_cursor *c)
{
	const uint64_t page = s->fx->page;
	const struct bad_range bad[] = {
		{0, 0, EINVAL},
		{0, 1, EINVAL},
		{0, page + 1, EINVAL},
		{0, END, EINVAL},
		{0, 3 * page, ERANGE},
		{0, -page, ERANGE},
		{0, UINT64_C(1) << 63, ERANGE},
	};
	struct pt_taken taken;
	uint64_t len;
	pt_va_t va;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		refuse(pt_cursor_find_next(c, bad[i].len, &va), bad[i].error);
		refuse(pt_cursor_take_next(c, bad[i].len, &s->gather, &taken), bad[i].error);
		refuse(pt_cursor_protect_next(c, bad[i].len, untrack, NULL, &s->gather, &va, &len),
		       bad[i].error);
		refuse(pt_cursor_mark(c, bad[i].len, 1), bad[i].error);
	}
}

static void items_are_refused(struct fixture *fx, struct pt_cursor *c)
{
	const pt_pa_t end = UINT64_C(1) << fx->format->pa_bits;
	const struct {
		struct pt_item item;
		int error;
	} bad[] = {
		{{FRAMES, RW, 0}, EINVAL},
		{{FRAMES, RW, fx->format->levels + 1}, EINVAL},
		{{FRAMES, RW, fx->giant_level + 1}, EINVAL}, /* there are no such leaves */
		{{FRAMES, RW, UINT32_MAX}, EINVAL},
		{{FRAMES + 1, RW, 1}, EINVAL},
		{{FRAMES + fx->page, RW, 2}, EINVAL},
		{{end, RW, 1}, EINVAL},
		{{end - fx->page, RW, 2}, EINVAL},
		{{-fx->page, RW, 1}, EINVAL},
		{{FRAMES, UINT32_MAX, 1}, EINVAL},
		{{FRAMES, RW | 1u << 31, 1}, EINVAL},
		{{FRAMES, RW | PT_CACHE_MASK, 1}, EINVAL},
		{{FRAMES, RW, 2}, ERANGE}, /* longer than what is left */
		{{FRAMES, RW, 1}, EEXIST},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(pt_cursor_map(c, &bad[i].item), bad[i].error);
}

static void gathers_are_refused(struct scene *s, struct pt_cursor *c, struct pt_gather *g)
{
	const uint64_t page = s->fx->page;
	struct pt_taken taken;
	uint64_t len;
	pt_va_t at;

	refuse(pt_cursor_take_next(c, page, g, &taken), EINVAL);
	refuse(pt_cursor_protect_next(c, page, untrack, NULL, g, &at, &len), EINVAL);
}

/* A cursor that may do all, on two of the pages that are mapped. */
static void cursor_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base + fx->giant;
	struct pt_cursor c;
	uint64_t len;
	pt_va_t at;

	begin_cursor(fx, va, 2 * fx->page, PT_BUILD, &c);
	lengths_are_refused(s, &c);
	items_are_refused(fx, &c);
	gathers_are_refused(s, &c, NULL);
	gathers_are_refused(s, &c, &s->foreign_gather);
	gathers_are_refused(s, &c, &s->twin_gather);
	refuse(pt_cursor_protect_next(&c, fx->page, untrack, NULL, &s->gather, &at, &len), EINVAL);
	refuse(pt_cursor_protect_next(&c, fx->page, impossible, NULL, &s->gather, &at, &len),
	       EINVAL);
	refuse(pt_cursor_mark(&c, fx->page, UINT64_C(1) << fx->format->mark_bits), EINVAL);
	refuse(pt_cursor_mark(&c, 2 * fx->page, 1), EEXIST);
	refuse(pt_cursor_jump(&c, va + 1), EINVAL);
	refuse(pt_cursor_jump(&c, va - fx->page), ERANGE);
	refuse(pt_cursor_jump(&c, va + 2 * fx->page), ERANGE);
	refuse(pt_cursor_jump(&c, va + 3 * fx->page), ERANGE);
	refuse(pt_cursor_jump(&c, -fx->page), ERANGE);
	assert_int_equal(pt_cursor_va(&c), va); /* nothing has moved it */
	pt_cursor_end(&c);
}

/* No slot above top; none that begins before the range. */
static void levels_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base + 3 * fx->giant;
	const struct pt_item item = {FRAMES, RW, 2};
	struct pt_cursor c;

	expect_ok(pt_cursor_begin(fx->self, fx->table, va, fx->giant, PT_BUILD, 1, &c));
	refuse(pt_cursor_map(&c, &item), ERANGE);
	pt_cursor_end(&c);
	begin_cursor(fx, va, fx->giant, PT_BUILD, &c);
	expect_ok(pt_cursor_jump(&c, va + fx->page));
	refuse(pt_cursor_map(&c, &item), EINVAL);
	pt_cursor_end(&c);
	expect_ok(pt_prune(fx->self, fx->table, va, fx->giant, NULL, NULL));
	fx->flushes.n = 0;
}

/* What a mode does not permit. */
static void modes_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base + fx->giant + fx->page;
	const struct pt_item item = {FRAMES, RW, 1};
	struct pt_taken taken;
	struct pt_cursor c;
	uint64_t len;
	pt_va_t at;

	begin_cursor(fx, va, 2 * fx->page, PT_READ_ONLY, &c);
	refuse(pt_cursor_map(&c, &item), EINVAL);
	refuse(pt_cursor_mark(&c, fx->page, 1), EINVAL);
	refuse(pt_cursor_take_next(&c, fx->page, &s->gather, &taken), EINVAL);
	refuse(pt_cursor_protect_next(&c, fx->page, untrack, NULL, &s->gather, &at, &len), EINVAL);
	pt_cursor_end(&c);
	begin_cursor(fx, va, 2 * fx->page, PT_CHANGE, &c);
	refuse(pt_cursor_map(&c, &item), EINVAL);
	refuse(pt_cursor_mark(&c, fx->page, 1), EINVAL);
	pt_cursor_end(&c);
}

/* Nothing there; and then the cursor is at the end, where nothing is left to do. */
static void the_end_of_a_range(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base + 3 * fx->giant;
	const struct pt_item item = {FRAMES, RW, 1};
	struct pt_mapping m = {.va = 77};
	struct pt_taken taken = {.va = 77};
	uint64_t len = 77;
	struct pt_cursor c;
	pt_va_t at = 77;

	begin_cursor(fx, va, 3 * fx->page, PT_BUILD, &c);
	refuse(pt_cursor_find_next(&c, fx->page, &at), ENOENT);
	refuse(pt_cursor_take_next(&c, fx->page, &s->gather, &taken), ENOENT);
	refuse(pt_cursor_protect_next(&c, fx->page, untrack, NULL, &s->gather, &at, &len), ENOENT);
	assert_int_equal(pt_cursor_va(&c), va + 3 * fx->page);
	refuse(pt_cursor_query(&c, &m), ERANGE);
	refuse(pt_cursor_find_next(&c, fx->page, &at), ERANGE);
	refuse(pt_cursor_take_next(&c, fx->page, &s->gather, &taken), ERANGE);
	refuse(pt_cursor_protect_next(&c, fx->page, untrack, NULL, &s->gather, &at, &len), ERANGE);
	refuse(pt_cursor_map(&c, &item), ERANGE);
	refuse(pt_cursor_mark(&c, fx->page, 1), ERANGE);
	assert_true(at == 77 && m.va == 77 && taken.va == 77 && len == 77);
	pt_cursor_end(&c);
	expect_ok(pt_prune(fx->self, fx->table, va, fx->giant, NULL, NULL));
	fx->flushes.n = 0;
}

const struct hostile_case hostile_cursors[] = {
	{begin_refuses, "pt_cursor_begin pt_cursor_try_begin "},
	{cursor_refuses, "pt_cursor_find_next pt_cursor_jump pt_cursor_map pt_cursor_mark "
			 "pt_cursor_protect_next pt_cursor_take_next "},
	{levels_are_refused, "pt_cursor_map "},
	{modes_are_refused,
	 "pt_cursor_map pt_cursor_mark pt_cursor_take_next pt_cursor_protect_next "},
	{the_end_of_a_range, "pt_cursor_query pt_cursor_find_next pt_cursor_take_next "
			     "pt_cursor_protect_next pt_cursor_map pt_cursor_mark "},
	{NULL, NULL},
};
