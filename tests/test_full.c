/* SPDX-License-Identifier: MIT */
/* Counts at their bounds. To count that far takes too long, so the counts are written here. */
#include "support.h"
#include "thread.h"

static void set_references(struct pt_table *t, uint32_t refs)
{
	atomic_store(&t->refs, refs);
}

static uint32_t references(struct pt_table *t)
{
	return atomic_load(&t->refs);
}

static void a_table_has_2_to_32_less_1_references(struct fixture *fx)
{
	struct pt_cpu cpu = {{0}}, second = {{0}};

	set_references(fx->table, UINT32_MAX - 1);
	expect_ok(pt_table_activate(fx->self, &cpu, fx->table));
	expect_error(pt_table_get(fx->table), EBUSY);
	expect_error(pt_table_activate(fx->self, &second, fx->table), EBUSY);
	assert_null(pt_cpu_table(&second));
	assert_int_equal(references(fx->table), UINT32_MAX);
	expect_ok(pt_table_activate(fx->self, &cpu, fx->table)); /* is there already */
	expect_error(pt_table_destroy(fx->self, fx->table), EBUSY);
	expect_ok(pt_table_put(fx->self, fx->table));
	expect_ok(pt_table_get(fx->table));
	expect_ok(pt_table_activate(fx->self, &cpu, NULL));
	assert_int_equal(references(fx->table), UINT32_MAX - 1);
	set_references(fx->table, 1);
}

static void a_full_kernel_table_has_no_more_users(struct fixture *fx)
{
	struct pt_pool_stats before, after;
	struct pt_table *user = NULL;
	struct pt_config config;

	fx->config.role = PT_ROLE_KERNEL;
	fx->config.stats = true;
	fixture_new_table(fx);
	config = fx->config;
	config.role = PT_ROLE_USER;
	config.kernel = fx->table;
	pt_pool_get_stats(fx->pool, &before);
	set_references(fx->table, UINT32_MAX);
	expect_error(pt_table_create(fx->self, &config, &user), EBUSY);
	assert_null(user);
	assert_int_equal(references(fx->table), UINT32_MAX);
	set_references(fx->table, UINT32_MAX - 1);
	expect_ok(pt_table_create(fx->self, &config, &user));
	assert_int_equal(references(fx->table), UINT32_MAX);
	expect_ok(pt_table_destroy(fx->self, user));
	assert_int_equal(references(fx->table), UINT32_MAX - 1);
	set_references(fx->table, 1);
	pt_pool_get_stats(fx->pool, &after);
	assert_int_equal(before.tables, after.tables);
}

static void a_pool_has_65535_threads(struct fixture *fx)
{
	const uint32_t here = atomic_load(&fx->pool->threads);
	struct pt_thread *last, *none = NULL;

	atomic_store(&fx->pool->threads, 65534);
	expect_ok(pt_thread_register(fx->pool, &last));
	expect_error(pt_thread_register(fx->pool, &none), ENOMEM);
	assert_null(none);
	assert_int_equal(atomic_load(&fx->pool->threads), 65535);
	expect_ok(pt_thread_unregister(last));
	assert_int_equal(atomic_load(&fx->pool->threads), 65534);
	atomic_store(&fx->pool->threads, here);
}

/* As it is when 16384 other threads are registered: what this one does is counted as uncounted. */
static void without_a_slot_number_nothing_is_counted(struct fixture *fx)
{
	uint64_t used[POOL_SLOTS / 64];
	struct pt_stats before, after, own = {.locks = 77};
	struct pt_thread *self;

	fx->config.stats = true;
	fixture_new_table(fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_ok(pt_table_get_stats(fx->table, &before));
	for (unsigned i = 0; i < POOL_SLOTS / 64; i++)
		used[i] = atomic_exchange(&fx->pool->slots_used[i], UINT64_MAX);
	expect_ok(pt_thread_register(fx->pool, &self));
	expect_ok(pt_map(self, fx->table, fx->base + fx->page, fx->page, FRAMES, RW, 1));
	expect_ok(pt_table_get_stats(fx->table, &after));
	assert_true(after.uncounted > before.uncounted);
	after.uncounted = before.uncounted;
	assert_memory_equal(&before, &after, sizeof(before));
	expect_ok(pt_thread_get_stats(self, fx->table, &own));
	assert_int_equal(own.locks + own.nodes_taken + own.uncounted, 0);
	expect_ok(pt_thread_unregister(self));
	for (unsigned i = 0; i < POOL_SLOTS / 64; i++) {
		/* it had none to give back */
		assert_true(atomic_load(&fx->pool->slots_used[i]) == UINT64_MAX);
		atomic_store(&fx->pool->slots_used[i], used[i]);
	}
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_table_has_2_to_32_less_1_references),
		TEST(a_full_kernel_table_has_no_more_users),
		TEST(a_pool_has_65535_threads),
		TEST(without_a_slot_number_nothing_is_counted),
	};

	return run_on_all_pairs("full", cases, sizeof(cases) / sizeof(cases[0]));
}
