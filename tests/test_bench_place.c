/* SPDX-License-Identifier: MIT */
/* Where threads go: on machines that hwloc makes up, and what control groups leave. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "place.h"
#include "quota.h"

/* Two packages of two cores of two threads: CPUs 0,1 | 2,3 || 4,5 | 6,7. */
#define MACHINE "pack:2 core:2 pu:2"

static struct place *make(const char *machine, const char *policy)
{
	struct place *place = NULL;

	assert_int_equal(setenv("HWLOC_SYNTHETIC", machine, 1), 0);
	assert_int_equal(place_create(policy, &place), 0);
	return place;
}

static void expect_plan(const char *policy, const int *cpus, unsigned threads)
{
	struct place *place = make(MACHINE, policy);
	int plan[16];
	unsigned i;

	assert_true(threads <= 16);
	assert_int_equal(place_plan(place, threads, plan), 0);
	for (i = 0; i < threads; i++)
		assert_int_equal(plan[i], cpus[i]);
	place_destroy(place);
}

#define EXPECT_PLAN(policy, ...)                        \
	expect_plan(policy, (const int[]){__VA_ARGS__}, \
		    sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void test_compact(void **state)
{
	(void)state;
	EXPECT_PLAN("compact", 0);
	EXPECT_PLAN("compact", 0, 1, 2, 3);
	EXPECT_PLAN("compact", 0, 1, 2, 3, 4, 5, 6, 7, 0, 1);
}

static void test_scatter(void **state)
{
	(void)state;
	EXPECT_PLAN("scatter", 0);
	EXPECT_PLAN("scatter", 0, 4);
	EXPECT_PLAN("scatter", 0, 2, 4, 6);
	EXPECT_PLAN("scatter", 0, 1, 2, 3, 4, 5, 6, 7, 0, 1);
}

static void test_list_and_none(void **state)
{
	(void)state;
	EXPECT_PLAN("list:6,0", 6, 0, 6);
	EXPECT_PLAN("list:4..6", 4, 5, 6);
	EXPECT_PLAN("none", -1, -1);
}

static void test_bad_policies(void **state)
{
	static const char *const bad[] = {
		"", "near", "list", "list:", "list:8", "list:0,x", "compact,scatter"};
	struct place *place = NULL;
	size_t i;

	(void)state;
	assert_int_equal(setenv("HWLOC_SYNTHETIC", MACHINE, 1), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(place_create(bad[i], &place), -EINVAL);
	assert_null(place);
}

static void test_made_up_machine_is_not_bound(void **state)
{
	struct place *place = make(MACHINE, "compact");

	(void)state;
	assert_int_equal(place_cpus(place), 8);
	assert_int_equal(place_bind(place, 0), -ENOTSUP);
	assert_int_equal(place_bind(place, -1), 0);
	place_destroy(place);
}

static void test_real_machine(void **state)
{
	struct place *place;
	int plan[1];

	(void)state;
	assert_int_equal(unsetenv("HWLOC_SYNTHETIC"), 0);
	assert_int_equal(place_create("scatter", &place), 0);
	assert_int_equal(place_plan(place, 1, plan), 0);
	assert_int_equal(place_bind(place, plan[0]), 0);
	assert_true(place_is_on(plan[0]));
	assert_false(place_is_on(plan[0] + 1));
	assert_true(place_is_on(-1));
	place_destroy(place);
	/* Bound to one CPU as by taskset: no other is planned on. */
	assert_int_equal(place_create("compact", &place), 0);
	assert_int_equal(place_cpus(place), 1);
	place_destroy(place);
}

/* ------------------------------------------------------------------------------- quotas -- */

static char root[] = "/tmp/pagetree-quota-XXXXXX";

static void write_file(const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(mkdir(full, 0700), 0);
}

static double quota(void)
{
	char membership[256];

	snprintf(membership, sizeof(membership), "%s/membership", root);
	return quota_cpus(membership, root, 8);
}

static void test_quotas(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	assert_true(quota() == 8);
	make_folder("a");
	make_folder("a/b");
	make_folder("cpu");
	make_folder("cpu/c");
	write_file("membership", "0::/a/b\n");
	assert_true(quota() == 8);
	write_file("a/b/cpu.max", "max 100000\n");
	assert_true(quota() == 8);
	/* The group above counts as well. */
	write_file("a/cpu.max", "250000 100000\n");
	assert_true(quota() == 2.5);
	write_file("a/b/cpu.max", "150000 100000\n");
	assert_true(quota() == 1.5);
	/* More than there are CPUs is no limit. */
	write_file("a/b/cpu.max", "9900000 100000\n");
	write_file("a/cpu.max", "9900000 100000\n");
	assert_true(quota() == 8);

	write_file("membership", "3:cpuset:/\n2:cpuacct,cpu:/c\n0::/\n");
	assert_true(quota() == 8);
	write_file("cpu/c/cpu.cfs_quota_us", "-1\n");
	write_file("cpu/c/cpu.cfs_period_us", "100000\n");
	assert_true(quota() == 8);
	write_file("cpu/c/cpu.cfs_quota_us", "50000\n");
	assert_true(quota() == 0.5);
	write_file("membership", "3:cpuset:/c\n0::/\n");
	assert_true(quota() == 8);
}

static int remove_quotas(void **state)
{
	static const char *const paths[] = {
		"cpu/c/cpu.cfs_quota_us",
		"cpu/c/cpu.cfs_period_us",
		"cpu/c",
		"cpu",
		"a/b/cpu.max",
		"a/b",
		"a/cpu.max",
		"a",
		"membership",
		"",
	};
	char full[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(full, sizeof(full), "%s/%s", root, paths[i]);
		remove(full);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_scatter),
		cmocka_unit_test(test_list_and_none),
		cmocka_unit_test(test_bad_policies),
		cmocka_unit_test(test_made_up_machine_is_not_bound),
		cmocka_unit_test_teardown(test_quotas, remove_quotas),
		cmocka_unit_test(test_real_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
