/* SPDX-License-Identifier: MIT */
/*
 * Calls on one page in a table without item hooks: they go straight to the leaf table, without a
 * cursor and without a gather, and must behave like all others.
 */
#include <errno.h>
#include <string.h>

#include "dump.h"
#include "port.h"

/* A page next to one that is mapped, so that there is a leaf table. */
static pt_va_t beside_a_page(struct fixture *fx)
{
	fx->config.item_ops = NULL;
	fixture_new_table(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	fx->flushes.n = 0;
	return fx->base + fx->page;
}

static void a_page_comes_and_goes_flushed(struct fixture *fx)
{
	pt_va_t va = beside_a_page(fx);

	map(fx, va, fx->page, FRAMES + fx->page, RW);
	expect_leaf(fx, va, FRAMES + fx->page, RW, 1);
	assert_int_equal(fx->flushes.n, 0);
	assert_int_equal(check(fx).leaves, 2);
	assert_int_equal(unmap(fx, va, fx->page), 1);
	assert_int_equal(fx->flushes.n, 1);
	assert_true(was_flushed(fx, va, fx->page, false));
	expect_empty(fx, va);
	assert_int_equal(check(fx).leaves, 1);
	assert_int_equal(unmap(fx, va, fx->page), 0);
	assert_int_equal(fx->flushes.n, 1);
}

static void what_no_cpu_can_have_cached_is_not_flushed(struct fixture *fx)
{
	pt_va_t va = beside_a_page(fx);

	map(fx, va, fx->page, FRAMES, PT_WRITE);
	assert_int_equal(protect(fx, va, fx->page, PT_READ, 0), 1);
	assert_int_equal(protect(fx, va, fx->page, PT_SOFT0, 0), 1);
	assert_int_equal(fx->flushes.n, 0);
	assert_int_equal(protect(fx, va, fx->page, 0, PT_READ), 1);
	assert_int_equal(fx->flushes.n, 1);
	/* though it does not translate: who forbade it may not have flushed yet */
	assert_int_equal(unmap(fx, va, fx->page), 1);
	assert_int_equal(fx->flushes.n, 2);
}

static void less_is_permitted_after_a_flush(struct fixture *fx)
{
	pt_va_t va = beside_a_page(fx);

	map(fx, va, fx->page, FRAMES, RW | PT_ACCESSED);
	assert_int_equal(protect(fx, va, fx->page, PT_SOFT1, PT_WRITE), 1);
	expect_leaf(fx, va, FRAMES, PT_READ | PT_ACCESSED | PT_SOFT1, 1);
	assert_true(was_flushed(fx, va, fx->page, false));
	assert_int_equal(protect(fx, va + fx->page, fx->page, 0, PT_WRITE), 0);
}

static void a_mark_is_replaced_and_removed(struct fixture *fx)
{
	pt_va_t va = beside_a_page(fx);

	expect_ok(pt_mark(fx->self, fx->table, va, 2 * fx->page, 5));
	map(fx, va, fx->page, FRAMES, RW);
	assert_int_equal(check(fx).marks, 1);
	assert_int_equal(protect(fx, va + fx->page, fx->page, 0, PT_WRITE), 0);
	assert_int_equal(unmap(fx, va + fx->page, fx->page), 0);
	assert_int_equal(fx->flushes.n, 0);
	assert_int_equal(check(fx).marks, 0);
	expect_empty(fx, va + fx->page);
}

static void refusals_change_nothing(struct fixture *fx)
{
	pt_va_t va = beside_a_page(fx);
	struct pt_cursor c;
	uint64_t pages = 77;

	expect_error(pt_map(fx->self, fx->table, fx->base, fx->page, FRAMES + fx->page, RW, 1),
		     EEXIST);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	expect_error(pt_map(fx->self, fx->table, va, fx->page, FRAMES, RW | PT_TRACKED, 1), EINVAL);
	expect_error(pt_map(fx->self, fx->table, va + 1, fx->page, FRAMES, RW, 1), EINVAL);
	begin_cursor(fx, fx->base + 8 * fx->giant, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_map(fx->self, fx->table, va, fx->page, FRAMES, RW, 1), EDEADLK);
	expect_error(pt_unmap(fx->self, fx->table, fx->base, fx->page, NULL, &pages), EDEADLK);
	expect_error(pt_protect(fx->self, fx->table, fx->base, fx->page, 0, PT_WRITE, NULL, &pages),
		     EDEADLK);
	pt_cursor_end(&c);
	assert_int_equal(pages, 77);
	assert_int_equal(check(fx).leaves, 1);
}

/* Even where nothing has been mapped before that said what is valid. */
static void properties_that_do_not_exist_are_refused(struct fixture *fx)
{
	pt_va_t va = beside_a_page(fx);
	struct pt_table *table = fx->table, *second;

	expect_ok(pt_table_create(fx->self, &fx->config, &second));
	expect_ok(pt_table_destroy(fx->self, second));
	unmap(fx, va, fx->page);
	for (unsigned bit = 0; bit < 32; bit++)
		if (!(fx->format->props >> bit & 1) && !(PT_CACHE_MASK >> bit & 1))
			expect_error(pt_map(fx->self, table, va, fx->page, FRAMES,
					    RW | (pt_prop_t)1 << bit, 1),
				     EINVAL);
	expect_error(pt_map(fx->self, table, va, fx->page, FRAMES, ~(pt_prop_t)0, 1), EINVAL);
	expect_empty(fx, va);
}

#ifdef PORT_OWN_READ_SECTION
/* Pretend that somebody sleeps until a read section ends. Return: has @call woken him? */
static bool wakes(struct fixture *fx, int (*call)(struct fixture *fx, pt_va_t va), pt_va_t va,
		  int result)
{
	uatomic_set(&urcu_memb_gp.futex, -1);
	assert_int_equal(call(fx, va), result);
	return uatomic_read(&urcu_memb_gp.futex) == 0;
}

static int map_one(struct fixture *fx, pt_va_t va)
{
	return pt_map(fx->self, fx->table, va, fx->page, FRAMES, RW, 1);
}

static int unmap_one(struct fixture *fx, pt_va_t va)
{
	return pt_unmap(fx->self, fx->table, va, fx->page, NULL, NULL);
}

static int protect_one(struct fixture *fx, pt_va_t va)
{
	return pt_protect(fx->self, fx->table, va, fx->page, 0, PT_WRITE, NULL, NULL);
}

static int query_one(struct fixture *fx, pt_va_t va)
{
	struct pt_mapping m;

	return pt_query(fx->self, fx->table, va, &m);
}

static int walk_one(struct fixture *fx, pt_va_t va)
{
	pt_prop_t prop;
	pt_pa_t pa;

	return pt_walk(fx->self, fx->table, va, &pa, &prop);
}

/* Whoever waits for readers sleeps until one of them ends his section and says so. */
static void whoever_waits_for_readers_is_woken(struct fixture *fx)
{
	pt_va_t va = beside_a_page(fx), far = fx->base + fx->giant;
	static const char *const in_sections[] = {"rcu", "rangelock", "cas", "slotlock"};
	bool sections = false;

	if (fx->strategy->isolation == PT_ISOLATION_NONE)
		skip();
	for (unsigned i = 0; i < sizeof(in_sections) / sizeof(in_sections[0]); i++)
		sections |= !strcmp(fx->strategy->name, in_sections[i]);
	reclaim(fx);
	assert_true(wakes(fx, walk_one, va, -ENOENT));
	assert_true(wakes(fx, walk_one, far, -ENOENT));
	if (!sections)
		return; /* no other call has a read section */
	assert_true(wakes(fx, map_one, va, 0));
	assert_true(wakes(fx, map_one, va, -EEXIST));
	assert_true(wakes(fx, protect_one, va, 0));
	assert_true(wakes(fx, unmap_one, va, 0));
	assert_true(wakes(fx, unmap_one, far, 0));
	assert_true(wakes(fx, query_one, va, 0));
	assert_true(wakes(fx, query_one, far, 0));
	pt_thread_fail_alloc(fx->self, 0);
	assert_true(wakes(fx, map_one, far, -ENOMEM));
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
}
#else
static void whoever_waits_for_readers_is_woken(struct fixture *fx)
{
	(void)fx;
	skip();
}
#endif

static void a_page_of_a_huge_leaf_is_split_off(struct fixture *fx)
{
	beside_a_page(fx);
	map(fx, fx->base + fx->giant, fx->huge, FRAMES, RW);
	assert_int_equal(protect(fx, fx->base + fx->giant, fx->page, 0, PT_WRITE), 1);
	assert_int_equal(unmap(fx, fx->base + fx->giant + fx->page, fx->page), 1);
	expect_leaf(fx, fx->base + fx->giant, FRAMES, PT_READ, 1);
	check(fx);
}

/* Both pools have seen the same: nothing but the table itself tells which one it is of. */
static void a_table_of_another_pool_is_refused(struct fixture *fx)
{
	struct fixture other;
	pt_va_t va = beside_a_page(fx);
	uint64_t pages = 77;

	fixture_open(&other, fx->format, fx->strategy, PT_RECLAIM_CALLBACK);
	beside_a_page(&other);
	map(fx, va, fx->page, FRAMES, RW);
	expect_error(pt_map(fx->self, other.table, va, fx->page, FRAMES, RW, 1), EINVAL);
	expect_error(pt_unmap(fx->self, other.table, fx->base, fx->page, NULL, &pages), EINVAL);
	expect_error(
		pt_protect(fx->self, other.table, fx->base, fx->page, 0, PT_WRITE, NULL, &pages),
		EINVAL);
	assert_int_equal(pages, 77);
	expect_leaf(&other, fx->base, FRAMES, RW, 1);
	assert_int_equal(check(&other).leaves, 1);
	fixture_close(&other);
}

int main(void)
{
	const struct test_case cases[] = {
		TEST(a_page_comes_and_goes_flushed),
		TEST(what_no_cpu_can_have_cached_is_not_flushed),
		TEST(less_is_permitted_after_a_flush),
		TEST(a_mark_is_replaced_and_removed),
		TEST(refusals_change_nothing),
		TEST(a_page_of_a_huge_leaf_is_split_off),
		TEST(a_table_of_another_pool_is_refused),
		TEST(properties_that_do_not_exist_are_refused),
		TEST(whoever_waits_for_readers_is_woken),
	};

	return run_on_all_pairs("one_page", cases, sizeof(cases) / sizeof(cases[0]));
}
