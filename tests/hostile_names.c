/* SPDX-License-Identifier: MIT */
/* Names that nobody has, and arithmetic on what is not as said. */
#include "hostile.h"

static void names_are_refused(struct scene *s)
{
	const char *strategy = s->fx->strategy->name, *format = s->fx->format->name;

	assert_null(pt_format_at(UINT32_MAX));
	assert_null(pt_strategy_at(UINT32_MAX));
	assert_null(pt_node_lock_at(UINT32_MAX));
	assert_null(pt_format_find(""));
	assert_null(pt_format_find(strategy));
	assert_null(pt_strategy_find(""));
	assert_null(pt_strategy_find(format));
	assert_false(pt_pair_exists(strategy, format));
	assert_false(pt_pair_exists(format, ""));
	assert_false(pt_pair_exists("", strategy));
}

/* The first index behind the last is refused. */
static void indices_are_refused(struct scene *s)
{
	unsigned formats = 0, strategies = 0, locks = 0;

	(void)s;
	while (pt_format_at(formats))
		assert_true(formats++ < 100);
	while (pt_strategy_at(strategies))
		assert_true(strategies++ < 100);
	while (pt_node_lock_at(locks))
		assert_true(locks++ < 100);
	assert_true(formats && strategies && locks);
	for (unsigned i = 1; i < 1000; i++) {
		assert_null(pt_format_at(formats + i));
		assert_null(pt_strategy_at(strategies + i));
		assert_null(pt_node_lock_at(locks + i));
	}
}

static void index_ranges_are_refused(struct scene *s)
{
	const struct pt_format_info *f = s->fx->format;
	const unsigned slots = 1u << f->index_bits;
	const pt_va_t translated = (UINT64_C(1) << f->va_bits) - 1;
	uint64_t first = 77, last = 77;

	refuse(pt_index_range(f, 0, 0, 0, &first, &last), EINVAL);
	refuse(pt_index_range(f, 2, 1, 0, &first, &last), EINVAL);
	refuse(pt_index_range(f, slots, slots, 0, &first, &last), EINVAL);
	refuse(pt_index_range(f, 0, slots + 1, 0, &first, &last), EINVAL);
	refuse(pt_index_range(f, UINT32_MAX - 1, UINT32_MAX, 0, &first, &last), EINVAL);
	refuse(pt_index_range(f, 0, 1, 1, &first, &last), EINVAL);
	refuse(pt_index_range(f, 0, 1, translated, &first, &last), EINVAL);
	refuse(pt_index_range(f, 0, 1, (translated + 1) / 2, &first, &last), EINVAL);
	if (f->sign_extended) {
		refuse(pt_index_range(f, 0, slots, 0, &first, &last), EINVAL);
		refuse(pt_index_range(f, slots / 2 - 1, slots / 2 + 1, 0, &first, &last), EINVAL);
		refuse(pt_index_range(f, 0, 1, UINT64_C(1) << 63, &first, &last), EINVAL);
		refuse(pt_index_range(f, slots / 2, slots, ~translated, &first, &last), EINVAL);
	}
	assert_true(first == 77 && last == 77);
	expect_ok(pt_index_range(f, slots - 1, slots, 0, &first, &last));
	assert_int_equal(last & translated, translated);
}

static void largest_pages_are_refused(struct scene *s)
{
	const struct pt_format_info *f = s->fx->format;
	const uint64_t page = s->fx->page;
	uint64_t size = 77;

	refuse(pt_largest_page(f, 0, 0, 0, 1, &size), EINVAL);
	refuse(pt_largest_page(f, 1, 0, page, 1, &size), EINVAL);
	refuse(pt_largest_page(f, 0, 1, page, 1, &size), EINVAL);
	refuse(pt_largest_page(f, 0, 0, page + 1, 1, &size), EINVAL);
	refuse(pt_largest_page(f, 0, 0, END, 1, &size), EINVAL);
	refuse(pt_largest_page(f, -page, 0, 2 * page, 1, &size), EINVAL);
	refuse(pt_largest_page(f, 0, -page, 2 * page, 1, &size), EINVAL);
	refuse(pt_largest_page(f, 0, 0, page, 0, &size), EINVAL);
	refuse(pt_largest_page(f, 0, 0, page, f->levels + 1, &size), EINVAL);
	refuse(pt_largest_page(f, 0, 0, page, UINT32_MAX, &size), EINVAL);
	assert_int_equal(size, 77);
	assert_int_equal(pt_largest_page(f, -page, -page, page, f->levels, &size), 1);
	assert_int_equal(size, page);
}

const struct hostile_case hostile_names[] = {
	{names_are_refused, "pt_format_at pt_strategy_at pt_node_lock_at pt_format_find "
			    "pt_strategy_find pt_pair_exists "},
	{indices_are_refused, "pt_format_at pt_strategy_at pt_node_lock_at "},
	{index_ranges_are_refused, "pt_index_range "},
	{largest_pages_are_refused, "pt_largest_page "},
	{NULL, NULL},
};
