/* SPDX-License-Identifier: MIT */
/*
 * What every format must do. Compiled once for each: the build includes the format's header before
 * the first line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract.h"

#define PA_MASK(shift) (((UINT64_C(1) << FMT_PA_BITS) - 1) & (~UINT64_C(0) << (shift)))

static unsigned page_shift(unsigned level)
{
	return FMT_PAGE_SHIFT + FMT_INDEX_BITS * (level - 1);
}

static bool leaf_level(unsigned level)
{
	return FMT_LEAF_LEVELS >> level & 1;
}

static uint64_t random_state = 1;

static uint64_t random64(void)
{
	/* splitmix64: every run sees the same values. */
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Call @fn for every leaf the format can express: all levels, properties and cache policies. */
static void each_leaf(void (*fn)(pt_pa_t pa, pt_prop_t prop, unsigned level))
{
	const pt_prop_t all = PT_CACHE(PT_CACHE_NR - 1) | PT_CACHE_MASK | FMT_PROPS;
	unsigned level;
	pt_prop_t prop;

	for (level = 1; level <= FMT_LEVELS; level++) {
		unsigned valid = 0;

		if (!leaf_level(level))
			continue;
		for (prop = 0; prop <= all; prop++) {
			pt_pa_t mask = PA_MASK(page_shift(level));

			if (prop & ~all || !fmt_prop_valid(prop, level))
				continue;
			valid++;
			fn(0, prop, level);
			fn(mask, prop, level);
			fn(UINT64_C(0xaaaaaaaaaaaaaaaa) & mask, prop, level);
			fn(UINT64_C(0x5555555555555555) & mask, prop, level);
			fn(random64() & mask, prop, level);
		}
		assert_true(valid > 1);
	}
}

static void check_round_trip(pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	pte_t pte = fmt_leaf(pa, prop, level);

	assert_true(fmt_kind(pte, level) == PT_KIND_LEAF);
	assert_true(fmt_leaf_pa(pte, level) == pa);
	assert_int_equal(fmt_leaf_prop(pte, level), prop);
}

static void leaf_keeps_frame_and_every_property(void **state)
{
	(void)state;
	each_leaf(check_round_trip);
}

static void check_strategy_bits(pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	pte_t pte = fmt_leaf(pa, prop, level);
	pte_t used = pte | FMT_STRATEGY_MASK;

	assert_true(!(pte & FMT_STRATEGY_MASK));
	assert_true(fmt_kind(used, level) == PT_KIND_LEAF);
	assert_true(!fmt_is_table(used, level));
	assert_true(fmt_leaf_pa(used, level) == pa);
	assert_int_equal(fmt_leaf_prop(used, level), prop);
	assert_true(fmt_translates(used) == fmt_translates(pte));
	assert_true(fmt_hw_writes(used) == fmt_hw_writes(pte));
	assert_true(!fmt_needs_flush(pte, used));
	assert_true(!fmt_needs_flush(used, pte));
	assert_true(fmt_touched(used, true) == (fmt_touched(pte, true) | FMT_STRATEGY_MASK));
}

static void strategy_bits_of_a_leaf_are_free(void **state)
{
	(void)state;
	each_leaf(check_strategy_bits);
}

static void strategy_bits_of_all_other_kinds_are_free(void **state)
{
	pte_t mask = FMT_STRATEGY_MASK;
	pt_pa_t node = random64() & PA_MASK(FMT_NODE_SHIFT);
	unsigned level;

	(void)state;
	assert_true(mask != 0);
	assert_true(!(fmt_table(node) & mask) && !(fmt_mark(7) & mask) && !(FMT_FROZEN & mask));
	assert_true(fmt_table_pa(fmt_table(node) | mask) == node);
	assert_true(fmt_mark_value(fmt_mark(7) | mask) == 7);
	for (level = 1; level <= FMT_LEVELS; level++) {
		assert_true(fmt_kind(mask, level) == PT_KIND_EMPTY);
		assert_true(fmt_kind(fmt_mark(7) | mask, level) == PT_KIND_MARK);
		assert_true(fmt_kind(FMT_FROZEN | mask, level) == PT_KIND_FROZEN);
		if (level == 1)
			continue;
		assert_true(fmt_kind(fmt_table(node) | mask, level) == PT_KIND_TABLE);
		assert_true(fmt_is_table(fmt_table(node) | mask, level));
	}
}

static void zero_is_empty_at_every_level(void **state)
{
	unsigned level;

	(void)state;
	for (level = 1; level <= FMT_LEVELS; level++) {
		assert_true(fmt_kind(0, level) == PT_KIND_EMPTY);
		assert_true(!fmt_is_table(0, level));
	}
}

static void table_keeps_any_node_address(void **state)
{
	unsigned level;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		pt_pa_t node = (i ? random64() : UINT64_MAX) & PA_MASK(FMT_NODE_SHIFT);

		assert_true(fmt_table(node) != 0);
		assert_true(fmt_table_pa(fmt_table(node)) == node);
		for (level = 2; level <= FMT_LEVELS; level++) {
			assert_true(fmt_kind(fmt_table(node), level) == PT_KIND_TABLE);
			assert_true(fmt_is_table(fmt_table(node), level));
		}
	}
}

