/* SPDX-License-Identifier: MIT */
/*
 * References of tables, and what each CPU runs on.
 *
 * A table counts its creator, the tables that borrow its root slots, the CPUs it is active on, and
 * whoever called pt_table_get(). Whoever gives a reference back is done with the table [ORD-refs],
 * so the last one may take it apart.
 */
#include <errno.h>

#include "role.h"
#include "thread.h"

/* struct pt_cpu as the library sees it. */
struct cpu {
	struct pt_table *table;
};

static_assert(sizeof(struct cpu) <= sizeof(struct pt_cpu), "storage is too small");

int pt_table_get(struct pt_table *table)
{
	uint32_t refs = atomic_load_explicit(&table->refs, memory_order_relaxed);

	/* Relaxed: the caller has a reference, or whoever has one keeps it meanwhile. */
	do {
		if (refs == UINT32_MAX)
			return -EBUSY;
	} while (!atomic_compare_exchange_weak_explicit(
		&table->refs, &refs, refs + 1, memory_order_relaxed, memory_order_relaxed));
	return 0;
}

int pt_table_put(struct pt_thread *self, struct pt_table *table)
{
	int rc = pt_table_may_destroy(self, table);

	if (rc)
		return rc;
	/* [ORD-refs] acq_rel: what others did with the table comes before its destruction */
	if (atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) == 1)
		pt_table_release(self, table);
	return 0;
}

int pt_table_activate(struct pt_thread *self, struct pt_cpu *storage, struct pt_table *table)
{
	struct cpu *cpu = (struct cpu *)storage;
	struct pt_table *old = cpu->table;
	int rc = 0;

	if (old == table)
		return 0;
	if (old)
		rc = pt_table_may_destroy(self, old);
	if (!rc && table)
		rc = self->pool == table->pool ? pt_table_get(table) : -EINVAL;
	if (rc)
		return rc;
	if (table && table->activate)
		table->activate(table->activate_ctx, pt_table_root_at(table, self->home));
	cpu->table = table;
	/* Only now: until the hook returned the CPU walked the old table. */
	return old ? pt_table_put(self, old) : 0;
}

struct pt_table *pt_cpu_table(const struct pt_cpu *storage)
{
	return ((const struct cpu *)storage)->table;
}
