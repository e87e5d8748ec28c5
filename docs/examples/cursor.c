/* SPDX-License-Identifier: MIT */
/* Change a range in one transaction, and free what was removed after a flush. */
#include <pagetree.h>
#include <stdio.h>

static void flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	(void)ctx;
	(void)tables;
	printf("flush 0x%llx, %llu pages\n", (unsigned long long)va,
	       (unsigned long long)len / 4096);
}

static void removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	(void)ctx;
	printf("removed 0x%llx -> 0x%llx\n", (unsigned long long)va, (unsigned long long)item->pa);
}

static int replace_second_page(struct pt_thread *self, struct pt_table *table)
{
	struct pt_item item = {.pa = 0x80000, .prop = PT_READ, .level = 1};
	struct pt_gather gather;
	struct pt_cursor cursor;
	struct pt_taken taken;
	int rc;

	pt_gather_init(&gather, self, table, removed, NULL);
	rc = pt_cursor_begin(self, table, 0x200000, 0x3000, PT_BUILD, 1, &cursor);
	if (rc)
		return rc;
	rc = pt_cursor_jump(&cursor, 0x201000);
	if (!rc)
		rc = pt_cursor_take_next(&cursor, 0x1000, &gather, &taken);
	if (!rc)
		rc = pt_cursor_jump(&cursor, taken.va);
	if (!rc)
		rc = pt_cursor_map(&cursor, &item);
	pt_cursor_end(&cursor);
	/* Also after an error: what has been taken must be flushed. */
	return pt_gather_sync(&gather) ? -1 : rc;
}

int main(void)
{
	struct pt_pool_config pool_config = {.size = sizeof(pool_config)};
	struct pt_config config = {.size = sizeof(config), .format = "x86_64", .flush = flush};
	struct pt_thread *self;
	struct pt_table *table;
	pt_prop_t prop;
	pt_pa_t pa;

	if (pt_pool_create(&pool_config, &config.pool) || pt_thread_register(config.pool, &self) ||
	    pt_table_create(self, &config, &table))
		return 1;
	if (pt_map(self, table, 0x200000, 0x3000, 0x10000, PT_READ | PT_WRITE, 1) ||
	    replace_second_page(self, table) || pt_walk(self, table, 0x201234, &pa, &prop))
		return 1;
	printf("0x201234 -> 0x%llx\n", (unsigned long long)pa);
	return pt_table_destroy(self, table) || pt_thread_unregister(self) ||
	       pt_pool_destroy(config.pool);
}
