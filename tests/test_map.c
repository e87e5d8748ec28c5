/* SPDX-License-Identifier: MIT */
/* pt_map(): what is mapped afterwards, and what is refused. */
#include "dump.h"

static unsigned levels(const struct fixture *fx)
{
	return fx->format->levels;
}

static void one_page_is_mapped_and_its_neighbours_are_not(struct fixture *fx)
{
	pt_va_t va = fx->base + 5 * fx->page;

	map(fx, va, fx->page, FRAMES, RW);
	expect_leaf(fx, va, FRAMES, RW, 1);
	expect_leaf(fx, va + fx->page - 1, FRAMES + fx->page - 1, RW, 1);
	expect_empty(fx, va - 1);
	expect_empty(fx, va + fx->page);
	assert_int_equal(check(fx).mapped_bytes, fx->page);
}

static void every_property_survives(struct fixture *fx)
{
	const pt_prop_t all = fx->format->props & ~PT_TRACKED;
	unsigned cache, level;
	pt_prop_t prop;

	for (level = 1; level <= fx->giant_level; level++) {
		uint64_t size = pt_page_size(fx->format, level);

		for (prop = 0; prop <= all; prop++) {
			if (prop & ~all)
				continue;
			cache = prop * 7 % PT_CACHE_NR; /* each policy with many sets */
			if (!(fx->format->caches >> cache & 1))
				continue;
			map(fx, fx->base, size, FRAMES, prop | PT_CACHE(cache));
			expect_leaf(fx, fx->base, FRAMES, prop | PT_CACHE(cache), level);
			/* all of the root slot, so that no table is in the way of the next level */
			unmap(fx, fx->base, pt_page_size(fx->format, levels(fx)));
		}
	}
}

static void leaves_are_as_large_as_alignment_permits(struct fixture *fx)
{
	pt_va_t va = fx->base + fx->giant - fx->page;

	map(fx, va, fx->giant + 2 * fx->page, FRAMES + fx->giant - fx->page, RW);
	expect_leaf(fx, va, FRAMES + fx->giant - fx->page, RW, 1);
	expect_leaf(fx, va + fx->page, FRAMES + fx->giant, RW, fx->giant_level);
	expect_leaf(fx, va + fx->giant, FRAMES + 2 * fx->giant - fx->page, RW, fx->giant_level);
	expect_leaf(fx, va + fx->giant + fx->page, FRAMES + 2 * fx->giant, RW, 1);
	assert_int_equal(check(fx).leaves, 3);
}

static void a_misaligned_frame_keeps_leaves_small(struct fixture *fx)
{
	map(fx, fx->base, fx->huge, FRAMES + fx->page, RW);
	expect_leaf(fx, fx->base, FRAMES + fx->page, RW, 1);
	expect_leaf(fx, fx->base + fx->huge - 1, FRAMES + fx->page + fx->huge - 1, RW, 1);
	assert_int_equal(check(fx).leaves, fx->huge / fx->page);
}

static void max_level_keeps_leaves_small(struct fixture *fx)
{
	expect_ok(pt_map(fx->self, fx->table, fx->base, fx->huge, FRAMES, RW, 1));
	expect_leaf(fx, fx->base, FRAMES, RW, 1);
	assert_int_equal(check(fx).leaves, fx->huge / fx->page);
}

static void a_range_over_many_tables_is_contiguous(struct fixture *fx)
{
	pt_va_t va = fx->base + fx->huge - 2 * fx->page;
	uint64_t len = 2 * fx->huge + 3 * fx->page, at;

	expect_ok(pt_map(fx->self, fx->table, va, len, FRAMES, RW, 1));
	for (at = 0; at < len; at += fx->page)
		expect_leaf(fx, va + at, FRAMES + at, RW, 1);
	expect_empty(fx, va + len);
	assert_int_equal(check(fx).mapped_bytes, len);
}

static void the_first_and_the_last_page_can_be_mapped(struct fixture *fx)
{
	pt_va_t last_page = fx->last - (fx->page - 1);

	map(fx, fx->first, fx->page, FRAMES, RW);
	map(fx, last_page, fx->page, FRAMES + fx->page, RW);
	expect_leaf(fx, fx->first, FRAMES, RW, 1);
	expect_leaf(fx, fx->last, FRAMES + 2 * fx->page - 1, RW, 1);
	assert_int_equal(check(fx).leaves, 2);
}

static void the_upper_half_can_be_mapped_to_its_last_byte(struct fixture *fx)
{
	fixture_use_upper_half(fx);
	assert_int_equal(fx->last, UINT64_MAX);
	the_first_and_the_last_page_can_be_mapped(fx);
	map(fx, 0 - fx->giant - fx->giant, fx->giant, FRAMES, RW);
	expect_leaf(fx, UINT64_MAX - fx->giant, FRAMES + fx->giant - 1, RW, fx->giant_level);
}

