/* SPDX-License-Identifier: MIT */
/* Tables: how they are configured, who may end them, references, statistics. */
#include <string.h>

#include "hostile.h"
#include "table.h"

static void refuse_table(struct scene *s, const struct pt_config *config)
{
	struct pt_table *t = NULL;

	refuse(pt_table_create(s->fx->self, config, &t), EINVAL);
	assert_null(t);
}

#define TABLE_WITH(field, value)          \
	do {                              \
		config = s->fx->config;   \
		config.field = (value);   \
		refuse_table(s, &config); \
	} while (0)

static void create_refuses(struct scene *s)
{
	const unsigned slots = 1u << s->fx->format->index_bits;
	struct pt_config config;
	struct pt_table *t;

	refuse_table(s, NULL);
	TABLE_WITH(size, 0);
	TABLE_WITH(size, sizeof(config) - 1);
	TABLE_WITH(size, sizeof(config) + 1);
	TABLE_WITH(format, NULL);
	TABLE_WITH(format, "");
	TABLE_WITH(format, "x86_6");
	TABLE_WITH(strategy, "");
	TABLE_WITH(strategy, "none such");
	TABLE_WITH(node_lock, "");
	TABLE_WITH(node_lock, "ttas ");
	TABLE_WITH(pool, NULL);
	TABLE_WITH(pool, s->other.pool);
	TABLE_WITH(top_first, 1); /* and it ends at 0 */
	TABLE_WITH(top_first, UINT32_MAX);
	TABLE_WITH(top_end, slots + 1);
	TABLE_WITH(top_end, UINT32_MAX);
	TABLE_WITH(leading, 1);
	TABLE_WITH(leading, (pt_va_t)s->fx->page);
	TABLE_WITH(role, (enum pt_role) - 1);
	TABLE_WITH(role, (enum pt_role)(PT_ROLE_DEVICE + 1));
	TABLE_WITH(kernel, s->fx->table); /* is none */
	TABLE_WITH(kernel, s->other.table);
	TABLE_WITH(bound, 1);
	TABLE_WITH(bound, s->fx->last - 1);
	TABLE_WITH(bound, s->fx->last + s->fx->page);
	TABLE_WITH(bound, END);
	refuse(pt_table_create(s->other.self, &s->fx->config, &t), EINVAL);
}

/* Both halves of a sign-extended address space in one table. */
static void halves_are_refused(struct scene *s)
{
	const unsigned slots = 1u << s->fx->format->index_bits;
	struct pt_config config = s->fx->config;

	if (!s->fx->format->sign_extended)
		return;
	config.top_end = slots;
	refuse_table(s, &config);
	config.top_first = slots / 2 - 1;
	config.top_end = slots / 2 + 1;
	refuse_table(s, &config);
	TABLE_WITH(leading, END << s->fx->format->va_bits);
}

static void hooks_are_refused(struct scene *s)
{
	struct pt_item_ops hooks = ledger_ops;
	struct pt_config config;

	hooks.clone = NULL;
	TABLE_WITH(item_ops, &hooks);
	hooks = ledger_ops;
	hooks.drop = NULL;
	TABLE_WITH(item_ops, &hooks);
}

/* Pools whose nodes the format cannot have, or not name. */
static void pools_are_refused(struct scene *s)
{
	const struct pt_format_info *f = s->fx->format;
	struct pt_pool_config pool = {
		.size = sizeof(pool), .node_shift = f->node_shift + 1, .max_bytes = 4 << 20};
	struct pt_config config = s->fx->config;
	struct pt_thread *self;
	struct pt_table *t = NULL;

	for (unsigned i = 0; i < 2; i++) {
		expect_ok(pt_pool_create(&pool, &config.pool));
		expect_ok(pt_thread_register(config.pool, &self));
		refuse(pt_table_create(self, &config, &t), EINVAL);
		assert_null(t);
		expect_ok(pt_thread_unregister(self));
		expect_ok(pt_pool_destroy(config.pool));
		pool.node_shift = f->node_shift;
		pool.phys_base = (UINT64_C(1) << f->pa_bits) - (2 << 20); /* half of it is beyond */
	}
}

