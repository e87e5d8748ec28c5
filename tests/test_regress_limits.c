/* SPDX-License-Identifier: MIT */
/* Bugs that were: configurations and calls that must be refused, not crash, drain or deadlock. */
#include "support.h"

/* A call that cannot have all its nodes takes none: nobody else runs short meanwhile. */
static void a_hopeless_call_takes_nothing_from_the_pool(struct fixture *fx)
{
	struct pt_pool_config small = {
		.size = sizeof(small),
		.node_shift = fx->format->node_shift,
		.chunk_bytes = (size_t)64
			       << (fx->format->node_shift < 6 ? 6 : fx->format->node_shift),
		.max_bytes = 1,
	};
	struct pt_config config = fx->config;
	struct pt_thread *self;
	struct pt_table *t;
	struct pt_pool_stats before, after;
	uint64_t len = fx->last - fx->first + 1;

	expect_ok(pt_pool_create(&small, &config.pool));
	expect_ok(pt_thread_register(config.pool, &self));
	expect_ok(pt_table_create(self, &config, &t));
	expect_ok(pt_map(self, t, fx->first, fx->page, FRAMES, PT_READ, 1));
	expect_ok(pt_unmap(self, t, fx->first, fx->page, NULL, NULL));
	pt_thread_reclaim(self); /* or what is on its way back comes meanwhile */
	pt_pool_get_stats(config.pool, &before);
	if (fx->format->index_bits > 4) {
		expect_error(pt_map(self, t, fx->first, len, 0, PT_READ, 1), ENOMEM);
		pt_pool_get_stats(config.pool, &after);
		assert_int_equal(after.node_bytes, before.node_bytes);
	}
	expect_ok(pt_table_destroy(self, t));
	expect_ok(pt_thread_unregister(self));
	expect_ok(pt_pool_destroy(config.pool));
}

static void hooks_that_are_needed_must_be_given(struct fixture *fx)
{
	struct pt_item_ops hooks = ledger_ops;
	struct pt_config config = fx->config;
	struct pt_table *t;

	config.item_ops = &hooks;
	hooks.clone = NULL;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	hooks = ledger_ops;
	hooks.drop = NULL;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_hopeless_call_takes_nothing_from_the_pool),
		TEST(hooks_that_are_needed_must_be_given),
	};

	return run_on_all_pairs("regress limits", cases, sizeof(cases) / sizeof(cases[0]));
}
