/* SPDX-License-Identifier: MIT */
/*
 * Q2: the split of a huge leaf is invisible. One thread maps a huge leaf again and again and splits
 * it, by a protection or by unmapping one page; two others must find every other page mapped to the
 * same frame all the while.
 *
 * test_smoke_split [milliseconds]
 */
#include "smoke.h"

struct split {
	struct fixture *fx;
	pt_va_t base;
	uint64_t len; /* of the huge leaf */
	unsigned level;
	_Atomic uint64_t version; /* odd: not mapped, or not yet */
};

static struct split *test_of(struct smoke_thread *t)
{
	return t->smoke->test;
}

static pt_pa_t frame_of(struct split *x, uint64_t version)
{
	return FRAMES + version % 64 * x->len;
}

static void map_and_split(struct smoke_thread *t)
{
	struct split *x = test_of(t);
	struct pt_table *table = x->fx->table;
	uint64_t version = atomic_load(&x->version) + 2;
	unsigned i, pages = (unsigned)(x->len / x->fx->page);

	atomic_fetch_add(&x->version, 1);
	require(t, pt_unmap(t->self, table, x->base, x->len, NULL, NULL) == 0);
	require(t,
		pt_map(t->self, table, x->base, x->len, frame_of(x, version), RW, x->level) == 0);
	atomic_fetch_add(&x->version, 1);
	for (i = 0; i < 4; i++) {
		pt_va_t page = x->base + smoke_random(t, pages) * x->fx->page;

		require(t, pt_protect(t->self, table, page, x->fx->page, PT_SOFT0,
				      smoke_random(t, 2) ? PT_WRITE : 0, NULL, NULL) == 0);
	}
	/* the first page is nobody's business */
	require(t, pt_unmap(t->self, table, x->base, x->fx->page, NULL, NULL) == 0);
}

static void look(struct smoke_thread *t)
{
	struct split *x = test_of(t);
	uint64_t version = atomic_load(&x->version);
	uint64_t offset = x->fx->page + smoke_random(t, x->len - x->fx->page);
	struct pt_mapping m;
	pt_prop_t prop;
	pt_pa_t pa;
	int walked, queried;

	if (version & 1)
		return;
	walked = pt_walk(t->self, x->fx->table, x->base + offset, &pa, &prop);
	queried = pt_query(t->self, x->fx->table, x->base + offset, &m);
	if (atomic_load(&x->version) != version || version == 0)
		return;
	require(t, walked == 0);
	require(t, pa == frame_of(x, version) + offset);
	require(t, prop & PT_READ);
	require(t, queried == 0 && m.kind == PT_KIND_LEAF);
	require(t, m.item.pa + (x->base + offset - m.va) == pa);
	atomic_fetch_add_explicit(&t->smoke->seen, 1, memory_order_relaxed);
}

static void run_split(struct fixture *fx, unsigned level)
{
	struct split x = {.fx = fx, .level = level};
	struct smoke s = {
		.fx = fx,
		.test = &x,
		.functions = {map_and_split, look, look},
		.seen_at_least = 100,
	};

	if (fx->strategy->isolation == PT_ISOLATION_NONE)
		skip();
	fx->config.flush = NULL;
	fixture_new_table(fx);
	x.base = fx->base;
	x.len = pt_page_size(fx->format, level);
	smoke_run(&s);
	check(fx);
}

static void splitting_a_huge_leaf_is_invisible(struct fixture *fx)
{
	run_split(fx, 2);
}

static void splitting_the_largest_leaf_is_invisible(struct fixture *fx)
{
	if (fx->giant_level == 2)
		skip();
	run_split(fx, fx->giant_level);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		TEST(splitting_a_huge_leaf_is_invisible),
		TEST_SYNC(splitting_a_huge_leaf_is_invisible),
		TEST(splitting_the_largest_leaf_is_invisible),
	};

	smoke_arguments(argc, argv);
	return run_on_all_pairs("smoke split", cases, sizeof(cases) / sizeof(cases[0]));
}
