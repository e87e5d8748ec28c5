/* SPDX-License-Identifier: MIT */
/* Addresses, indices and sizes: the helpers that need no table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pagetree.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const struct pt_format_info *x86(void)
{
	const struct pt_format_info *f = pt_format_find("x86_64");

	if (!f)
		skip();
	return f;
}

static const struct pt_format_info *toy(void)
{
	const struct pt_format_info *f = pt_format_find("toy");

	if (!f)
		skip();
	return f;
}

/* ---- enumeration ---- */

static void formats_are_found_by_index_and_by_name(void **state)
{
	unsigned i;

	(void)state;
	assert_non_null(pt_format_at(0));
	for (i = 0; pt_format_at(i); i++)
		assert_ptr_equal(pt_format_find(pt_format_at(i)->name), pt_format_at(i));
	assert_null(pt_format_at(i + 1000));
	assert_null(pt_format_find("x86"));
	assert_null(pt_format_find(""));
	assert_null(pt_format_find("x86_640"));
}

static void strategies_are_found_by_index_and_by_name(void **state)
{
	unsigned i;

	(void)state;
	assert_non_null(pt_strategy_find("rcu"));
	for (i = 0; pt_strategy_at(i); i++) {
		assert_ptr_equal(pt_strategy_find(pt_strategy_at(i)->name), pt_strategy_at(i));
		assert_true(strlen(pt_strategy_at(i)->summary) > 0);
	}
	assert_null(pt_strategy_at(i + 1000));
	assert_null(pt_strategy_find("nothing"));
}

static void a_pair_exists_only_if_both_names_do(void **state)
{
	(void)state;
	assert_true(pt_pair_exists("x86_64", "rcu"));
	assert_true(pt_pair_exists("toy", "rcu"));
	assert_false(pt_pair_exists("x86_64", "nothing"));
	assert_false(pt_pair_exists("nothing", "rcu"));
	assert_false(pt_pair_exists("rcu", "x86_64"));
}

static void format_info_tells_what_the_manual_says(void **state)
{
	const struct pt_format_info *f = x86();

	(void)state;
	assert_int_equal(f->levels, 4);
	assert_int_equal(f->index_bits, 9);
	assert_int_equal(f->page_shift, 12);
	assert_int_equal(f->va_bits, 48);
	assert_int_equal(f->pa_bits, 52);
	assert_true(f->sign_extended);
	assert_int_equal(f->leaf_levels, 1 << 1 | 1 << 2 | 1 << 3);
	assert_int_equal(f->node_shift, 12);
	assert_true(f->mark_bits >= 32);
	assert_true(f->strategy_bits >= 1);
}

/* ---- sizes and indices ---- */

static void page_sizes_of_x86_are_4k_2m_1g_512g(void **state)
{
	(void)state;
	assert_int_equal(pt_page_size(x86(), 1), 4 * KIB);
	assert_int_equal(pt_page_size(x86(), 2), 2 * MIB);
	assert_int_equal(pt_page_size(x86(), 3), GIB);
	assert_int_equal(pt_page_size(x86(), 4), 512 * GIB);
	assert_int_equal(pt_page_size(toy(), 3), 64 * KIB);
}

static void slot_index_takes_the_bits_of_its_level_only(void **state)
{
	/* indices 511, 0, 257, 3 from the root down, offset 0xabc */
	const pt_va_t va = UINT64_C(511) << 39 | UINT64_C(257) << 21 | UINT64_C(3) << 12 | 0xabc;
	const pt_va_t extended = va | UINT64_C(0xffff) << 48;

	(void)state;
	assert_int_equal(pt_slot_index(x86(), va, 4), 511);
	assert_int_equal(pt_slot_index(x86(), extended, 4), 511);
	assert_int_equal(pt_slot_index(x86(), extended, 3), 0);
	assert_int_equal(pt_slot_index(x86(), extended, 2), 257);
	assert_int_equal(pt_slot_index(x86(), extended, 1), 3);
	assert_int_equal(pt_slot_index(x86(), UINT64_MAX, 1), 511);
	assert_int_equal(pt_slot_index(toy(), 0x3f000, 3), 3);
	assert_int_equal(pt_slot_index(toy(), 0x1f000, 2), 3);
	assert_int_equal(pt_slot_index(toy(), 0x1f000, 3), 1);
}

