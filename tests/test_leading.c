/* SPDX-License-Identifier: MIT */
/* Tables whose addresses begin with bits above those that the format translates. */
#include <stdlib.h>

#include "support.h"

/* Not all ones, so that nothing that extends signs gets it right; with the bit next to the top. */
static pt_va_t some_bits(const struct fixture *fx)
{
	return UINT64_C(5) << 61 | UINT64_C(1) << fx->format->va_bits;
}

static void open_leading(struct fixture *fx)
{
	if (fx->format->sign_extended)
		skip();
	fx->config.leading = some_bits(fx);
	fixture_new_table(fx);
}

static void bits_that_cannot_lead_are_refused(struct fixture *fx)
{
	const uint64_t translated = (UINT64_C(1) << fx->format->va_bits) - 1;
	const pt_va_t bad[] = {1, fx->page, translated + 1 - fx->giant, some_bits(fx) | fx->page};
	struct pt_table *t = NULL;
	unsigned i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fx->config.leading = bad[i];
		expect_error(pt_table_create(fx->self, &fx->config, &t), EINVAL);
	}
	if (fx->format->sign_extended) {
		fx->config.leading = ~translated;
		expect_error(pt_table_create(fx->self, &fx->config, &t), EINVAL);
		fx->config.role = PT_ROLE_KERNEL; /* which they would be right for */
		expect_error(pt_table_create(fx->self, &fx->config, &t), EINVAL);
	}
	assert_null(t);
}

static void the_range_begins_with_them(struct fixture *fx)
{
	const uint64_t span = UINT64_C(1) << fx->format->va_bits;

	open_leading(fx);
	assert_int_equal(fx->first, some_bits(fx));
	assert_int_equal(fx->last, some_bits(fx) + (span - 1));
	fx->config.role = PT_ROLE_KERNEL;
	fixture_new_table(fx);
	assert_int_equal(fx->first, some_bits(fx) + span / 2);
	assert_int_equal(fx->last, some_bits(fx) + (span - 1));
	fx->config.bound = fx->last - fx->page;
	fixture_new_table(fx);
	expect_error(pt_map(fx->self, fx->table, fx->last - fx->page + 1, fx->page, FRAMES, RW, 1),
		     ERANGE);
	fx->config.bound &= span - 1; /* without them it lies outside */
	expect_error(pt_table_create(fx->self, &fx->config, &fx->table), EINVAL);
}

static void expect_out_of_range(struct fixture *fx, pt_va_t va)
{
	struct pt_mapping m;
	struct pt_cursor c;
	pt_prop_t prop;
	pt_pa_t pa;

	expect_error(pt_walk(fx->self, fx->table, va, &pa, &prop), ERANGE);
	expect_error(pt_access(fx->self, fx->table, va, PT_ACCESS_READ, false, &pa), ERANGE);
	expect_error(pt_query(fx->self, fx->table, va, &m), ERANGE);
	expect_error(pt_query_get(fx->self, fx->table, va, &m), ERANGE);
	expect_error(pt_map(fx->self, fx->table, va, fx->page, FRAMES, RW, 1), ERANGE);
	expect_error(pt_unmap(fx->self, fx->table, va, fx->page, NULL, NULL), ERANGE);
	expect_error(pt_protect(fx->self, fx->table, va, fx->page, 0, 0, NULL, NULL), ERANGE);
	expect_error(pt_mark(fx->self, fx->table, va, fx->page, 1), ERANGE);
	expect_error(pt_cursor_begin(fx->self, fx->table, va, fx->page, PT_BUILD, 1, &c), ERANGE);
}

