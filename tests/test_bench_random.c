/* SPDX-License-Identifier: MIT */
/* Random numbers and distributions against what they claim, and what statistics make of numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "distribution.h"
#include "random.h"
#include "stats.h"

#define DRAWS 400000u

/*
 * Chi-square of `cells` counts against probabilities: with k cells its mean is k - 1 and its
 * standard deviation sqrt(2 (k - 1)). Seeds are fixed, so that six of them never fail by chance.
 */
static bool fits(const uint32_t *counts, const double *probability, uint32_t cells, uint32_t draws)
{
	double chi = 0, mean = cells - 1.0;
	uint32_t i;

	for (i = 0; i < cells; i++) {
		double expected = probability[i] * draws;

		assert_true(expected > 5);
		chi += (counts[i] - expected) * (counts[i] - expected) / expected;
	}
	return fabs(chi - mean) < 6 * sqrt(2 * mean);
}

static void test_below_is_even(void **state)
{
	enum { CELLS = 100 };
	uint32_t counts[CELLS] = {0}, i;
	double probability[CELLS];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1, 0);
	for (i = 0; i < CELLS; i++)
		probability[i] = 1.0 / CELLS;
	for (i = 0; i < DRAWS; i++) {
		uint32_t value = rng_below(&rng, CELLS);

		assert_true(value < CELLS);
		counts[value]++;
	}
	assert_true(fits(counts, probability, CELLS, DRAWS));
}

/* Pairs of the streams that one thread uses: nothing in one must follow from the other. */
static void test_streams_are_independent(void **state)
{
	enum { SIDE = 10, CELLS = SIDE * SIDE };
	uint32_t counts[CELLS] = {0}, i;
	double probability[CELLS];
	struct rng a, b;

	(void)state;
	rng_seed(&a, 1, 0);
	rng_seed(&b, 1, 1);
	for (i = 0; i < CELLS; i++)
		probability[i] = 1.0 / CELLS;
	for (i = 0; i < DRAWS; i++)
		counts[rng_below(&a, SIDE) * SIDE + rng_below(&b, SIDE)]++;
	assert_true(fits(counts, probability, CELLS, DRAWS));
	rng_seed(&a, 1, 0);
	rng_seed(&b, 1, 0);
	assert_true(rng_next(&a) == rng_next(&b));
	rng_seed(&b, 2, 0);
	assert_true(rng_next(&a) != rng_next(&b));
}

/* The generator's published recurrence, computed another way: from its two words after a step. */
static void test_generator(void **state)
{
	struct rng rng = {{1, 2}};

	(void)state;
	assert_true(rng_next(&rng) == 3);
	/* a = 1, b = 1 ^ 2 = 3: rotl(1, 24) ^ 3 ^ (3 << 16), rotl(3, 37) */
	assert_true(rng.s[0] == (UINT64_C(0x1000000) ^ 3 ^ 0x30000));
	assert_true(rng.s[1] == UINT64_C(3) << 37);
}

static void test_shuffle(void **state)
{
	enum { COUNT = 4, ORDERS = 256 };
	uint32_t counts[ORDERS] = {0}, seen = 0, i, k;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3, 0);
	for (i = 0; i < 24000; i++) {
		uint32_t values[COUNT] = {0, 1, 2, 3}, code = 0, present = 0;

		rng_shuffle(&rng, values, COUNT);
		for (k = 0; k < COUNT; k++) {
			code = code * 4 + values[k];
			present |= 1u << values[k];
		}
		assert_int_equal(present, 0xf);
		counts[code]++;
	}
	/* 24 orders, 1000 times each, give or take six standard deviations. */
	for (i = 0; i < ORDERS; i++) {
		seen += counts[i] != 0;
		assert_true(!counts[i] || (counts[i] > 810 && counts[i] < 1190));
	}
	assert_int_equal(seen, 24);
}

/* The weights are 1 / rank^theta, said without the code under test. */
static void check_zipf(double theta)
{
	enum { ITEMS = 50 };
	uint32_t counts[ITEMS] = {0}, i;
	double probability[ITEMS], sum = 0, cumulative = 0;
	struct zipf zipf;
	struct rng rng;

	for (i = 0; i < ITEMS; i++)
		sum += probability[i] = exp(-theta * log(i + 1.0));
	assert_int_equal(zipf_create(&zipf, ITEMS, theta), 0);
	for (i = 0; i < ITEMS; i++) {
		cumulative += probability[i] /= sum;
		assert_true(fabs(zipf.cdf[i] - cumulative) < 1e-12);
	}
	rng_seed(&rng, 5, 0);
	for (i = 0; i < DRAWS; i++)
		counts[zipf_sample(&zipf, &rng)]++;
	assert_true(fits(counts, probability, ITEMS, DRAWS));
	zipf_destroy(&zipf);
}

