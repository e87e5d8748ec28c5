/* SPDX-License-Identifier: MIT */
#include <pagetree.h>
#include <stdio.h>

int main(void)
{
	struct pt_pool_config pool_config = {.size = sizeof(pool_config)};
	struct pt_config config = {.size = sizeof(config), .format = "x86_64", .strategy = "rcu"};
	struct pt_thread *self;
	struct pt_table *table;
	pt_prop_t prop;
	pt_pa_t pa;

	if (pt_pool_create(&pool_config, &config.pool) || /* node memory, shared by tables */
	    pt_thread_register(config.pool, &self) ||     /* each thread, once */
	    pt_table_create(self, &config, &table))
		return 1;
	if (pt_map(self, table, 0x200000, 0x3000, 0x10000, PT_READ | PT_WRITE, 1) ||
	    pt_walk(self, table, 0x201234, &pa, &prop)) /* as the hardware would */
		return 1;
	printf("0x201234 -> 0x%llx\n", (unsigned long long)pa);
	return pt_unmap(self, table, 0x200000, 0x3000, NULL, NULL) ||
	       pt_table_destroy(self, table) || pt_thread_unregister(self) ||
	       pt_pool_destroy(config.pool);
}