/* ---- managed ranges ---- */

static void expect_range(const struct pt_format_info *f, unsigned from, unsigned end,
			 pt_va_t leading, pt_va_t first, pt_va_t last)
{
	pt_va_t got_first, got_last;

	assert_int_equal(pt_index_range(f, from, end, leading, &got_first, &got_last), 0);
	assert_int_equal(got_first, first);
	assert_int_equal(got_last, last);
}

static void index_range_of_the_lower_half_ends_at_the_hole(void **state)
{
	(void)state;
	expect_range(x86(), 0, 256, 0, 0, 0x7fffffffffff);
	expect_range(x86(), 255, 256, 0, 0x7f8000000000, 0x7fffffffffff);
	expect_range(x86(), 0, 1, 0, 0, 512 * GIB - 1);
}

static void index_range_of_the_upper_half_is_sign_extended(void **state)
{
	(void)state;
	expect_range(x86(), 256, 512, 0, 0xffff800000000000, UINT64_MAX);
	expect_range(x86(), 256, 257, 0, 0xffff800000000000, 0xffff807fffffffff);
	expect_range(x86(), 511, 512, 0, 0xffffff8000000000, UINT64_MAX);
}

static void index_range_without_sign_extension_is_one_piece(void **state)
{
	(void)state;
	expect_range(toy(), 0, 4, 0, 0, 0x3ffff);
	expect_range(toy(), 1, 3, 0, 0x10000, 0x2ffff);
}

static void index_range_begins_with_the_leading_bits(void **state)
{
	(void)state;
	expect_range(toy(), 0, 4, 0x40000, 0x40000, 0x7ffff);
	expect_range(toy(), 1, 3, UINT64_C(5) << 60, UINT64_C(5) << 60 | 0x10000,
		     UINT64_C(5) << 60 | 0x2ffff);
	expect_range(toy(), 3, 4, ~UINT64_C(0x3ffff), ~UINT64_C(0xffff), UINT64_MAX);
}

static void index_range_refuses_leading_bits_where_they_cannot_be(void **state)
{
	/* what the format translates; the last also holds a bit that would be right */
	static const pt_va_t bad[] = {1, 0xfff, 0x1000, 0x10000, 0x20000, 0x60000};
	pt_va_t first = 1, last = 2;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pt_index_range(toy(), 0, 1, bad[i], &first, &last), -EINVAL);
	/* sign extension decides, also where it says the same */
	assert_int_equal(pt_index_range(x86(), 0, 1, UINT64_C(1) << 48, &first, &last), -EINVAL);
	assert_int_equal(pt_index_range(x86(), 256, 512, UINT64_C(0xffff) << 48, &first, &last),
			 -EINVAL);
	assert_int_equal(first, 1);
	assert_int_equal(last, 2);
}

static void index_range_refuses_nonsense_and_writes_nothing(void **state)
{
	static const struct {
		unsigned first, end;
	} bad[] = {{0, 0}, {5, 5}, {6, 5}, {0, 513}, {512, 513}, {600, 700}, {0, 512}, {255, 257}};
	pt_va_t first = 1, last = 2;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pt_index_range(x86(), bad[i].first, bad[i].end, 0, &first, &last),
				 -EINVAL);
	assert_int_equal(pt_index_range(toy(), 0, 5, 0, &first, &last), -EINVAL);
	assert_int_equal(pt_index_range(x86(), UINT32_MAX, 1, 0, &first, &last), -EINVAL);
	assert_int_equal(first, 1);
	assert_int_equal(last, 2);
}

/* ---- largest pages ---- */

struct piece {
	pt_pa_t pa;
	unsigned level;
};

