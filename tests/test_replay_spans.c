/* SPDX-License-Identifier: MIT */
/* The interval map against an array with one entry for each number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "spans.h"

#define NUMBERS 64
#define NOTHING UINT64_MAX

struct both {
	struct spans spans;
	uint64_t flat[NUMBERS];
};

static void compare(const struct both *b)
{
	uint64_t covered = 0, end = 0;

	for (struct span *s = spans_next(&b->spans, 0); s; s = spans_next(&b->spans, s->end)) {
		assert_true(s->start >= end && s->start < s->end && s->end <= NUMBERS);
		for (; end < s->start; end++)
			assert_int_equal(b->flat[end], NOTHING);
		for (; end < s->end; end++)
			assert_int_equal(b->flat[end], s->value);
		covered += s->end - s->start;
	}
	for (; end < NUMBERS; end++)
		assert_int_equal(b->flat[end], NOTHING);
	assert_int_equal(covered, b->spans.covered);
}

static void step(struct both *b)
{
	uint64_t start = (uint64_t)rand() % NUMBERS;
	uint64_t end = start + 1 + (uint64_t)rand() % (NUMBERS - start);
	uint64_t value = (uint64_t)rand() % 8;
	unsigned what = (unsigned)rand() % 4;

	if (what == 0)
		spans_cut(&b->spans, start);
	else if (what == 1)
		spans_erase(&b->spans, start, end);
	else
		spans_assign(&b->spans, start, end, value);
	for (uint64_t i = start; i < end && what != 0; i++)
		b->flat[i] = what == 1 ? NOTHING : value;
}

static void start(struct both *b)
{
	*b = (struct both){0};
	for (unsigned i = 0; i < NUMBERS; i++)
		b->flat[i] = NOTHING;
}

static void same_as_an_array(void **state)
{
	struct both b;

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 50; round++) {
		start(&b);
		for (unsigned i = 0; i < 200; i++) {
			step(&b);
			compare(&b);
		}
		spans_clear(&b.spans);
	}
}

static void cut_leaves_no_range_across(void **state)
{
	struct spans s = {0};
	struct span *low;

	(void)state;
	spans_assign(&s, 10, 20, 7);
	spans_cut(&s, 15);
	low = spans_next(&s, 0);
	assert_int_equal(low->start, 10);
	assert_int_equal(low->end, 15);
	low->value = 8;
	assert_int_equal(spans_next(&s, 15)->value, 7);
	assert_int_equal(spans_next(&s, 15)->end, 20);
	assert_null(spans_next(&s, 20));
	spans_clear(&s);
}

static void copies_are_independent(void **state)
{
	struct both a, b;

	(void)state;
	srand(2);
	start(&a);
	for (unsigned i = 0; i < 30; i++)
		step(&a);
	b = a;
	spans_copy(&b.spans, &a.spans);
	for (unsigned i = 0; i < 30; i++) {
		step(&b);
		compare(&a);
		compare(&b);
	}
	spans_clear(&a.spans);
	compare(&b);
	spans_clear(&b.spans);
}

static unsigned depth(const struct span *s)
{
	unsigned left, right;

	if (!s)
		return 0;
	left = depth(s->left);
	right = depth(s->right);
	return 1 + (left > right ? left : right);
}

/* Faults arrive in ascending order; a tree that degenerates would overflow the stack. */
static void ascending_order_stays_shallow(void **state)
{
	struct spans s = {0};

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		spans_assign(&s, i, i + 1, i);
	assert_true(depth(s.root) < 60);
	spans_clear(&s);
	assert_int_equal(s.covered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_an_array),
		cmocka_unit_test(cut_leaves_no_range_across),
		cmocka_unit_test(copies_are_independent),
		cmocka_unit_test(ascending_order_stays_shallow),
	};

	return cmocka_run_group_tests_name("replay_spans", tests, NULL, NULL);
}
