/* SPDX-License-Identifier: MIT */
/* A table, and what an instance, one (format, strategy) pair, exports. */
#ifndef PT_TABLE_H
#define PT_TABLE_H

#include "pool.h"

struct table_stats;

struct pt_instance {
	struct pt_format_info format;
	struct pt_strategy_info strategy;
	struct pt_ops ops;
	/* Copies that a configured table has of its tree; nodes are reserved for all. */
	unsigned (*copies)(const struct pt_table *table);
	/* What a root register of NUMA home @home holds. */
	pt_pa_t (*root_at)(const struct pt_table *table, unsigned home);
	/* Kinds of node locks with which calls on one page take the short way. */
	unsigned short_locks;
	/* Set up the strategy's part of a configured table, 0 or -ENOMEM; and release it. */
	int (*init)(struct pt_table *table);
	void (*exit)(struct pt_table *table);
	/* Drop every tracked item that @node, whose grace period is over, still holds. */
	void (*drop_items)(struct pt_table *table, struct node *node);
	/* Give a configured table its root; pt_role_nodes() are reserved for each copy. */
	void (*create)(struct pt_thread *self, struct pt_table *table);
	/* Drop every item and free every node; nobody else uses the table. */
	void (*destroy)(struct pt_thread *self, struct pt_table *table);
};

#define TABLE_STRATEGY_BYTES 128

/* What calls on one page read comes first, in one cache line. */
struct pt_table {
	const struct pt_ops *ops; /* first: see PT_OPS() */
	uintptr_t root_slots;     /* where the root is */
	uintptr_t phys_off;       /* of the pool, a load nearer */
	uintptr_t meta_off;
	pt_va_t first;           /* of the addresses managed, */
	uint64_t span;           /* last - first, */
	uint64_t cursor_span;    /* cursor_last - first */
	uint64_t short_id;       /* `id`; or ~0: calls on one page must not take the short way */
	uint64_t short_unmap_id; /* the same for those that may have an item to drop */
	pt_pa_t root_pa;
	struct node *root;
	uint8_t node_lock; /* enum nodelock_kind, for strategies that lock nodes */
	pt_va_t last;
	pt_va_t cursor_last; /* cursors and changes reach up to here */
	struct pt_pool *pool;
	const struct pt_instance *instance;
	const struct pt_item_ops *item_ops;
	void *item_ctx;
	pt_flush_fn flush;
	void *flush_ctx;
	bool top_pinned;
	enum pt_role role;
	pt_va_t leading;         /* as configured: what `first` and `last` begin with */
	struct pt_table *kernel; /* whose root slots this table borrows, or NULL */
	void (*activate)(void *ctx, pt_pa_t root_pa);
	void *activate_ctx;
	_Atomic uint32_t refs;
	struct table_stats *stats; /* NULL: nothing is counted */
	uint64_t id;               /* of no other table, ever and in any pool; not 0 */
	/* What the strategy shares between threads, on lines of its own. */
	_Alignas(64) unsigned char strategy[TABLE_STRATEGY_BYTES];
};

#endif
