/* SPDX-License-Identifier: MIT */
/*
 * Entries of x86-64 as the manual lays them out, written down as numbers: an error that encoding
 * and decoding share would pass any round trip. Source: Intel SDM volume 3, tables 4-15 to 4-20,
 * and section 4.9 for memory types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "x86_64.h"
#include "contract.h"

/* Bits the processor ignores in every entry: 11:9 and 58:52. */
#define IGNORED UINT64_C(0x07f0000000000e00)

struct vector {
	pt_pa_t pa;
	pt_prop_t prop;
	unsigned level;
	uint64_t pte;
};

static const struct vector present[] = {
	/* P */
	{0x0, PT_READ | PT_EXEC, 1, 0x1},
	/* P, NX */
	{0x0, PT_READ, 1, 0x8000000000000001},
	/* P, W, U, frame 0x12345 */
	{0x12345000, PT_READ | PT_WRITE | PT_EXEC | PT_USER, 1, 0x12345007},
	/* P, A */
	{0x1000, PT_READ | PT_EXEC | PT_ACCESSED, 1, 0x1021},
	/* P, W, A, D */
	{0x1000, PT_READ | PT_WRITE | PT_EXEC | PT_ACCESSED | PT_DIRTY, 1, 0x1063},
	/* P, G */
	{0x1000, PT_READ | PT_EXEC | PT_GLOBAL, 1, 0x1101},
	/* highest frame */
	{0xffffffffff000, PT_READ | PT_EXEC, 1, 0xffffffffff001},
	/* 4 KiB: PAT index = bit 7, PCD, PWT; WB 0, WT 1, WC 2, UC 3, WP 4 */
	{0x1000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_WRITE_BACK), 1, 0x1001},
	{0x1000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_WRITE_THROUGH), 1, 0x1009},
	{0x1000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_WRITE_COMBINING), 1, 0x1011},
	{0x1000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_UNCACHED), 1, 0x1019},
	{0x1000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_WRITE_PROTECTED), 1, 0x1081},
	/* 2 MiB: PS, and PAT index bit 2 moves to bit 12 */
	{0x200000, PT_READ | PT_EXEC, 2, 0x200081},
	{0x200000, PT_READ | PT_WRITE | PT_USER, 2, 0x8000000000200087},
	{0x200000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_UNCACHED), 2, 0x200099},
	{0x200000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_WRITE_PROTECTED), 2, 0x201081},
	{0xfffffffe00000, PT_READ | PT_EXEC, 2, 0xfffffffe00081},
	/* 1 GiB */
	{0x40000000, PT_READ | PT_WRITE | PT_EXEC | PT_DIRTY, 3, 0x400000c3},
	{0x40000000, PT_READ | PT_EXEC | PT_CACHE(PT_CACHE_WRITE_PROTECTED), 3, 0x40001081},
	{0xfffffc0000000, PT_READ | PT_EXEC | PT_GLOBAL, 3, 0xfffffc0000181},
};

static void present_leaves_look_as_in_the_manual(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(present) / sizeof(present[0]); i++) {
		const struct vector *v = &present[i];

		assert_int_equal(fmt_leaf(v->pa, v->prop, v->level) & ~IGNORED, v->pte);
		assert_int_equal(fmt_leaf_pa(v->pte, v->level), v->pa);
		assert_int_equal(fmt_leaf_prop(v->pte, v->level), v->prop);
	}
}

static void software_bits_lie_where_the_mmu_ignores_them(void **state)
{
	const pt_prop_t soft = PT_SOFT0 | PT_SOFT1 | PT_TRACKED;
	unsigned level;

	(void)state;
	assert_int_equal(FMT_STRATEGY_MASK & ~IGNORED, 0);
	for (level = 1; level <= 3; level++) {
		pte_t plain = fmt_leaf(0x40000000, PT_READ, level);
		pte_t all = fmt_leaf(0x40000000, PT_READ | soft, level);

		assert_int_equal((plain ^ all) & ~IGNORED, 0);
		assert_int_equal(__builtin_popcountll(plain ^ all), 3);
	}
}

static void a_table_entry_permits_everything_and_is_already_accessed(void **state)
{
	(void)state;
	assert_int_equal(fmt_table(0x12345000) & ~IGNORED, 0x12345027);
	assert_int_equal(fmt_table_pa(0xffffffffff027), 0xffffffffff000);
}

/* The MMU must not use them: P = 0. */
static void all_other_kinds_are_not_present(void **state)
{
	unsigned level;

	(void)state;
	for (level = 1; level <= 3; level++)
		assert_false(fmt_leaf(0x40000000, PT_WRITE | PT_EXEC | PT_USER, level) & 1);
	assert_false(fmt_mark(0) & 1);
	assert_false(fmt_mark(0xffffffff) & 1);
	assert_false(FMT_FROZEN & 1);
}

/*
 * L1TF: a processor may load through an entry that is not present. The address it would use, bits
 * 51:12 of the entry, must not be one that small physical memory has.
 */
static void no_absent_entry_names_low_memory(void **state)
{
	const uint64_t low = UINT64_C(1) << 50;
	pt_pa_t pa;

	(void)state;
	for (pa = 0; pa < low; pa = 2 * pa + 0x40000000) {
		assert_true((fmt_leaf(pa, PT_WRITE, 1) & 0xffffffffff000) >= low);
		assert_true((fmt_leaf(pa, PT_WRITE, 2) & 0xffffffffff000) >= low);
		assert_true((fmt_leaf(pa, PT_WRITE, 3) & 0xffffffffff000) >= low);
	}
	assert_true((fmt_mark(0) & 0xffffffffff000) >= low);
	assert_true((fmt_mark(0xffffffff) & 0xffffffffff000) >= low);
	assert_true((FMT_FROZEN & 0xffffffffff000) >= low);
}

static void the_inverted_frame_of_a_huge_leaf_leaves_the_cache_policy_alone(void **state)
{
	pte_t pte = fmt_leaf(0x40000000, PT_CACHE(PT_CACHE_WRITE_PROTECTED), 3);

	(void)state;
	assert_int_equal(pte & 0x000fffffc0000000, ~UINT64_C(0x40000000) & 0x000fffffc0000000);
	assert_int_equal(pte & 0x1000, 0x1000);
	assert_int_equal(fmt_leaf_prop(pte, 3), PT_CACHE(PT_CACHE_WRITE_PROTECTED));
	pte = fmt_leaf(0x40000000, PT_CACHE(PT_CACHE_WRITE_BACK), 3);
	assert_int_equal(pte & 0x1000, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(present_leaves_look_as_in_the_manual),
		cmocka_unit_test(software_bits_lie_where_the_mmu_ignores_them),
		cmocka_unit_test(a_table_entry_permits_everything_and_is_already_accessed),
		cmocka_unit_test(all_other_kinds_are_not_present),
		cmocka_unit_test(no_absent_entry_names_low_memory),
		cmocka_unit_test(the_inverted_frame_of_a_huge_leaf_leaves_the_cache_policy_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
