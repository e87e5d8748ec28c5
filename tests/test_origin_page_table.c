/* SPDX-License-Identifier: MIT */
/*
 * Tests of the origin's page table (ostd::mm::page_table) that have no equal elsewhere here, under
 * their names there. Where the origin panics, here a precise error leaves everything as it was.
 * docs/ORIGIN.md lists all of them.
 */
#include "dump.h"
#include "pool.h"

#define TWO_ENDS(fx) ((fx)->base + (fx)->giant)

/* ---- roles ---- */

/* What the hardware finds in the root. */
static const uint64_t *root_slots(const struct fixture *fx, const struct pt_table *t)
{
	return (const uint64_t *)(pt_table_root(t) + fx->pool->phys_off);
}

static void open_kernel(struct fixture *fx)
{
	fx->config.role = PT_ROLE_KERNEL;
	fixture_new_table(fx);
}

static void new_kernel_page_table(struct fixture *fx)
{
	const unsigned slots = 1u << fx->format->index_bits;
	const uint64_t *root;

	open_kernel(fx);
	root = root_slots(fx, fx->table);
	for (unsigned i = 0; i < slots; i++) {
		assert_int_equal(root[i] != 0, i >= slots / 2);
		assert_true(i <= slots / 2 || root[i] != root[i - 1]);
	}
	assert_int_equal(check(fx).nodes, 1 + slots / 2);
}

static void create_user_page_table(struct fixture *fx)
{
	const unsigned slots = 1u << fx->format->index_bits;
	const uint64_t *root, *kernel_root;
	struct pt_config config;
	struct pt_table *user;
	pt_va_t first, last;

	open_kernel(fx);
	config = fx->config;
	config.role = PT_ROLE_USER;
	config.kernel = fx->table;
	expect_ok(pt_table_create(fx->self, &config, &user));
	pt_table_range(user, &first, &last);
	assert_int_equal(pt_slot_index(fx->format, first, fx->format->levels), 0);
	assert_int_equal(pt_slot_index(fx->format, last, fx->format->levels), slots / 2 - 1);
	root = root_slots(fx, user);
	kernel_root = root_slots(fx, fx->table);
	for (unsigned i = 0; i < slots; i++)
		assert_int_equal(root[i], i < slots / 2 ? 0 : kernel_root[i]);
	/* the aliases own nothing */
	expect_ok(pt_table_destroy(fx->self, user));
	assert_int_equal(check(fx).nodes, 1 + slots / 2);
}

/* ---- ranges ---- */

static int begin(struct fixture *fx, pt_va_t va, uint64_t len)
{
	struct pt_cursor c;
	int rc = pt_cursor_begin(fx->self, fx->table, va, len, PT_BUILD, 1, &c);

	if (!rc)
		pt_cursor_end(&c);
	return rc;
}

static void range_check(struct fixture *fx)
{
	expect_ok(begin(fx, fx->first, fx->page));
	expect_error(begin(fx, fx->first, fx->page + 1), EINVAL);
	expect_error(begin(fx, fx->last + 1, fx->page), ERANGE); /* the other half */
}

static void boundary_conditions(struct fixture *fx)
{
	expect_error(begin(fx, fx->first, 0), EINVAL);
	expect_error(begin(fx, fx->first + 1, fx->page), EINVAL);
	expect_error(begin(fx, fx->last + 1, 16 * fx->page), ERANGE);
	assert_int_equal(check(fx).nodes, 1);
}

static void start_boundary_mapping(struct fixture *fx)
{
	map(fx, fx->first, fx->page, FRAMES, RWU);
	expect_leaf(fx, fx->first, FRAMES, RWU, 1);
	expect_leaf(fx, fx->first + fx->page - 1, FRAMES + fx->page - 1, RWU, 1);
}

static void end_boundary_mapping(struct fixture *fx)
{
	const pt_va_t va = fx->last - (fx->page - 1);

	map(fx, va, fx->page, FRAMES, RWU);
	expect_leaf(fx, va, FRAMES, RWU, 1);
	expect_leaf(fx, fx->last, FRAMES + fx->page - 1, RWU, 1);
}

