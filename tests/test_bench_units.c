/* SPDX-License-Identifier: MIT */
/* How the benchmark reads and writes durations, sizes, lists and mixes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "distribution.h"
#include "settings.h"
#include "units.h"

#define UNTOUCHED UINT64_C(0xdeadbeef)

static void expect_duration(const char *text, uint64_t ns)
{
	uint64_t value = UNTOUCHED;

	assert_int_equal(parse_duration("test", text, 0, UINT64_MAX, &value), 0);
	assert_int_equal(value, ns);
}

static void expect_size(const char *text, uint64_t bytes)
{
	uint64_t value = UNTOUCHED;

	assert_int_equal(parse_size("test", text, 0, UINT64_MAX, &value), 0);
	assert_int_equal(value, bytes);
}

static void test_durations(void **state)
{
	static const char *const bad[] = {
		"",       "10",  "10 s", "s",   "-1s", "1e3s",  "0x10s",
		"1.5.5s", "inf", "nans", "5sx", "5S ", "0.5ns", "99999999999999h",
	};
	uint64_t value = UNTOUCHED;
	size_t i;

	(void)state;
	expect_duration("500ms", 500000000);
	expect_duration("10s", UINT64_C(10000000000));
	expect_duration("2m", UINT64_C(120000000000));
	expect_duration("1h", UINT64_C(3600000000000));
	expect_duration("1.5s", 1500000000);
	expect_duration("1.1s", 1100000000);
	expect_duration("0.7us", 700);
	expect_duration("0ms", 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_duration("test", bad[i], 0, UINT64_MAX, &value), -EINVAL);
	assert_int_equal(parse_duration("test", "1ms", 2000000, 5000000, &value), -EINVAL);
	assert_int_equal(parse_duration("test", "6ms", 2000000, 5000000, &value), -EINVAL);
	assert_int_equal(value, UNTOUCHED);
	assert_int_equal(parse_duration("test", "2ms", 2000000, 5000000, &value), 0);
	assert_int_equal(parse_duration("test", "5ms", 2000000, 5000000, &value), 0);
}

static void test_sizes(void **state)
{
	static const char *const bad[] = {"", "MiB", "2MB", "2 MiB", "-2MiB", "2MiBs", "0.3"};
	uint64_t value = UNTOUCHED;
	size_t i;

	(void)state;
	expect_size("4096", 4096);
	expect_size("4KiB", 4096);
	expect_size("4k", 4096);
	expect_size("2MiB", UINT64_C(1) << 21);
	expect_size("2m", UINT64_C(1) << 21);
	expect_size("1GiB", UINT64_C(1) << 30);
	expect_size("64GiB", UINT64_C(1) << 36);
	expect_size("1TiB", UINT64_C(1) << 40);
	expect_size("1.5GiB", UINT64_C(3) << 29);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_size("test", bad[i], 0, UINT64_MAX, &value), -EINVAL);
	assert_int_equal(parse_size("test", "1GiB", 0, UINT64_C(1) << 29, &value), -EINVAL);
	assert_int_equal(value, UNTOUCHED);
}

static void test_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1x", "0x1", "1.0", "99999999999999999999999"};
	uint64_t value = UNTOUCHED;
	double fraction = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_number("test", bad[i], 0, UINT64_MAX, &value), -EINVAL);
	assert_int_equal(parse_number("test", "4", 5, 6, &value), -EINVAL);
	assert_int_equal(parse_number("test", "7", 5, 6, &value), -EINVAL);
	assert_int_equal(value, UNTOUCHED);
	assert_int_equal(parse_number("test", "18446744073709551615", 0, UINT64_MAX, &value), 0);
	assert_int_equal(value, UINT64_MAX);
	assert_int_equal(parse_fraction("test", "0.99", 0, 1, &fraction), 0);
	assert_true(fraction == 0.99);
	assert_int_equal(parse_fraction("test", "1.01", 0, 1, &fraction), -EINVAL);
	assert_int_equal(parse_fraction("test", "nan", 0, 1, &fraction), -EINVAL);
	assert_int_equal(parse_fraction("test", "0.9x", 0, 1, &fraction), -EINVAL);
}

static void expect_list(const char *text, const unsigned *numbers, size_t count)
{
	unsigned *list;
	size_t length, i;

	assert_int_equal(parse_list("test", text, 0, 100, &list, &length), 0);
	assert_int_equal(length, count);
	for (i = 0; i < count; i++)
		assert_int_equal(list[i], numbers[i]);
	free(list);
}

#define EXPECT_LIST(text, ...)                             \
	expect_list(text, (const unsigned[]){__VA_ARGS__}, \
		    sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void test_lists(void **state)
{
	static const char *const bad[] = {
		"",     ",",       "1,",   ",1",     "1,,2",    "1..",   "..2",
		"5..2", "1..2..3", "1.2",  "0..8*2", "1..8*1",  "1..8*", "1..101",
		"101",  "a",       "1 ,2", "-1",     "1..8*2x",
	};
	unsigned *list = NULL;
	size_t length = 0, i;

	(void)state;
	EXPECT_LIST("1", 1);
	EXPECT_LIST("1,2,4..8", 1, 2, 4, 5, 6, 7, 8);
	EXPECT_LIST("3,1,3,2..3", 3, 1, 2);
	EXPECT_LIST("1..64*2", 1, 2, 4, 8, 16, 32, 64);
	EXPECT_LIST("3..20*3", 3, 9);
	EXPECT_LIST("100..100", 100);
	EXPECT_LIST("99..100", 99, 100);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_list("test", bad[i], 0, 100, &list, &length), -EINVAL);
	assert_int_equal(
		parse_list("test", "0..18446744073709551615", 0, UINT32_MAX, &list, &length),
		-EINVAL);
	assert_null(list);
}

static void test_written_as_read(void **state)
{
	static const uint64_t values[] = {1,
					  999,
					  1000,
					  4096,
					  1500000,
					  UINT64_C(1) << 21,
					  UINT64_C(3) << 29,
					  UINT64_C(60000000000),
					  UINT64_C(3) << 40};
	char text[UNITS_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		expect_size(format_size(text, values[i]), values[i]);
		expect_duration(format_duration(text, values[i]), values[i]);
	}
	assert_string_equal(format_size(text, UINT64_C(1) << 21), "2MiB");
	assert_string_equal(format_duration(text, 100000000), "100ms");
	assert_string_equal(format_duration(text, 0), "0ns");
}

static void test_mix(void **state)
{
	static const char *const bad[] = {
		"",
		"map",
		"map:",
		"map:50",
		"map:50,unmap:51",
		"map:50,map:50",
		"walk:100",
		"map:x,query:100",
		"map:101",
		"map:-1,query:101",
		"map:100,",
	};
	unsigned mix[OP_NR] = {7, 7, 7, 7};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(settings_parse_mix("test", bad[i], mix), -EINVAL);
	assert_int_equal(mix[OP_MAP], 7);
	assert_int_equal(settings_parse_mix("test", "query:55,map:20,unmap:20,protect:5", mix), 0);
	assert_int_equal(mix[OP_MAP], 20);
	assert_int_equal(mix[OP_UNMAP], 20);
	assert_int_equal(mix[OP_QUERY], 55);
	assert_int_equal(mix[OP_PROTECT], 5);
	assert_int_equal(settings_parse_mix("test", "query:100", mix), 0);
	assert_int_equal(mix[OP_MAP], 0);
}

static void test_distributions(void **state)
{
	struct distribution_spec spec = {.theta = 7};

	(void)state;
	assert_int_equal(distribution_parse("test", "zipf:0.99", &spec), 0);
	assert_int_equal(spec.kind, DIST_ZIPF);
	assert_true(spec.theta == 0.99);
	assert_int_equal(distribution_parse("test", "zipf", &spec), -EINVAL);
	assert_int_equal(distribution_parse("test", "zipf:", &spec), -EINVAL);
	assert_int_equal(distribution_parse("test", "zipf:11", &spec), -EINVAL);
	assert_int_equal(distribution_parse("test", "normal", &spec), -EINVAL);
	assert_int_equal(distribution_parse("test", "seq", &spec), 0);
	assert_int_equal(spec.kind, DIST_SEQUENTIAL);
}

/* The three ways in which settings are written, and that the command line reads its own. */
static void test_settings_text(void **state)
{
	const struct settings settings = {
		.working_set = 1 << 21,
		.range = 1 << 30,
		.mix = {10, 20, 30, 40},
		.shared = true,
		.dist = {DIST_ZIPF, 0.5},
		.dependent = true,
	};
	unsigned all = (1 << SETTING_NR) - 1;
	char text[256];

	(void)state;
	settings_print(text, sizeof(text), &settings, all, SETTINGS_NAME);
	assert_string_equal(text, "/set:2MiB/range:1GiB/mix:m10u20q30p40/contention:high"
				  "/dist:zipf-0.5/loads:dependent");
	settings_print(text, sizeof(text), &settings, all, SETTINGS_COMMAND);
	assert_string_equal(text, " --working-set 2MiB --range 1GiB"
				  " --mix map:10,unmap:20,query:30,protect:40"
				  " --contention high --dist zipf:0.5 --dependent");
	settings_print(text, sizeof(text), &settings, SETTING_RANGE, SETTINGS_TITLE);
	assert_string_equal(text, ", range 1GiB");
	settings_print(text, 8, &settings, all, SETTINGS_NAME);
	assert_int_equal(strlen(text), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),       cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_numbers),         cmocka_unit_test(test_lists),
		cmocka_unit_test(test_written_as_read), cmocka_unit_test(test_mix),
		cmocka_unit_test(test_distributions),   cmocka_unit_test(test_settings_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