static void test_zipf(void **state)
{
	(void)state;
	check_zipf(0);
	check_zipf(0.5);
	check_zipf(0.99);
	check_zipf(1);
	check_zipf(1.5);
}

static void test_scatter_is_a_bijection(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 10, 512, 1000, 4097, 262144};
	size_t s;

	(void)state;
	for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint32_t items = sizes[s], i;
		unsigned char *seen = calloc(items, 1);

		assert_non_null(seen);
		for (i = 0; i < items; i++) {
			uint32_t to = zipf_scatter(i, items);

			assert_true(to < items && !seen[to]);
			seen[to] = 1;
		}
		free(seen);
	}
	/* And spreads: the two most popular pages are not in the same leaf table. */
	assert_true(zipf_scatter(1, 262144) - zipf_scatter(0, 262144) > 512);
}

static void check_keys(const struct distribution_spec *spec, uint32_t items)
{
	uint32_t *counts = calloc(items, sizeof(*counts)), i;
	struct key_stream stream;
	struct keys keys;

	assert_non_null(counts);
	assert_int_equal(key_stream_create(&stream, spec, items, 1), 0);
	keys_start(&keys, &stream, 1, 9);
	for (i = 0; i < DRAWS; i++) {
		uint32_t key = keys_next(&keys);

		assert_true(key < items);
		counts[key]++;
	}
	if (spec->kind == DIST_SEQUENTIAL)
		for (i = 0; i < items; i++)
			assert_true(counts[i] - DRAWS / items <= 1);
	if (spec->kind == DIST_ZIPF)
		assert_true(counts[zipf_scatter(0, items)] >
			    counts[zipf_scatter(items - 1, items)]);
	key_stream_destroy(&stream);
	free(counts);
}

static void test_keys(void **state)
{
	(void)state;
	check_keys(&(struct distribution_spec){DIST_UNIFORM, 0}, 1000);
	check_keys(&(struct distribution_spec){DIST_SEQUENTIAL, 0}, 1000);
	check_keys(&(struct distribution_spec){DIST_SEQUENTIAL, 0}, 1);
	check_keys(&(struct distribution_spec){DIST_ZIPF, 1}, 1000);
}

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-9)

static void test_summary(void **state)
{
	double odd[] = {5, 1, 4, 2, 3}, even[] = {4, 1, 3, 2}, one[] = {7};
	struct summary s;

	(void)state;
	s = stats_summarize(odd, 5);
	NEAR(s.min, 1);
	NEAR(s.quartile1, 2);
	NEAR(s.median, 3);
	NEAR(s.quartile3, 4);
	NEAR(s.max, 5);
	NEAR(stats_spread_percent(&s), 100.0 / 3);
	s = stats_summarize(even, 4);
	NEAR(s.quartile1, 1.75);
	NEAR(s.median, 2.5);
	NEAR(s.quartile3, 3.25);
	s = stats_summarize(one, 1);
	NEAR(s.quartile1, 7);
	NEAR(s.max, 7);
	NEAR(stats_spread_percent(&s), 0);
	s = stats_summarize(NULL, 0);
	NEAR(s.median, 0);
	NEAR(stats_spread_percent(&s), 0);
}

static void test_fairness(void **state)
{
	const double equal[] = {2, 2, 2, 2}, uneven[] = {4, 1}, starved[] = {3, 0, 0};

	(void)state;
	NEAR(stats_fairness(equal, 4), 1);
	NEAR(stats_fairness(uneven, 2), 0.25);
	NEAR(stats_fairness(starved, 3), 0);
	NEAR(stats_fairness(starved + 1, 2), 1);
	NEAR(stats_jain(equal, 4), 1);
	NEAR(stats_jain(uneven, 2), 25.0 / 34);
	NEAR(stats_jain(starved, 3), 1.0 / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_below_is_even),
		cmocka_unit_test(test_streams_are_independent),
		cmocka_unit_test(test_generator),
		cmocka_unit_test(test_shuffle),
		cmocka_unit_test(test_zipf),
		cmocka_unit_test(test_scatter_is_a_bijection),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_fairness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