/* The origin's test passes because its range is not aligned; this one is, and crosses the end. */
static void overflow_boundary_mapping(struct fixture *fx)
{
	const pt_va_t va = fx->last - (fx->page - 1);

	expect_error(begin(fx, va, 2 * fx->page), ERANGE);
	expect_error(pt_map(fx->self, fx->table, va, 2 * fx->page, FRAMES, RWU, 1), ERANGE);
	expect_error(pt_map(fx->self, fx->table, fx->last + 1, fx->page, FRAMES, RWU, 1), ERANGE);
	expect_empty(fx, va);
	assert_int_equal(check(fx).nodes, 1);
}

/* ---- mapping ---- */

static void overlapping_mappings(struct fixture *fx)
{
	struct dump before;
	struct pt_cursor c;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	dump_take(fx, &before);
	begin_cursor(fx, fx->base + fx->page, 2 * fx->page, PT_BUILD, &c);
	expect_error(map_at_cursor(&c, FRAMES + fx->giant, RW, 1), EEXIST);
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->page);
	pt_cursor_end(&c);
	expect_error(pt_map(fx->self, fx->table, fx->base, 3 * fx->page, FRAMES + fx->giant, RW, 1),
		     EEXIST);
	dump_expect_unchanged(fx, &before);
}

static void unaligned_map(struct fixture *fx)
{
	const uint64_t off = fx->page / 2;
	struct pt_cursor c;

	expect_error(begin(fx, fx->base + off, fx->page), EINVAL);
	expect_error(pt_map(fx->self, fx->table, fx->base + off, fx->page, FRAMES, RW, 1), EINVAL);
	begin_cursor(fx, fx->base + fx->page, fx->huge, PT_BUILD, &c);
	expect_error(map_at_cursor(&c, FRAMES + off, RW, 1), EINVAL);
	expect_error(map_at_cursor(&c, FRAMES, RW, 2), EINVAL); /* the address is not */
	pt_cursor_end(&c);
	assert_int_equal(check(fx).leaves, 0);
}

/* As remap_yields_original in earlier versions: the first item stays, with its reference. */
static void remap_keeps_the_original(struct fixture *fx)
{
	struct pt_cursor c;

	map(fx, fx->base, fx->page, FRAMES, RW | PT_TRACKED);
	ledger_get(&fx->ledger, FRAMES + fx->page, 1);
	begin_cursor(fx, fx->base, fx->page, PT_BUILD, &c);
	expect_error(map_at_cursor(&c, FRAMES + fx->page, RW | PT_TRACKED, 1), EEXIST);
	pt_cursor_end(&c);
	assert_int_equal(ledger_count(&fx->ledger, FRAMES, 1), 1);
	ledger_put(&fx->ledger, FRAMES + fx->page, 1);
	expect_leaf(fx, fx->base, FRAMES, RW | PT_TRACKED, 1);
}

/* ---- navigation ---- */

/* A page early in the first table, and one at the beginning of another. */
static void map_two_frames(struct fixture *fx)
{
	map(fx, fx->base + 2 * fx->page, fx->page, FRAMES, RW);
	map(fx, TWO_ENDS(fx), fx->page, FRAMES + fx->page, RW);
}

static void jump(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;

	map_two_frames(fx);
	begin_cursor(fx, fx->base, fx->giant + fx->page, PT_CHANGE, &c);
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.kind, PT_KIND_EMPTY);
	expect_ok(pt_cursor_jump(&c, fx->base + 2 * fx->page));
	assert_int_equal(pt_cursor_va(&c), fx->base + 2 * fx->page);
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.va, fx->base + 2 * fx->page);
	assert_int_equal(m.len, fx->page);
	assert_int_equal(m.item.pa, FRAMES);
	assert_int_equal(m.item.prop, RW);
	pt_cursor_end(&c);
}