/* Their indices are those of a page that is mapped. */
static void addresses_with_other_bits_are_out_of_range(struct fixture *fx)
{
	unsigned bit;

	open_leading(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	for (bit = fx->format->va_bits; bit < 64; bit++)
		expect_out_of_range(fx, fx->base ^ UINT64_C(1) << bit);
	expect_out_of_range(fx, fx->base - some_bits(fx));
	expect_out_of_range(fx, fx->last + 1);
	expect_error(
		pt_map(fx->self, fx->table, fx->last - fx->page + 1, 2 * fx->page, FRAMES, RW, 1),
		ERANGE);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
}

static pt_prop_t read_only(void *ctx, pt_va_t va, const struct pt_item *old)
{
	*(pt_va_t *)ctx = va;
	return old->prop & ~PT_WRITE;
}

static void note_va(void *ctx, pt_va_t va, const struct pt_item *item)
{
	(void)item;
	*(pt_va_t *)ctx = va;
}

static void a_cursor_tells_whole_addresses(struct fixture *fx)
{
	struct pt_gather gather;
	struct pt_mapping m;
	struct pt_cursor c;
	struct pt_taken taken;
	pt_va_t va, seen = 0;
	uint64_t len;

	open_leading(fx);
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	pt_gather_init(&gather, fx->self, fx->table, note_va, &seen);
	begin_cursor(fx, fx->base, fx->huge, PT_CHANGE, &c);
	expect_ok(pt_cursor_find_next(&c, fx->huge, &va));
	assert_int_equal(va, fx->base + fx->page);
	assert_int_equal(pt_cursor_va(&c), va);
	expect_error(pt_cursor_jump(&c, va - some_bits(fx)), ERANGE);
	expect_ok(pt_cursor_query(&c, &m));
	assert_int_equal(m.va, va);
	expect_ok(pt_cursor_protect_next(&c, fx->page, read_only, &seen, &gather, &va, &len));
	assert_int_equal(va, fx->base + fx->page);
	assert_int_equal(seen, va);
	expect_ok(pt_cursor_jump(&c, fx->base));
	expect_ok(pt_cursor_take_next(&c, fx->huge, &gather, &taken));
	assert_int_equal(taken.va, taken.subtree ? fx->base : fx->base + fx->page);
	pt_cursor_end(&c);
	seen = 0;
	fx->flushes.n = 0;
	expect_ok(pt_gather_sync(&gather));
	assert_int_equal(seen, fx->base + fx->page);
	assert_true(was_flushed(fx, fx->base + fx->page, fx->page, false));
}

/* A whole table goes, a leaf goes by itself, and a harvest sees one. */
static void hooks_are_told_whole_addresses(struct fixture *fx)
{
	struct pt_gather gather;
	pt_va_t seen = 0;
	pt_pa_t pa;

	open_leading(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	map(fx, fx->last - fx->page + 1, fx->page, FRAMES, RW);
	expect_ok(pt_access(fx->self, fx->table, fx->last, PT_ACCESS_WRITE, false, &pa));
	assert_int_equal(pa, FRAMES + fx->page - 1);
	expect_ok(pt_harvest(fx->self, fx->table, fx->first, fx->last - fx->first + 1, PT_ACCESSED,
			     note_va, &seen, NULL, NULL));
	assert_int_equal(seen, fx->last - fx->page + 1);
	pt_gather_init(&gather, fx->self, fx->table, note_va, &seen);
	expect_ok(pt_unmap(fx->self, fx->table, fx->last - fx->page + 1, fx->page, &gather, NULL));
	seen = 0;
	expect_ok(pt_gather_sync(&gather));
	assert_int_equal(seen, fx->last - fx->page + 1);
	expect_ok(
		pt_unmap(fx->self, fx->table, fx->first, fx->last - fx->first + 1, &gather, NULL));
	fx->flushes.n = 0;
	expect_ok(pt_gather_sync(&gather));
	assert_int_equal(seen, fx->base);
	assert_true(was_flushed(fx, fx->base, fx->page, true));
}

static void huge_leaves_split_and_merge_under_them(struct fixture *fx)
{
	uint64_t merged;

	open_leading(fx);
	map(fx, fx->base, 2 * fx->giant, FRAMES, RW);
	unmap(fx, fx->base + fx->page, fx->page);
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	expect_empty(fx, fx->base + fx->page);
	expect_leaf(fx, fx->base + fx->giant, FRAMES + fx->giant, RW, fx->giant_level);
	map(fx, fx->base + fx->page, fx->page, FRAMES + fx->page, RW);
	expect_ok(pt_merge(fx->self, fx->table, fx->base, fx->giant, fx->giant_level, &merged));
	assert_true(merged >= 1);
	expect_leaf(fx, fx->base, FRAMES, RW, fx->giant_level);
	check(fx);
}

static void their_last_page_may_be_the_last_of_all(struct fixture *fx)
{
	fixture_use_leading_bits(fx);
	assert_int_equal(fx->last, UINT64_MAX);
	map(fx, fx->last - fx->page + 1, fx->page, FRAMES, RW);
	expect_leaf(fx, fx->last - fx->page + 1, FRAMES, RW, 1);
	assert_int_equal(unmap(fx, fx->first, fx->last - fx->first + 1), 1);
}

/* The checker tells where: a root slot is spoilt in memory that the test has given to the pool. */
static void a_violation_is_found_at_its_whole_address(struct fixture *fx)
{
	const size_t bytes = 2 << 20;
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = fx->format->node_shift,
		.max_bytes = bytes,
	};
	struct pt_check_report report;
	struct pt_thread *self;
	struct pt_table *t;
	uint64_t *root;

	open_leading(fx);
	pool.region = aligned_alloc(bytes, bytes);
	assert_non_null(pool.region);
	expect_ok(pt_pool_create(&pool, &fx->config.pool));
	expect_ok(pt_thread_register(fx->config.pool, &self));
	expect_ok(pt_table_create(self, &fx->config, &t));
	root = (uint64_t *)((char *)pool.region + pt_table_root(t));
	root[1] = UINT64_MAX;
	expect_ok(pt_check(self, t, &report));
	assert_non_null(report.violation);
	assert_int_equal(report.va, fx->base);
	root[1] = 0;
	expect_ok(pt_table_destroy(self, t));
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(fx->config.pool));
	fx->config.pool = fx->pool;
	free(pool.region);
}