static unsigned cut_up(const struct pt_format_info *f, pt_va_t va, pt_pa_t pa, uint64_t len,
		       unsigned max_level, struct piece *pieces, unsigned capacity)
{
	unsigned n;

	for (n = 0; len && n < capacity; n++) {
		uint64_t size;
		int level = pt_largest_page(f, va, pa, len, max_level, &size);

		assert_true(level >= 1);
		assert_int_equal(size, pt_page_size(f, (unsigned)level));
		assert_true(size <= len);
		pieces[n] = (struct piece){pa, (unsigned)level};
		va += size;
		pa += size;
		len -= size;
	}
	assert_int_equal(len, 0);
	return n;
}

static void largest_pages_of_the_documented_example(void **state)
{
	/* The example in the documentation of the origin's largest_pages(). */
	static const struct piece want[] = {
		{0x3fdff000, 1}, {0x3fe00000, 2}, {0x40000000, 3}, {0x80000000, 1}, {0x80001000, 1},
	};
	struct piece got[8];
	unsigned i, n;

	(void)state;
	n = cut_up(x86(), 0x3fdff000, 0x3fdff000, 0x80002000 - 0x3fdff000, 4, got, 8);
	assert_int_equal(n, 5);
	for (i = 0; i < n; i++) {
		assert_int_equal(got[i].pa, want[i].pa);
		assert_int_equal(got[i].level, want[i].level);
	}
}

static void largest_page_needs_both_addresses_aligned(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(pt_largest_page(x86(), 2 * MIB, 2 * MIB, 4 * MIB, 4, &size), 2);
	assert_int_equal(pt_largest_page(x86(), 2 * MIB, MIB, 4 * MIB, 4, &size), 1);
	assert_int_equal(pt_largest_page(x86(), MIB, 2 * MIB, 4 * MIB, 4, &size), 1);
	assert_int_equal(pt_largest_page(x86(), GIB, 2 * MIB, GIB, 4, &size), 2);
}

static void largest_page_fits_into_the_length(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(pt_largest_page(x86(), 0, 0, 2 * MIB - 4 * KIB, 4, &size), 1);
	assert_int_equal(pt_largest_page(x86(), 0, 0, 2 * MIB, 4, &size), 2);
	assert_int_equal(pt_largest_page(x86(), 0, 0, GIB - 4 * KIB, 4, &size), 2);
	assert_int_equal(pt_largest_page(x86(), 0, 0, GIB, 4, &size), 3);
	/* 512 GiB leaves do not exist. */
	assert_int_equal(pt_largest_page(x86(), 0, 0, 1024 * GIB, 4, &size), 3);
	assert_int_equal(pt_largest_page(toy(), 0, 0, 256 * KIB, 3, &size), 2);
}

static void largest_page_respects_the_level_asked_for(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(pt_largest_page(x86(), 0, 0, GIB, 2, &size), 2);
	assert_int_equal(pt_largest_page(x86(), 0, 0, GIB, 1, &size), 1);
}

static void largest_page_refuses_nonsense_and_writes_nothing(void **state)
{
	const pt_va_t end = UINT64_MAX - (4 * KIB - 1); /* the last page */
	uint64_t size = 7;

	(void)state;
	assert_int_equal(pt_largest_page(x86(), 1, 0, 4 * KIB, 4, &size), -EINVAL);
	assert_int_equal(pt_largest_page(x86(), 0, 2048, 4 * KIB, 4, &size), -EINVAL);
	assert_int_equal(pt_largest_page(x86(), 0, 0, 4 * KIB + 1, 4, &size), -EINVAL);
	assert_int_equal(pt_largest_page(x86(), 0, 0, 0, 4, &size), -EINVAL);
	assert_int_equal(pt_largest_page(x86(), 0, 0, 4 * KIB, 0, &size), -EINVAL);
	assert_int_equal(pt_largest_page(x86(), 0, 0, 4 * KIB, 5, &size), -EINVAL);
	assert_int_equal(pt_largest_page(x86(), end, 0, 8 * KIB, 4, &size), -EINVAL);
	assert_int_equal(pt_largest_page(x86(), 0, end, 8 * KIB, 4, &size), -EINVAL);
	assert_int_equal(size, 7);
}