static void the_whole_table_can_be_mapped(struct fixture *fx)
{
	uint64_t len = fx->last - fx->first + 1;

	/* On real formats that would be 131072 leaves of 1 GiB: take the last root slot there. */
	if (len > 64 * fx->giant)
		len = pt_page_size(fx->format, levels(fx));
	map(fx, fx->last - (len - 1), len, FRAMES * 4, RW);
	expect_leaf(fx, fx->last, FRAMES * 4 + len - 1, RW, fx->giant_level);
	assert_int_equal(check(fx).mapped_bytes, len);
	assert_int_equal(unmap(fx, fx->last - (len - 1), len), len / fx->page);
}

static void a_mapped_page_is_not_mapped_over(struct fixture *fx)
{
	pt_va_t va = fx->base + fx->huge;
	struct dump before;

	map(fx, va, fx->page, FRAMES, RW);
	map(fx, va + fx->huge, fx->huge, FRAMES, RW);
	dump_take(fx, &before);
	expect_error(pt_map(fx->self, fx->table, va, fx->page, FRAMES, RW, 1), EEXIST);
	/* the first, the last, or a page in the middle is taken */
	expect_error(pt_map(fx->self, fx->table, va, 2 * fx->page, FRAMES, RW, 1), EEXIST);
	expect_error(pt_map(fx->self, fx->table, va - fx->page, 2 * fx->page, FRAMES, RW, 1),
		     EEXIST);
	expect_error(
		pt_map(fx->self, fx->table, va - fx->huge, 2 * fx->huge, FRAMES, RW, levels(fx)),
		EEXIST);
	/* a piece of a huge leaf */
	expect_error(pt_map(fx->self, fx->table, va + fx->huge + fx->page, fx->page, FRAMES, RW, 1),
		     EEXIST);
	expect_error(pt_map(fx->self, fx->table, va + 2 * fx->huge - fx->page, 2 * fx->page, FRAMES,
			    RW, 1),
		     EEXIST);
	dump_expect_unchanged(fx, &before);
	check(fx);
}

static void a_mapping_without_read_is_in_the_way_like_any_other(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, 0);
	expect_leaf(fx, fx->base, FRAMES, 0, 1);
	expect_error(pt_map(fx->self, fx->table, fx->base, fx->page, FRAMES, RW, 1), EEXIST);
}

static void misaligned_arguments_are_refused(struct fixture *fx)
{
	const uint64_t page = fx->page;
	const pt_va_t va = fx->base;

	expect_error(pt_map(fx->self, fx->table, va + 1, page, FRAMES, RW, 1), EINVAL);
	expect_error(pt_map(fx->self, fx->table, va + page / 2, page, FRAMES, RW, 1), EINVAL);
	expect_error(pt_map(fx->self, fx->table, va, page + 1, FRAMES, RW, 1), EINVAL);
	expect_error(pt_map(fx->self, fx->table, va, page / 2, FRAMES, RW, 1), EINVAL);
	expect_error(pt_map(fx->self, fx->table, va, 0, FRAMES, RW, 1), EINVAL);
	expect_error(pt_map(fx->self, fx->table, va, page, FRAMES + 1, RW, 1), EINVAL);
	assert_int_equal(check(fx).leaves, 0);
}

static void levels_and_properties_that_do_not_exist_are_refused(struct fixture *fx)
{
	struct pt_table *t = fx->table;
	unsigned bit;

	expect_error(pt_map(fx->self, t, fx->base, fx->page, FRAMES, RW, 0), EINVAL);
	expect_error(pt_map(fx->self, t, fx->base, fx->page, FRAMES, RW, levels(fx) + 1), EINVAL);
	for (bit = 0; bit < 32; bit++)
		if (!((fx->format->props | PT_CACHE_MASK) >> bit & 1))
			expect_error(
				pt_map(fx->self, t, fx->base, fx->page, FRAMES, RW | 1u << bit, 1),
				EINVAL);
	expect_error(pt_map(fx->self, t, fx->base, fx->page, FRAMES, RW | PT_CACHE(PT_CACHE_NR), 1),
		     EINVAL);
	assert_int_equal(check(fx).leaves, 0);
}

static void frames_beyond_the_physical_address_width_are_refused(struct fixture *fx)
{
	const pt_pa_t end = UINT64_C(1) << fx->format->pa_bits;

	assert_true(pt_map(fx->self, fx->table, fx->base, fx->page, end, RW, 1) < 0);
	assert_true(pt_map(fx->self, fx->table, fx->base, 2 * fx->page, end - fx->page, RW, 1) < 0);
	assert_true(pt_map(fx->self, fx->table, fx->base, 2 * fx->page, 0 - fx->page, RW, 1) < 0);
	assert_int_equal(check(fx).leaves, 0);
	map(fx, fx->base, fx->page, end - fx->page, RW);
	expect_leaf(fx, fx->base, end - fx->page, RW, 1);
}

