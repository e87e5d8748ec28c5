/* SPDX-License-Identifier: MIT */
/* pt_query(), pt_walk() and pt_access(): the three ways to look at one address. */
#include "dump.h"

static int access_as(struct fixture *fx, pt_va_t va, enum pt_access access, bool user)
{
	pt_pa_t pa = 0;
	int rc = pt_access(fx->self, fx->table, va, access, user, &pa);
	struct pt_mapping m = query(fx, va);

	if (!rc)
		assert_int_equal(pa, m.item.pa + (va - m.va));
	return rc;
}

static void a_query_of_an_empty_table_covers_the_whole_root_slot(struct fixture *fx)
{
	struct pt_mapping m = query(fx, fx->base + 12345);

	assert_int_equal(m.kind, PT_KIND_EMPTY);
	assert_int_equal(m.va, fx->base);
	assert_int_equal(m.len, pt_page_size(fx->format, fx->format->levels));
}

static void a_query_reports_the_slot_that_covers_the_address(struct fixture *fx)
{
	struct pt_mapping m;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	m = query(fx, fx->base + fx->giant - 1);
	assert_int_equal(m.va, fx->base);
	assert_int_equal(m.len, fx->giant);
	assert_int_equal(m.item.pa, FRAMES);
	map(fx, fx->base + fx->giant, fx->page, FRAMES, RW);
	m = query(fx, fx->base + fx->giant + fx->page);
	assert_int_equal(m.va, fx->base + fx->giant + fx->page);
	assert_int_equal(m.len, fx->page);
}

static void what_the_table_does_not_manage_is_out_of_range(struct fixture *fx)
{
	const pt_va_t outside[] = {fx->last + 1, fx->first - 1,
				   fx->last + pt_page_size(fx->format, fx->format->levels)};
	struct pt_mapping m = {.va = 77};
	pt_prop_t prop = 77;
	pt_pa_t pa = 77;
	unsigned i;

	map(fx, fx->first, fx->page, FRAMES, RW);
	map(fx, fx->last - (fx->page - 1), fx->page, FRAMES, RW);
	for (i = 0; i < 3; i++) {
		expect_error(pt_query(fx->self, fx->table, outside[i], &m), ERANGE);
		expect_error(pt_walk(fx->self, fx->table, outside[i], &pa, &prop), ERANGE);
		expect_error(pt_access(fx->self, fx->table, outside[i], PT_ACCESS_READ, false, &pa),
			     ERANGE);
	}
	assert_int_equal(m.va, 77);
	assert_int_equal(pa, 77);
	assert_int_equal(prop, 77);
}

static void an_address_that_is_not_sign_extended_is_out_of_range(struct fixture *fx)
{
	pt_prop_t prop;
	pt_pa_t pa;

	if (!fx->format->sign_extended)
		skip();
	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_error(pt_walk(fx->self, fx->table, fx->base | UINT64_C(1) << 48, &pa, &prop),
		     ERANGE);
	expect_error(pt_walk(fx->self, fx->table, fx->base | UINT64_C(1) << 63, &pa, &prop),
		     ERANGE);
}

static void a_walk_adds_the_offset_within_the_leaf(struct fixture *fx)
{
	pt_prop_t prop;
	pt_pa_t pa;

	map(fx, fx->base, fx->giant, FRAMES, RW);
	map(fx, fx->base + fx->giant, fx->page, FRAMES + 7 * fx->page, RW);
	expect_ok(pt_walk(fx->self, fx->table, fx->base + fx->giant / 2 + 123, &pa, &prop));
	assert_int_equal(pa, FRAMES + fx->giant / 2 + 123);
	expect_ok(pt_walk(fx->self, fx->table, fx->base + fx->giant + 123, &pa, &prop));
	assert_int_equal(pa, FRAMES + 7 * fx->page + 123);
}

static void a_walk_has_no_side_effect(struct fixture *fx)
{
	pt_prop_t prop;
	pt_pa_t pa;

	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_ok(pt_walk(fx->self, fx->table, fx->base, &pa, &prop));
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static void reading_sets_accessed_and_writing_dirty_too(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, RWU | PT_EXEC);
	expect_ok(access_as(fx, fx->base + 5, PT_ACCESS_READ, true));
	expect_leaf(fx, fx->base, FRAMES, RWU | PT_EXEC | PT_ACCESSED, 1);
	expect_ok(access_as(fx, fx->base + 5, PT_ACCESS_WRITE, true));
	expect_leaf(fx, fx->base, FRAMES, RWU | PT_EXEC | PT_ACCESSED | PT_DIRTY, 1);
	map(fx, fx->base + fx->page, fx->page, FRAMES, RWU | PT_EXEC);
	expect_ok(access_as(fx, fx->base + fx->page, PT_ACCESS_EXEC, true));
	expect_leaf(fx, fx->base + fx->page, FRAMES, RWU | PT_EXEC | PT_ACCESSED, 1);
}