static void only_tables_with_the_same_bits_share(struct fixture *fx)
{
	struct pt_table *user;
	struct pt_config config;
	pt_prop_t prop;
	pt_pa_t pa;

	fx->config.role = PT_ROLE_KERNEL;
	open_leading(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	config = fx->config;
	config.role = PT_ROLE_USER;
	config.kernel = fx->table;
	expect_ok(pt_table_create(fx->self, &config, &user));
	expect_ok(pt_walk(fx->self, user, fx->base, &pa, &prop));
	assert_int_equal(pa, FRAMES);
	expect_error(pt_walk(fx->self, user, fx->base - some_bits(fx), &pa, &prop), ERANGE);
	expect_ok(pt_table_destroy(fx->self, user));
	config.leading = 0;
	expect_error(pt_table_create(fx->self, &config, &user), EINVAL);
	/* other addresses, but the same root slots */
	config.top_end = 1u << fx->format->index_bits;
	expect_error(pt_table_create(fx->self, &config, &user), EINVAL);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(bits_that_cannot_lead_are_refused),
		TEST(the_range_begins_with_them),
		TEST(addresses_with_other_bits_are_out_of_range),
		TEST(a_cursor_tells_whole_addresses),
		TEST(hooks_are_told_whole_addresses),
		TEST(huge_leaves_split_and_merge_under_them),
		TEST(their_last_page_may_be_the_last_of_all),
		TEST(a_violation_is_found_at_its_whole_address),
		TEST(only_tables_with_the_same_bits_share),
	};

	return run_on_all_pairs("leading", cases, sizeof(cases) / sizeof(cases[0]));
}