static void refuse_user(struct scene *s, struct pt_table *kernel)
{
	struct pt_config config = s->fx->config;
	const char *other = strcmp(config.strategy, "bare") ? "bare" : "rcu";

	config.kernel = kernel;
	config.role = PT_ROLE_DEVICE;
	refuse_table(s, &config);
	config.role = PT_ROLE_KERNEL;
	refuse_table(s, &config);
	config.role = PT_ROLE_USER;
	config.strategy = other;
	refuse_table(s, &config);
	config.strategy = s->fx->config.strategy;
	config.top_first = (1u << s->fx->format->index_bits) - 1; /* the kernel's */
	config.top_end = config.top_first + 1;
	refuse_table(s, &config);
	config = s->fx->config;
	config.kernel = kernel;
	config.leading = s->fx->format->sign_extended ? 0 : END << s->fx->format->va_bits;
	if (config.leading)
		refuse_table(s, &config);
}

/* References of a kernel table, of which a user takes one. To count that far takes too long. */
static void kernels_are_refused(struct scene *s)
{
	struct pt_config config = s->fx->config;
	struct pt_table *kernel, *user = NULL;

	config.role = PT_ROLE_KERNEL;
	expect_ok(pt_table_create(s->fx->self, &config, &kernel));
	refuse_user(s, kernel);
	config = s->fx->config;
	config.kernel = kernel;
	atomic_store(&kernel->refs, UINT32_MAX);
	refuse(pt_table_create(s->fx->self, &config, &user), EBUSY);
	assert_null(user);
	assert_true(atomic_load(&kernel->refs) == UINT32_MAX);
	atomic_store(&kernel->refs, 1);
	expect_ok(pt_table_destroy(s->fx->self, kernel));
	s->fx->flushes.n = 0;
}

static void owners_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_cpu cpu = {{0}};

	refuse(pt_table_destroy(s->other.self, fx->table), EINVAL);
	refuse(pt_table_put(s->other.self, fx->table), EINVAL);
	refuse(pt_table_activate(s->other.self, &cpu, fx->table), EINVAL);
	assert_null(pt_cpu_table(&cpu));
	expect_ok(pt_table_get(fx->table));
	refuse(pt_table_destroy(fx->self, fx->table), EBUSY);
	expect_ok(pt_table_put(fx->self, fx->table));
	expect_ok(pt_table_activate(fx->self, &cpu, fx->table));
	refuse(pt_table_destroy(fx->self, fx->table), EBUSY);
	refuse(pt_table_activate(s->other.self, &cpu, NULL), EINVAL);
	refuse(pt_table_activate(s->other.self, &cpu, s->other.table), EINVAL);
	assert_ptr_equal(pt_cpu_table(&cpu), fx->table);
	expect_ok(pt_table_activate(fx->self, &cpu, NULL));
}

static void full_counts_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_cpu cpu = {{0}};

	atomic_store(&fx->table->refs, UINT32_MAX);
	refuse(pt_table_get(fx->table), EBUSY);
	refuse(pt_table_activate(fx->self, &cpu, fx->table), EBUSY);
	refuse(pt_table_destroy(fx->self, fx->table), EBUSY);
	assert_null(pt_cpu_table(&cpu));
	assert_true(atomic_load(&fx->table->refs) == UINT32_MAX);
	atomic_store(&fx->table->refs, 1);
}

static void statistics_are_refused(struct scene *s)
{
	struct pt_config config = s->fx->config;
	struct fixture *fx = s->fx;
	struct pt_stats stats = {.locks = 77};
	struct pt_table *counts;

	refuse(pt_table_get_stats(NULL, &stats), EINVAL);
	refuse(pt_table_get_stats(fx->table, &stats), EINVAL); /* does not count */
	refuse(pt_thread_get_stats(fx->self, NULL, &stats), EINVAL);
	refuse(pt_thread_get_stats(fx->self, fx->table, &stats), EINVAL);
	config.stats = true;
	expect_ok(pt_table_create(fx->self, &config, &counts));
	refuse(pt_thread_get_stats(s->other.self, counts, &stats), EINVAL);
	assert_int_equal(stats.locks, 77);
	expect_ok(pt_table_destroy(fx->self, counts));
	fx->flushes.n = 0;
}

const struct hostile_case hostile_tables[] = {
	{create_refuses, "pt_table_create "},
	{halves_are_refused, "pt_table_create "},
	{hooks_are_refused, "pt_table_create "},
	{pools_are_refused, "pt_table_create "},
	{kernels_are_refused, "pt_table_create "},
	{owners_are_refused, "pt_table_destroy pt_table_put pt_table_activate "},
	{full_counts_are_refused, "pt_table_get pt_table_activate pt_table_destroy "},
	{statistics_are_refused, "pt_table_get_stats pt_thread_get_stats "},
	{NULL, NULL},
};