static void largest_page_reaches_the_top_of_the_address_space(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(pt_largest_page(x86(), UINT64_MAX - (4 * KIB - 1), 0, 4 * KIB, 4, &size),
			 1);
	assert_int_equal(pt_largest_page(x86(), UINT64_MAX - (GIB - 1), 0, GIB, 4, &size), 3);
}

static uint64_t random_below(uint64_t bound)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % bound;
}

/*
 * What the origin's specification of largest_pages() ensures, on random ranges: the pieces cover
 * the range without gap or overlap (cut_up() checks it), each is aligned to its size, and none
 * could be larger where it stands.
 */
static void largest_pages_cover_are_aligned_and_maximal(void **state)
{
	static struct piece pieces[4096];
	unsigned round, i, n;

	(void)state;
	for (round = 0; round < 2000; round++) {
		uint64_t edge = round % 2 ? 2 * MIB : GIB;
		uint64_t va = edge * (2 + random_below(64)) - 4 * KIB * random_below(1024);
		uint64_t shift = (uint64_t[]){0, 4 * KIB, 2 * MIB, GIB}[random_below(4)];
		uint64_t len = 4 * KIB * (1 + random_below(2048)) + (round % 4 ? 0 : GIB);

		len = shift % (2 * MIB) ? len % GIB : len;
		if (!len)
			continue;
		n = cut_up(x86(), va, va + shift, len, 3, pieces, 4096);
		for (i = 0; i < n; i++) {
			uint64_t at = pieces[i].pa - shift;
			uint64_t size = pt_page_size(x86(), pieces[i].level);
			uint64_t larger =
				pieces[i].level < 3 ? pt_page_size(x86(), pieces[i].level + 1) : 0;

			assert_int_equal((at | pieces[i].pa) % size, 0);
			if (larger && !((at | pieces[i].pa) % larger))
				assert_true(larger > len - (at - va));
		}
	}
}

/* Monotone: sizes rise to the largest piece and fall from there. */
static void largest_pages_rise_once_and_fall_once(void **state)
{
	static struct piece pieces[4096];
	unsigned round, i, n;

	(void)state;
	for (round = 0; round < 500; round++) {
		uint64_t va = 4 * KIB * random_below(1024 * 1024);
		uint64_t len = 4 * KIB * (1 + random_below(512 * 1024));
		bool falling = false;

		n = cut_up(x86(), va, va, len, 4, pieces, 4096);
		for (i = 1; i < n; i++) {
			assert_false(falling && pieces[i].level > pieces[i - 1].level);
			falling |= pieces[i].level < pieces[i - 1].level;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_found_by_index_and_by_name),
		cmocka_unit_test(strategies_are_found_by_index_and_by_name),
		cmocka_unit_test(a_pair_exists_only_if_both_names_do),
		cmocka_unit_test(format_info_tells_what_the_manual_says),
		cmocka_unit_test(page_sizes_of_x86_are_4k_2m_1g_512g),
		cmocka_unit_test(slot_index_takes_the_bits_of_its_level_only),
		cmocka_unit_test(index_range_of_the_lower_half_ends_at_the_hole),
		cmocka_unit_test(index_range_of_the_upper_half_is_sign_extended),
		cmocka_unit_test(index_range_without_sign_extension_is_one_piece),
		cmocka_unit_test(index_range_begins_with_the_leading_bits),
		cmocka_unit_test(index_range_refuses_leading_bits_where_they_cannot_be),
		cmocka_unit_test(index_range_refuses_nonsense_and_writes_nothing),
		cmocka_unit_test(largest_pages_of_the_documented_example),
		cmocka_unit_test(largest_page_needs_both_addresses_aligned),
		cmocka_unit_test(largest_page_fits_into_the_length),
		cmocka_unit_test(largest_page_respects_the_level_asked_for),
		cmocka_unit_test(largest_page_refuses_nonsense_and_writes_nothing),
		cmocka_unit_test(largest_page_reaches_the_top_of_the_address_space),
		cmocka_unit_test(largest_pages_cover_are_aligned_and_maximal),
		cmocka_unit_test(largest_pages_rise_once_and_fall_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
