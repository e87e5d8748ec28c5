/* SPDX-License-Identifier: MIT */
/* The floors do what they say, and each measured loop does the same on a floor and on a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernels.h"

#define VA UINT64_C(0x7f0000200000)
#define PTE (UINT64_C(0x12345000) | SUBJECT_FLAGS)

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct floor));
	return *state ? floor_create(*state, 16) : -1;
}

static int teardown(void **state)
{
	floor_destroy(*state);
	free(*state);
	return 0;
}

static void test_page(void **state)
{
	struct floor *f = *state;
	uint64_t pa, flags;

	assert_false(floor_query(f, VA, &pa, &flags));
	assert_false(floor_unmap(f, VA));
	assert_false(floor_protect(f, VA, 0, FLOOR_W));
	assert_true(floor_map(f, VA, PTE));
	assert_false(floor_map(f, VA, PTE + FLOOR_PAGE));
	assert_true(floor_query(f, VA + 0xabc, &pa, &flags));
	assert_int_equal(pa, 0x12345abc);
	assert_int_equal(flags, SUBJECT_FLAGS);
	assert_false(floor_query(f, VA + FLOOR_PAGE, &pa, &flags));
	assert_true(floor_protect(f, VA, 0, FLOOR_W));
	assert_true(floor_query(f, VA, &pa, &flags));
	assert_int_equal(flags, SUBJECT_FLAGS & ~FLOOR_W);
	assert_true(floor_unmap(f, VA));
	assert_false(floor_unmap(f, VA));
	assert_false(floor_query(f, VA, &pa, &flags));
}

static void test_table(void **state)
{
	struct floor *f = *state;
	uint64_t pa, flags;
	unsigned i;

	for (i = 0; i < 3; i++) {
		assert_true(floor_map_table(f, VA, PTE));
		assert_false(floor_map_table(f, VA, PTE));
		assert_true(floor_query(f, VA + 511 * FLOOR_PAGE, &pa, &flags));
		assert_int_equal(pa, 0x12345000 + 511 * FLOOR_PAGE);
		assert_true(floor_unmap(f, VA + 7 * FLOOR_PAGE));
		assert_int_equal(floor_unmap_table(f, VA), 511);
		assert_int_equal(floor_unmap_table(f, VA), 0);
		assert_false(floor_query(f, VA, &pa, &flags));
		/* The table is used again: what was in it must be gone. */
		assert_true(floor_map(f, VA, PTE));
		assert_false(floor_query(f, VA + FLOOR_PAGE, &pa, &flags));
		assert_int_equal(floor_unmap_table(f, VA), 1);
	}
}

static void test_huge_page(void **state)
{
	struct floor *f = *state;
	uint64_t pa, flags;
	floor_slot *slot = floor_build(f, VA, 2);

	assert_non_null(slot);
	atomic_store(slot, UINT64_C(0x40000000) | FLOOR_PS | SUBJECT_FLAGS);
	assert_true(floor_query(f, VA + 0x123456, &pa, &flags));
	assert_int_equal(pa, 0x40123456);
	assert_false(floor_map(f, VA, PTE));
	assert_null(floor_find(f, VA, 1));
}

static void test_out_of_nodes(void **state)
{
	struct floor *f = *state;
	uint64_t va = 0;

	/* One piece of huge page holds 512 nodes, of which four are not leaf tables. */
	while (floor_map(f, va, PTE))
		va += FLOOR_TABLE_SPAN;
	assert_in_range(va / FLOOR_TABLE_SPAN, 500, 511);
	assert_true(floor_unmap(f, 0));
	assert_int_equal(floor_unmap_table(f, FLOOR_TABLE_SPAN), 1);
	assert_true(floor_map(f, va, PTE));
}

/* Every kernel on every strategy: all translations, and the sums of what the kernels found. */
static void test_kernels(void **state)
{
	static struct subject floor, subject;
	const struct pt_strategy_info *strategy;
	const struct kernel *kernel;
	uint64_t ns;
	unsigned i;

	(void)state;
	subject_create(&floor, "floor");
	assert_int_equal(subject_verify(&floor), SUBJECT_PAGES + FLOOR_SLOTS);
	for (kernel = kernels; kernel->name; kernel++)
		if (kernel->prepare)
			kernel->prepare(&floor);
	for (i = 0; (strategy = pt_strategy_at(i)); i++) {
		if (!pt_pair_exists("x86_64", strategy->name))
			continue;
		subject_create(&subject, strategy->name);
		assert_int_equal(subject_verify(&subject), SUBJECT_PAGES + FLOOR_SLOTS);
		for (kernel = kernels; kernel->name; kernel++) {
			uint64_t operations = kernel->step == 1 ? 10000 : kernel->step, sum;

			if (kernel->prepare)
				kernel->prepare(&subject);
			sum = kernel_time(kernel, &subject, operations, &ns);
			if (kernel->floor)
				assert_int_equal(sum, kernel_time(kernel, &floor, operations, &ns));
		}
		subject_destroy(&subject);
	}
	subject_destroy(&floor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_huge_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_nodes, setup, teardown),
		cmocka_unit_test(test_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