static void jump_from_end_and_query_huge_middle(struct fixture *fx)
{
	const pt_va_t end = fx->base + 2 * fx->huge;
	struct pt_mapping m;
	struct pt_cursor c;

	begin_cursor(fx, fx->base, 2 * fx->huge, PT_BUILD, &c);
	expect_ok(pt_cursor_jump(&c, end - fx->huge));
	expect_ok(map_at_cursor(&c, FRAMES, RW, 2));
	expect_error(pt_cursor_query(&c, &m), ERANGE);
	for (unsigned i = 0; i < 2; i++) { /* from the end, and from the beginning */
		expect_ok(pt_cursor_jump(&c, end - fx->huge / 2));
		expect_ok(pt_cursor_query(&c, &m));
		assert_int_equal(m.va, end - fx->huge);
		assert_int_equal(m.len, fx->huge);
		expect_ok(pt_cursor_jump(&c, fx->base));
		expect_ok(pt_cursor_query(&c, &m));
		assert_int_equal(m.kind, PT_KIND_EMPTY);
	}
	pt_cursor_end(&c);
}

static void jump_from_guard_level_end(struct fixture *fx)
{
	const pt_va_t va = fx->base + fx->huge - fx->page;
	struct pt_mapping m;
	struct pt_cursor c;

	expect_ok(pt_cursor_begin(fx->self, fx->table, va, fx->page, PT_BUILD, 1, &c));
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	assert_int_equal(pt_cursor_va(&c), va + fx->page);
	expect_ok(pt_cursor_jump(&c, va));
	assert_int_equal(pt_cursor_va(&c), va);
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.item.pa, FRAMES);
	pt_cursor_end(&c);
}

static void jump_near_address_space_end(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;

	fixture_use_upper_half(fx);
	begin_cursor(fx, 0 - fx->huge, fx->huge, PT_BUILD, &c);
	expect_ok(pt_cursor_jump(&c, 0 - fx->page));
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	assert_int_equal(pt_cursor_va(&c), 0);
	expect_error(pt_cursor_jump(&c, 0), ERANGE);
	expect_error(pt_cursor_jump(&c, 0 - fx->huge - fx->page), ERANGE);
	expect_ok(pt_cursor_jump(&c, 0 - fx->page));
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.item.pa, FRAMES);
	pt_cursor_end(&c);
}

static void find_next(struct fixture *fx)
{
	struct pt_cursor c;
	pt_va_t va;

	map_two_frames(fx);
	begin_cursor(fx, fx->base, fx->giant + fx->page, PT_READ_ONLY, &c);
	expect_ok(pt_cursor_find_next(&c, 3 * fx->page, &va));
	assert_int_equal(va, fx->base + 2 * fx->page);
	expect_ok(pt_cursor_jump(&c, fx->base + 3 * fx->page));
	expect_ok(pt_cursor_find_next(&c, fx->giant - 2 * fx->page, &va));
	assert_int_equal(va, TWO_ENDS(fx));
	assert_int_equal(pt_cursor_va(&c), va);
	pt_cursor_end(&c);
}

/* A huge leaf that reaches over both ends of the range; and nothing up to the end. */
static void find_next_keeps_va_around_barrier(struct fixture *fx)
{
	struct pt_cursor c;
	pt_va_t va;

	map(fx, fx->base, fx->huge, FRAMES, RW);
	begin_cursor(fx, fx->base + fx->page, 2 * fx->page, PT_READ_ONLY, &c);
	expect_ok(pt_cursor_jump(&c, fx->base + 2 * fx->page));
	expect_ok(pt_cursor_find_next(&c, fx->page, &va));
	assert_int_equal(va, fx->base + 2 * fx->page);
	assert_int_equal(pt_cursor_va(&c), va);
	pt_cursor_end(&c);
	begin_cursor(fx, fx->base + fx->huge, 2 * fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_find_next(&c, 2 * fx->page, &va), ENOENT);
	assert_int_equal(pt_cursor_va(&c), fx->base + fx->huge + 2 * fx->page);
	pt_cursor_end(&c);
}

