/* SPDX-License-Identifier: MIT */
/* Creation and destruction of tables, and what can be asked of one. */
#include "table.h"

#include <errno.h>

#include "cursor.h"
#include "registry.h"
#include "role.h"
#include "stats.h"
#include "sync/nodekind.h"
#include "thread.h"

/* Can the format name every node of the pool? */
static bool nodes_fit(const struct pt_format_info *format, const struct pt_pool *pool)
{
	uint64_t bytes = (uint64_t)pool->nr_chunks_max << pool->chunk_shift;

	return format->node_shift == pool->node_shift &&
	       pool->phys_base + (bytes - 1) <= (UINT64_C(2) << (format->pa_bits - 1)) - 1;
}

static bool hooks_complete(const struct pt_item_ops *ops)
{
	return !ops || (ops->clone && ops->drop);
}

/* The kind of node lock that @name means to the strategy, which may have others; or -EINVAL. */
static int choose_node_lock(const struct pt_strategy_info *strategy, const char *name)
{
	int kind = name ? pt_node_lock_find(name) : NODELOCK_TTAS;

	if (kind < 0 || !strategy->node_locks || strategy->node_locks & NODELOCK_BIT(kind))
		return kind;
	return __builtin_ctz(strategy->node_locks);
}

int pt_table_create(struct pt_thread *self, const struct pt_config *config,
		    struct pt_table **ret_table)
{
	const struct pt_instance *instance;
	struct pt_table *table;
	int node_lock, rc;

	if (!config || config->size != sizeof(*config) || !config->format ||
	    config->pool != self->pool)
		return -EINVAL;
	instance = pt_instance_find(config->format, config->strategy ? config->strategy : "rcu");
	if (!instance || !nodes_fit(&instance->format, self->pool) ||
	    !hooks_complete(config->item_ops))
		return -EINVAL;
	node_lock = choose_node_lock(&instance->strategy, config->node_lock);
	if (node_lock < 0)
		return node_lock;
	table = port_alloc(sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->pool = self->pool;
	table->item_ops = config->item_ops;
	rc = pt_role_configure(table, instance, config);
	if (!rc)
		rc = node_reserve(self, instance->copies(table) *
						pt_role_nodes(table, &instance->format));
	if (!rc && config->stats) {
		table->stats = pt_stats_create();
		rc = table->stats ? 0 : -ENOMEM;
	}
	if (!rc && table->kernel)
		rc = pt_table_get(table->kernel);
	if (!rc) {
		table->node_lock = (uint8_t)node_lock;
		rc = instance->init(table);
		if (rc && table->kernel)
			/* Relaxed: the caller's reference, or another one, outlives the call. */
			atomic_fetch_sub_explicit(&table->kernel->refs, 1, memory_order_relaxed);
	}
	if (rc) {
		pt_stats_destroy(table->stats);
		port_free(table);
		return rc;
	}
	table->ops = &instance->ops;
	table->phys_off = self->pool->phys_off;
	table->meta_off = self->pool->meta_off;
	table->instance = instance;
	table->item_ctx = config->item_ctx;
	table->flush = config->flush;
	table->flush_ctx = config->flush_ctx;
	table->activate = config->activate;
	table->activate_ctx = config->activate_ctx;
	atomic_store_explicit(&table->refs, 1, memory_order_relaxed);
	table->id = port_unique();
	table->short_id =
		instance->short_locks & NODELOCK_BIT(node_lock) ? table->id : ~UINT64_C(0);
	table->short_unmap_id = table->item_ops ? ~UINT64_C(0) : table->short_id;
	instance->create(self, table);
	stat_add(stats_of(self, table), STAT_NODES_TAKEN,
		 instance->copies(table) * (1 + table->root->live));
	port_describe("table", table, sizeof(*table), 1);
	atomic_fetch_add_explicit(&table->pool->tables, 1, memory_order_relaxed);
	*ret_table = table;
	return 0;
}

int pt_table_may_destroy(const struct pt_thread *self, const struct pt_table *table)
{
	if (self->pool != table->pool)
		return -EINVAL;
	if (self->holds)
		return thread_holds(self, table) ? -EBUSY : -EDEADLK;
	return 0;
}

void pt_table_release(struct pt_thread *self, struct pt_table *table)
{
	struct pt_table *kernel = table->kernel;

	/* Callbacks that still drop items of this table go through it. */
	if (table->item_ops)
		pt_thread_wait_callbacks(self);
	if (table->flush)
		table->flush(table->flush_ctx, table->first, table->last - table->first + 1, true);
	table->instance->destroy(self, table);
	table->instance->exit(table);
	pt_thread_trim(self);
	pt_stats_destroy(table->stats);
	/* Relaxed: this thread leaves the pool later, see [ORD-users]. */
	atomic_fetch_sub_explicit(&table->pool->tables, 1, memory_order_relaxed);
	port_free(table);
	if (kernel)
		(void)!pt_table_put(self, kernel); /* same pool, no cursor: it succeeds */
}

int pt_table_destroy(struct pt_thread *self, struct pt_table *table)
{
	int rc = pt_table_may_destroy(self, table);

	if (rc)
		return rc;
	/* [ORD-refs] acq: whoever gave a reference back is done; pairs with pt_table_put() */
	if (atomic_load_explicit(&table->refs, memory_order_acquire) != 1)
		return -EBUSY;
	pt_table_release(self, table);
	return 0;
}

pt_pa_t pt_table_root(const struct pt_table *table)
{
	return table->root_pa;
}

pt_pa_t pt_table_root_at(const struct pt_table *table, unsigned home)
{
	return table->instance->root_at(table, home);
}

void pt_table_range(const struct pt_table *table, pt_va_t *ret_first, pt_va_t *ret_last)
{
	*ret_first = table->first;
	*ret_last = table->last;
}

const struct pt_format_info *pt_table_format(const struct pt_table *table)
{
	return pt_format_find(table->instance->format.name);
}

const struct pt_strategy_info *pt_table_strategy(const struct pt_table *table)
{
	return pt_strategy_find(table->instance->strategy.name);
}

pt_va_t pt_cursor_va(const struct pt_cursor *c)
{
	return ((const struct cursor *)c)->va;
}

const char *pt_table_node_lock(const struct pt_table *table)
{
	return pt_node_lock_at(table->node_lock);
}