static void a_huge_leaf_is_accessed_as_a_whole(struct fixture *fx)
{
	map(fx, fx->base, fx->giant, FRAMES, RW);
	expect_ok(access_as(fx, fx->base + fx->giant - 1, PT_ACCESS_WRITE, false));
	expect_leaf(fx, fx->base, FRAMES, RW | PT_ACCESSED | PT_DIRTY, fx->giant_level);
}

static void a_forbidden_access_sets_nothing(struct fixture *fx)
{
	const struct {
		pt_prop_t prop;
		enum pt_access access;
		bool user;
	} cases[] = {
		{PT_READ | PT_USER | PT_EXEC, PT_ACCESS_WRITE, true},
		{PT_READ | PT_EXEC, PT_ACCESS_WRITE, false},
		{RWU, PT_ACCESS_EXEC, true},
		{RW, PT_ACCESS_EXEC, false},
		{RW | PT_EXEC, PT_ACCESS_READ, true},
		{RW | PT_EXEC, PT_ACCESS_WRITE, true},
		{RW | PT_EXEC, PT_ACCESS_EXEC, true},
	};
	unsigned i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		map(fx, fx->base, fx->page, FRAMES, cases[i].prop);
		expect_error(access_as(fx, fx->base, cases[i].access, cases[i].user), EACCES);
		expect_leaf(fx, fx->base, FRAMES, cases[i].prop, 1);
		unmap(fx, fx->base, fx->page);
	}
}

static void nothing_to_translate_by_is_not_found(struct fixture *fx)
{
	const enum pt_access all[] = {PT_ACCESS_READ, PT_ACCESS_WRITE, PT_ACCESS_EXEC};
	unsigned i;

	map(fx, fx->base, fx->page, FRAMES, PT_WRITE | PT_EXEC | PT_USER);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + fx->page, fx->page, 3));
	for (i = 0; i < 3; i++) {
		expect_error(access_as(fx, fx->base, all[i], true), ENOENT);
		expect_error(access_as(fx, fx->base + fx->page, all[i], true), ENOENT);
		expect_error(access_as(fx, fx->base + 2 * fx->page, all[i], true), ENOENT);
		expect_error(access_as(fx, fx->base + fx->giant, all[i], true), ENOENT);
	}
	expect_leaf(fx, fx->base, FRAMES, PT_WRITE | PT_EXEC | PT_USER, 1);
}

/* The hardware goes on while a cursor is open; a query may have to wait for it, and says so. */
static void with_a_cursor_open_the_mmu_walks_on(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;
	pt_prop_t prop;
	pt_pa_t pa;
	int rc;

	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_CHANGE, 1, &c));
	expect_ok(pt_walk(fx->self, fx->table, fx->base, &pa, &prop));
	expect_ok(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_WRITE, false, &pa));
	rc = pt_query(fx->self, fx->table, fx->base, &m);
	pt_cursor_end(&c);
	if (fx->strategy->lock_free_query)
		assert_int_equal(rc, 0);
	else
		assert_int_equal(rc, -EDEADLK);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_query_of_an_empty_table_covers_the_whole_root_slot),
		TEST(a_query_reports_the_slot_that_covers_the_address),
		TEST(what_the_table_does_not_manage_is_out_of_range),
		TEST(an_address_that_is_not_sign_extended_is_out_of_range),
		TEST(a_walk_adds_the_offset_within_the_leaf),
		TEST(a_walk_has_no_side_effect),
		TEST(reading_sets_accessed_and_writing_dirty_too),
		TEST(a_huge_leaf_is_accessed_as_a_whole),
		TEST(a_forbidden_access_sets_nothing),
		TEST(nothing_to_translate_by_is_not_found),
		TEST(with_a_cursor_open_the_mmu_walks_on),
	};

	return run_on_all_pairs("walk", cases, sizeof(cases) / sizeof(cases[0]));
}