static void ranges_outside_the_table_are_refused(struct fixture *fx)
{
	const pt_va_t last_page = fx->last - (fx->page - 1);
	struct pt_table *t = fx->table;

	expect_error(pt_map(fx->self, t, fx->last + 1, fx->page, FRAMES, RW, 1), ERANGE);
	expect_error(pt_map(fx->self, t, last_page, 2 * fx->page, FRAMES, RW, 1), ERANGE);
	expect_error(pt_map(fx->self, t, last_page, fx->giant, FRAMES, RW, 1), ERANGE);
	assert_int_equal(check(fx).leaves, 0);
}

static void ranges_that_wrap_around_are_refused(struct fixture *fx)
{
	struct pt_table *t = fx->table;

	expect_error(pt_map(fx->self, t, fx->base, 0 - fx->page, FRAMES, RW, 1), EINVAL);
	expect_error(pt_map(fx->self, t, 0 - fx->page, 2 * fx->page, FRAMES, RW, 1), EINVAL);
	assert_int_equal(check(fx).leaves, 0);
}

static void the_upper_half_neither_begins_early_nor_wraps_around(struct fixture *fx)
{
	struct pt_table *t;

	fixture_use_upper_half(fx);
	ranges_that_wrap_around_are_refused(fx);
	t = fx->table;
	expect_error(pt_map(fx->self, t, fx->first - fx->page, 2 * fx->page, FRAMES, RW, 1),
		     ERANGE);
	expect_error(pt_map(fx->self, t, 0, fx->page, FRAMES, RW, 1), ERANGE);
	/* The same index bits, but not sign-extended. */
	expect_error(pt_map(fx->self, fx->table, fx->first & ((UINT64_C(1) << 48) - 1), fx->page,
			    FRAMES, RW, 1),
		     ERANGE);
}

static void only_the_root_slots_of_the_configuration_are_managed(struct fixture *fx)
{
	uint64_t root_slot = pt_page_size(fx->format, levels(fx));

	fx->config.top_first = 1;
	fx->config.top_end = 2;
	fixture_new_table(fx);
	assert_int_equal(fx->first, root_slot);
	assert_int_equal(fx->last, 2 * root_slot - 1);
	the_first_and_the_last_page_can_be_mapped(fx);
	expect_error(pt_map(fx->self, fx->table, 0, fx->page, FRAMES, RW, 1), ERANGE);
	expect_error(pt_map(fx->self, fx->table, 2 * root_slot, fx->page, FRAMES, RW, 1), ERANGE);
}

static void a_huge_leaf_replaces_a_table_that_became_empty(struct fixture *fx)
{
	map(fx, fx->base, fx->page, FRAMES, RW);
	unmap(fx, fx->base, fx->page);
	fx->flushes.n = 0;
	map(fx, fx->base, fx->giant, FRAMES, RW);
	expect_leaf(fx, fx->base + fx->page, FRAMES + fx->page, RW, fx->giant_level);
	assert_int_equal(check(fx).leaves, 1);
	/* The hardware may have cached the way to the table that went. */
	assert_true(was_flushed(fx, fx->base, fx->page, true));
}

static void mapping_flushes_nothing(struct fixture *fx)
{
	map(fx, fx->base, fx->giant + fx->page, FRAMES, RW);
	assert_int_equal(fx->flushes.n, 0);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(one_page_is_mapped_and_its_neighbours_are_not),
		TEST(every_property_survives),
		TEST(leaves_are_as_large_as_alignment_permits),
		TEST(a_misaligned_frame_keeps_leaves_small),
		TEST(max_level_keeps_leaves_small),
		TEST(a_range_over_many_tables_is_contiguous),
		TEST(the_first_and_the_last_page_can_be_mapped),
		TEST(the_upper_half_can_be_mapped_to_its_last_byte),
		TEST(the_whole_table_can_be_mapped),
		TEST(a_mapped_page_is_not_mapped_over),
		TEST(a_mapping_without_read_is_in_the_way_like_any_other),
		TEST(misaligned_arguments_are_refused),
		TEST(levels_and_properties_that_do_not_exist_are_refused),
		TEST(frames_beyond_the_physical_address_width_are_refused),
		TEST(ranges_outside_the_table_are_refused),
		TEST(ranges_that_wrap_around_are_refused),
		TEST(the_upper_half_neither_begins_early_nor_wraps_around),
		TEST(only_the_root_slots_of_the_configuration_are_managed),
		TEST(a_huge_leaf_replaces_a_table_that_became_empty),
		TEST(mapping_flushes_nothing),
	};

	return run_on_all_pairs("map", cases, sizeof(cases) / sizeof(cases[0]));
}