static void find_next_rejects_overflowing_len(struct fixture *fx)
{
	struct pt_cursor c;
	pt_va_t va = 77;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	begin_cursor(fx, fx->base, 2 * fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_find_next(&c, 0 - fx->page, &va), ERANGE);
	expect_error(pt_cursor_find_next(&c, 0 - fx->base, &va), ERANGE);
	expect_error(pt_cursor_find_next(&c, 3 * fx->page, &va), ERANGE);
	assert_int_equal(pt_cursor_va(&c), fx->base);
	assert_int_equal(va, 77);
	pt_cursor_end(&c);
}

/* ---- taking ---- */

static struct pt_taken take(struct fixture *fx, pt_va_t va, uint64_t len)
{
	struct pt_taken taken;
	struct pt_gather g;
	struct pt_cursor c;

	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	begin_cursor(fx, va, len, PT_CHANGE, &c);
	expect_ok(pt_cursor_take_next(&c, len, &g, &taken));
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	return taken;
}

static void take_next_takes_something(struct fixture *fx)
{
	struct pt_taken taken;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	taken = take(fx, fx->base + fx->page, fx->page);
	assert_false(taken.subtree);
	assert_int_equal(taken.va, fx->base + fx->page);
	assert_int_equal(taken.item.pa, FRAMES);
	assert_int_equal(taken.item.level, 1);
	assert_int_equal(taken.item.prop, RW);
}

/* A whole table is taken, the highest that `top` permits. */
static void take_large_takes_subtree(struct fixture *fx)
{
	struct pt_taken taken;
	struct pt_gather g;
	struct pt_cursor c;

	map(fx, fx->base + fx->huge + fx->page, fx->page, FRAMES, RW);
	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->base, 2 * fx->huge, PT_CHANGE, 2, &c));
	expect_ok(pt_cursor_take_next(&c, 2 * fx->huge, &g, &taken));
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	assert_true(taken.subtree);
	assert_int_equal(taken.va, fx->base + fx->huge);
	assert_int_equal(taken.len, fx->huge);
	assert_int_equal(taken.pages, 1);
}

/* ---- mixed sizes ---- */

/* A piece of three huge leaves and some pages on either side; addresses and frames out of step. */
static void mixed_granularity_map_unmap(struct fixture *fx)
{
	const pt_va_t va = fx->base + fx->huge - fx->page;
	const uint64_t len = 3 * fx->huge + 2 * fx->page;
	const pt_pa_t pa = FRAMES + 5 * fx->huge - fx->page;
	const uint64_t at[] = {0, fx->page, fx->huge, 2 * fx->huge + fx->page, len - fx->page};
	struct pt_taken taken;
	struct flatmap model;

	map(fx, va, len, pa, RW);
	expect_leaf(fx, va + fx->page, pa + fx->page, RW, 2);
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		taken = take(fx, va + at[i], fx->page);
		assert_int_equal(taken.va, va + at[i]);
		assert_int_equal(taken.item.pa, pa + at[i]);
		assert_int_equal(taken.item.level, 1);
		assert_int_equal(taken.item.prop, RW);
	}
	flat_init(&model, fx->format);
	flat_map(&model, va, va + (len - 1), pa, RW, fx->format->levels);
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		flat_clear(&model, va + at[i], va + at[i] + (fx->page - 1));
	dump_expect_model(fx, &model);
	flat_free(&model);
}