static void check_mark(uint64_t mark)
{
	unsigned level;

	assert_true(fmt_mark(mark) != 0);
	assert_true(fmt_mark_value(fmt_mark(mark)) == mark);
	assert_true(!fmt_translates(fmt_mark(mark)));
	assert_true(fmt_mark(mark) != FMT_FROZEN);
	for (level = 1; level <= FMT_LEVELS; level++) {
		assert_true(fmt_kind(fmt_mark(mark), level) == PT_KIND_MARK);
		assert_true(!fmt_is_table(fmt_mark(mark), level));
	}
}

static void mark_keeps_any_value_including_zero_and_the_largest(void **state)
{
	uint64_t largest = (UINT64_C(1) << FMT_MARK_BITS) - 1;
	int i;

	(void)state;
	assert_true(FMT_MARK_BITS >= 32);
	check_mark(0);
	check_mark(largest);
	for (i = 0; i < FMT_MARK_BITS; i++) {
		check_mark(UINT64_C(1) << i);
		check_mark(largest ^ UINT64_C(1) << i);
	}
	for (i = 0; i < 1000; i++)
		check_mark(random64() & largest);
}

static void frozen_is_a_kind_of_its_own(void **state)
{
	unsigned level;

	(void)state;
	assert_true(FMT_FROZEN != 0);
	assert_true(!fmt_translates(FMT_FROZEN));
	for (level = 1; level <= FMT_LEVELS; level++) {
		assert_true(fmt_kind(FMT_FROZEN, level) == PT_KIND_FROZEN);
		assert_true(!fmt_is_table(FMT_FROZEN, level));
	}
}

/* Whatever is in memory, decoders agree with one another and stay within bounds. */
static void any_bit_pattern_decodes_to_something_in_bounds(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		pte_t pte = random64() & (i % 2 ? UINT64_MAX : random64() & random64());
		unsigned level = 1 + (unsigned)i % FMT_LEVELS;
		enum pt_kind kind = fmt_kind(pte, level);

		assert_true(kind <= PT_KIND_FROZEN);
		assert_true(fmt_is_table(pte, level) == (kind == PT_KIND_TABLE));
		assert_true((kind == PT_KIND_EMPTY) == !(pte & ~FMT_STRATEGY_MASK));
		assert_true(!(fmt_table_pa(pte) & ~PA_MASK(0)));
		if (kind != PT_KIND_LEAF || !leaf_level(level))
			continue;
		assert_true(!(fmt_leaf_pa(pte, level) & ~PA_MASK(page_shift(level))));
		assert_true(!(fmt_leaf_prop(pte, level) & ~(FMT_PROPS | PT_CACHE_MASK)));
		assert_true(fmt_translates(pte) == !!(fmt_leaf_prop(pte, level) & PT_READ));
	}
}

static void properties_that_cannot_be_expressed_are_invalid(void **state)
{
	unsigned bit, level, policy;

	(void)state;
	for (level = 1; level <= FMT_LEVELS; level++) {
		if (!leaf_level(level))
			continue;
		assert_true(fmt_prop_valid(PT_READ, level));
		for (bit = 0; bit < 32; bit++)
			if (!((FMT_PROPS | PT_CACHE_MASK) >> bit & 1))
				assert_true(!fmt_prop_valid(PT_READ | 1u << bit, level));
		for (policy = 0; policy < 8; policy++)
			assert_true(fmt_prop_valid(PT_READ | PT_CACHE(policy), level) ==
				    (policy < PT_CACHE_NR && (FMT_CACHES >> policy & 1)));
	}
}

static void geometry_is_consistent(void **state)
{
	(void)state;
	assert_int_equal(FMT_PAGE_SHIFT + FMT_LEVELS * FMT_INDEX_BITS, FMT_VA_BITS);
	assert_int_equal(FMT_NODE_SHIFT, FMT_INDEX_BITS + 3);
	assert_true(leaf_level(1));
	assert_true(!(FMT_LEAF_LEVELS & ~((2u << FMT_LEVELS) - 2)));
	assert_true(FMT_PROPS & PT_READ);
	assert_true(FMT_CACHES & 1u << PT_CACHE_WRITE_BACK);
}

/* ---- the MMU's part ---- */

static void check_touched(pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	pte_t pte = fmt_leaf(pa, prop, level);
	pte_t read = fmt_touched(pte, false);
	pte_t written = fmt_touched(pte, true);

	assert_true(fmt_translates(pte) == !!(prop & PT_READ));
	assert_true(fmt_leaf_pa(read, level) == pa && fmt_leaf_pa(written, level) == pa);
	assert_int_equal(fmt_leaf_prop(read, level), prop | PT_ACCESSED);
	assert_int_equal(fmt_leaf_prop(written, level), prop | PT_ACCESSED | PT_DIRTY);
	/* The hardware may set a bit exactly where a bit is left to set. */
	assert_true(fmt_hw_writes(pte) == (fmt_translates(pte) && written != pte));
}

