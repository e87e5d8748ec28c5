/* SPDX-License-Identifier: MIT */
/* Calls on a range: what each of them is given besides, and what is in its way. */
#include <string.h>

#include "hostile.h"

static void map_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const struct pt_format_info *f = fx->format;
	const pt_va_t va = fx->base + 3 * fx->giant;
	const pt_pa_t end = UINT64_C(1) << f->pa_bits;
	const struct {
		pt_pa_t pa;
		pt_prop_t prop;
		unsigned level;
	} bad[] = {
		{FRAMES + 1, RW, 1},
		{FRAMES + fx->page / 2, RW, 1},
		{end, RW, 1},
		{end - fx->page, RW, 1}, /* the second page is beyond */
		{-fx->page, RW, 1},
		{END, RW, 1},
		{FRAMES, RW, 0},
		{FRAMES, RW, f->levels + 1},
		{FRAMES, RW, UINT32_MAX},
		{FRAMES, UINT32_MAX, 1},
		{FRAMES, RW | 1u << 31, 1},
		{FRAMES, RW | PT_CACHE(PT_CACHE_NR), 1},
		{FRAMES, RW | PT_CACHE_MASK, 1},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(pt_map(fx->self, fx->table, va, 2 * fx->page, bad[i].pa, bad[i].prop,
			      bad[i].level),
		       EINVAL);
	refuse(pt_map(fx->self, fx->table, fx->base, fx->page, FRAMES, RW, 1), EEXIST);
	/* the last page only, behind two that are free */
	refuse(pt_map(fx->self, fx->table, fx->base - 2 * fx->page, 3 * fx->page, FRAMES, RW, 1),
	       EEXIST);
}

static const struct {
	pt_prop_t set, clear;
} bad_props[] = {
	{PT_TRACKED, 0},
	{0, PT_TRACKED},
	{UINT32_MAX, 0},
	{0, UINT32_MAX},
	{1u << 31, 0},
	{PT_CACHE(1), 0},
	{0, PT_CACHE(1)},
	{PT_CACHE(PT_CACHE_NR), PT_CACHE_MASK},
	{PT_CACHE_MASK, PT_CACHE_MASK},
};

static void protect_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;

	for (size_t i = 0; i < COUNT_OF(bad_props); i++)
		refuse(pt_protect(fx->self, fx->table, fx->base, fx->giant, bad_props[i].set,
				  bad_props[i].clear, NULL, NULL),
		       EINVAL);
}

/* A clone of the giant leaf into @dst. */
#define clone_to(dst, set, clear) \
	pt_clone(fx->self, fx->table, dst, fx->base, fx->giant, set, clear, NULL, NULL)

/* Tables between which nothing can be cloned. */
static void clone_refuses_tables(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_config config = fx->config;
	const char *strategy = strcmp(config.strategy, "rcu") ? "rcu" : "mutex";
	struct pt_table *unlike;

	refuse(pt_clone(fx->self, fx->table, fx->table, fx->base, fx->giant, 0, 0, NULL, NULL),
	       EINVAL);
	refuse(pt_clone(fx->self, fx->table, s->other.table, fx->base, fx->giant, 0, 0, NULL, NULL),
	       EINVAL);
	config.item_ops = NULL;
	expect_ok(pt_table_create(fx->self, &config, &unlike));
	expect_error(clone_to(unlike, 0, 0), EINVAL);
	expect_ok(pt_table_destroy(fx->self, unlike));
	config = fx->config;
	config.item_ctx = s;
	expect_ok(pt_table_create(fx->self, &config, &unlike));
	expect_error(clone_to(unlike, 0, 0), EINVAL);
	expect_ok(pt_table_destroy(fx->self, unlike));
	config = fx->config;
	config.strategy = strategy;
	expect_ok(pt_table_create(fx->self, &config, &unlike));
	expect_error(clone_to(unlike, 0, 0), EINVAL);
	expect_ok(pt_table_destroy(fx->self, unlike));
	config = fx->config;
	config.bound = fx->base + (fx->giant - fx->page - 1); /* a page too low */
	expect_ok(pt_table_create(fx->self, &config, &unlike));
	expect_error(clone_to(unlike, 0, 0), ERANGE);
	expect_ok(pt_table_destroy(fx->self, unlike));
	fx->flushes.n = 0; /* of tables that ended */
}

static void clone_refuses(struct scene *s)
{
	struct fixture *fx = s->fx, twin = *fx;

	clone_refuses_tables(s);
	for (size_t i = 0; i < COUNT_OF(bad_props); i++)
		expect_error(clone_to(s->twin, bad_props[i].set, bad_props[i].clear), EINVAL);
	expect_error(clone_to(s->twin, PT_DIRTY, 0), EINVAL);
	expect_error(clone_to(s->twin, PT_ACCESSED, 0), EINVAL);
	expect_error(clone_to(s->twin, 0, PT_DIRTY), EINVAL);
	expect_error(clone_to(s->twin, 0, PT_ACCESSED), EINVAL);
	twin.table = s->twin;
	assert_int_equal(check(&twin).nodes, 1);
	map(&twin, fx->base + fx->giant - fx->page, fx->page, FRAMES, RW);
	refuse(pt_clone(fx->self, fx->table, s->twin, fx->base, fx->giant, 0, 0, NULL, NULL),
	       EEXIST);
	unmap(&twin, fx->base, fx->giant);
	expect_ok(pt_mark(fx->self, s->twin, fx->base, fx->page, 1));
	refuse(pt_clone(fx->self, fx->table, s->twin, fx->base, fx->giant, 0, 0, NULL, NULL),
	       EEXIST);
	assert_int_equal(check(&twin).leaves, 0);
	unmap(&twin, fx->base, fx->giant);
	expect_ok(pt_prune(fx->self, s->twin, fx->first, fx->last - fx->first + 1, NULL, NULL));
	fx->flushes.n = 0; /* of the twin */
}

static void mark_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const uint64_t marks = UINT64_C(1) << fx->format->mark_bits;

	refuse(pt_mark(fx->self, fx->table, fx->base + 3 * fx->giant, fx->page, marks), EINVAL);
	refuse(pt_mark(fx->self, fx->table, fx->base + 3 * fx->giant, fx->page, END), EINVAL);
	refuse(pt_mark(fx->self, fx->table, fx->base, fx->page, 0), EEXIST);
	/* over the mark that is there, up to a page that is mapped */
	refuse(pt_mark(fx->self, fx->table, fx->base, 3 * fx->giant, 0), EEXIST);
}

static void harvest_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_prop_t bad[] = {PT_READ, PT_WRITE, PT_TRACKED, PT_CACHE(1), 1u << 31, UINT32_MAX};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(pt_harvest(fx->self, fx->table, fx->base, fx->page, bad[i], NULL, NULL, NULL,
				  NULL),
		       EINVAL);
}

static void merge_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const unsigned bad[] = {0, fx->format->levels + 1, UINT32_MAX};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuse(pt_merge(fx->self, fx->table, fx->base, fx->page, bad[i], NULL), EINVAL);
}

const struct hostile_case hostile_calls[] = {
	{map_refuses, "pt_map "},
	{protect_refuses, "pt_protect "},
	{clone_refuses, "pt_clone "},
	{mark_refuses, "pt_mark "},
	{harvest_refuses, "pt_harvest "},
	{merge_refuses, "pt_merge "},
	{NULL, NULL},
};