/* The origin's 514 leaves of 2 MiB and two pages; in `toy` six and two. */
static void mixed_granularity_protect_query(struct fixture *fx)
{
	const uint64_t huge = (1u << fx->format->index_bits) + 2;
	const uint64_t len = huge * fx->huge + 2 * fx->page;
	const pt_pa_t pa = FRAMES + fx->huge; /* never aligned to more than the leaves of level 2 */
	const pt_va_t va = fx->base;
	struct pt_mapping m;
	struct pt_cursor c;
	uint64_t at, n = 0;

	map(fx, va, len, pa, RW);
	begin_cursor(fx, va, len, PT_READ_ONLY, &c);
	for (at = 0; at < len; at += m.len, n++) {
		expect_ok(pt_cursor_jump(&c, va + at));
		expect_ok(pt_cursor_query(&c, &m));
		assert_int_equal(m.va, va + at);
		assert_int_equal(m.item.pa, pa + at);
		assert_int_equal(m.item.level, n < huge ? 2 : 1);
	}
	pt_cursor_end(&c);
	assert_int_equal(n, huge + 2);
	assert_int_equal(protect(fx, va + fx->page, 2 * fx->page, 0, PT_WRITE), 2);
	expect_leaf(fx, va, pa, RW, 1);
	expect_leaf(fx, va + fx->page, pa + fx->page, PT_READ, 1);
	expect_leaf(fx, va + 2 * fx->page, pa + 2 * fx->page, PT_READ, 1);
	expect_leaf(fx, va + 3 * fx->page, pa + 3 * fx->page, RW, 1);
	expect_leaf(fx, va + fx->huge, pa + fx->huge, RW, 2);
}

/* ---- protecting ---- */

static pt_prop_t read_only(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop & ~PT_WRITE;
}

static int protect_next(struct fixture *fx, pt_va_t va, uint64_t len, pt_va_t *ret_va,
			uint64_t *ret_len)
{
	struct pt_gather g;
	struct pt_cursor c;
	int rc;

	pt_gather_init(&g, fx->self, fx->table, NULL, NULL);
	begin_cursor(fx, va, len, PT_CHANGE, &c);
	rc = pt_cursor_protect_next(&c, len, read_only, NULL, &g, ret_va, ret_len);
	pt_cursor_end(&c);
	expect_ok(pt_gather_sync(&g));
	return rc;
}

static void base_protect_query(struct fixture *fx)
{
	const uint64_t pages = 2 * fx->huge / fx->page - 1;
	const pt_va_t va = fx->base + fx->page;

	expect_ok(pt_map(fx->self, fx->table, va, pages * fx->page, FRAMES, RW, 1));
	assert_int_equal(protect(fx, va + fx->page, 2 * fx->page, 0, PT_WRITE), 2);
	for (uint64_t i = 0; i < pages; i++)
		expect_leaf(fx, va + i * fx->page, FRAMES + i * fx->page,
			    i == 1 || i == 2 ? PT_READ : RW, 1);
}

static void protect_next_empty_entry(struct fixture *fx)
{
	uint64_t len;
	pt_va_t va;

	expect_error(protect_next(fx, fx->base + fx->page, fx->page, &va, &len), ENOENT);
	assert_int_equal(check(fx).nodes, 1);
}

static void protect_next_touches_empty_range(struct fixture *fx)
{
	uint64_t len;
	pt_va_t va;

	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	expect_ok(protect_next(fx, fx->base + fx->page, 2 * fx->page, &va, &len));
	assert_int_equal(va, fx->base + fx->page);
	assert_int_equal(len, fx->page);
	expect_leaf(fx, fx->base + fx->page, FRAMES, PT_READ, 1);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(new_kernel_page_table),
		TEST(create_user_page_table),
		TEST(range_check),
		TEST(boundary_conditions),
		TEST(start_boundary_mapping),
		TEST(end_boundary_mapping),
		TEST(overflow_boundary_mapping),
		TEST(overlapping_mappings),
		TEST(unaligned_map),
		TEST(remap_keeps_the_original),
		TEST(jump),
		TEST(jump_from_end_and_query_huge_middle),
		TEST(jump_from_guard_level_end),
		TEST(jump_near_address_space_end),
		TEST(find_next),
		TEST(find_next_keeps_va_around_barrier),
		TEST(find_next_rejects_overflowing_len),
		TEST(take_next_takes_something),
		TEST(take_large_takes_subtree),
		TEST(mixed_granularity_map_unmap),
		TEST(mixed_granularity_protect_query),
		TEST(base_protect_query),
		TEST(protect_next_empty_entry),
		TEST(protect_next_touches_empty_range),
	};

	return run_on_all_pairs("origin page table", cases, sizeof(cases) / sizeof(cases[0]));
}