static void touching_sets_accessed_and_dirty_and_nothing_else(void **state)
{
	(void)state;
	if ((FMT_PROPS & (PT_ACCESSED | PT_DIRTY)) != (PT_ACCESSED | PT_DIRTY))
		skip();
	each_leaf(check_touched);
}

static bool flush_between(pt_prop_t old, pt_prop_t new)
{
	return fmt_needs_flush(fmt_leaf(0, old, 1), fmt_leaf(0, new, 1));
}

static void removing_what_translates_needs_a_flush(void **state)
{
	(void)state;
	assert_true(fmt_needs_flush(fmt_leaf(0, PT_READ, 1), 0));
	assert_true(fmt_needs_flush(fmt_leaf(0, PT_READ | PT_ACCESSED, 1), 0));
	assert_true(flush_between(PT_READ, 0));
	assert_true(!fmt_needs_flush(0, fmt_leaf(0, PT_READ, 1)));
	assert_true(!fmt_needs_flush(fmt_leaf(0, PT_WRITE, 1), 0));
	assert_true(!flush_between(PT_WRITE, PT_READ | PT_WRITE));
}

static void another_frame_or_cache_policy_needs_a_flush(void **state)
{
	pte_t old = fmt_leaf(0, PT_READ, 1);
	unsigned policy;

	(void)state;
	assert_true(fmt_needs_flush(old, fmt_leaf(UINT64_C(1) << FMT_PAGE_SHIFT, PT_READ, 1)));
	for (policy = 1; policy < PT_CACHE_NR; policy++)
		if (fmt_prop_valid(PT_READ | PT_CACHE(policy), 1))
			assert_true(flush_between(PT_READ, PT_READ | PT_CACHE(policy)));
}

static void only_taking_a_permission_away_needs_a_flush(void **state)
{
	const pt_prop_t all = PT_READ | PT_WRITE | PT_EXEC | PT_USER;

	(void)state;
	assert_true(!flush_between(PT_READ, PT_READ));
	assert_true(!flush_between(PT_READ, PT_READ | PT_WRITE));
	assert_true(!flush_between(PT_READ, PT_READ | PT_EXEC));
	assert_true(flush_between(all, all & ~PT_WRITE));
	assert_true(flush_between(all, all & ~PT_EXEC));
	assert_true(flush_between(all, all & ~PT_USER));
	/* Not a pure grant: the kernel may lose something by it. */
	assert_true(flush_between(PT_READ, PT_READ | PT_USER));
	/* One permission comes, another goes. */
	assert_true(flush_between(PT_READ | PT_WRITE, PT_READ | PT_EXEC));
}

static void clearing_dirty_needs_a_flush_and_software_bits_need_none(void **state)
{
	(void)state;
	assert_true(flush_between(PT_READ | PT_WRITE | PT_DIRTY, PT_READ | PT_WRITE));
	assert_true(!flush_between(PT_READ | PT_WRITE, PT_READ | PT_WRITE | PT_DIRTY));
	assert_true(!flush_between(PT_READ | PT_ACCESSED, PT_READ));
	assert_true(!flush_between(PT_READ, PT_READ | PT_ACCESSED));
	assert_true(!flush_between(PT_READ, PT_READ | PT_SOFT0 | PT_SOFT1));
	assert_true(!flush_between(PT_READ | PT_SOFT0 | PT_SOFT1, PT_READ));
	assert_true(flush_between(PT_READ | PT_GLOBAL, PT_READ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_keeps_frame_and_every_property),
		cmocka_unit_test(strategy_bits_of_a_leaf_are_free),
		cmocka_unit_test(strategy_bits_of_all_other_kinds_are_free),
		cmocka_unit_test(zero_is_empty_at_every_level),
		cmocka_unit_test(table_keeps_any_node_address),
		cmocka_unit_test(mark_keeps_any_value_including_zero_and_the_largest),
		cmocka_unit_test(frozen_is_a_kind_of_its_own),
		cmocka_unit_test(any_bit_pattern_decodes_to_something_in_bounds),
		cmocka_unit_test(properties_that_cannot_be_expressed_are_invalid),
		cmocka_unit_test(geometry_is_consistent),
		cmocka_unit_test(touching_sets_accessed_and_dirty_and_nothing_else),
		cmocka_unit_test(removing_what_translates_needs_a_flush),
		cmocka_unit_test(another_frame_or_cache_policy_needs_a_flush),
		cmocka_unit_test(only_taking_a_permission_away_needs_a_flush),
		cmocka_unit_test(clearing_dirty_needs_a_flush_and_software_bits_need_none),
	};

	return cmocka_run_group_tests_name("format " FMT_NAME, tests, NULL, NULL);
}
