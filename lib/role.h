/* SPDX-License-Identifier: MIT */
/* What the roles of tables mean for creation and destruction, for any format. */
#ifndef PT_ROLE_H
#define PT_ROLE_H

#include "table.h"

/* May this thread now take @table apart? Return: 0; -EINVAL, -EBUSY, -EDEADLK as the header says. */
int pt_table_may_destroy(const struct pt_thread *self, const struct pt_table *table);

/* Take @table apart: its last reference is gone. */
void pt_table_release(struct pt_thread *self, struct pt_table *table);

/*
 * Set table->first, last, cursor_last, leading, role and kernel as @config says; the rest of the table
 * need not be set up. Return: 0 or -EINVAL.
 */
int pt_role_configure(struct pt_table *table, const struct pt_instance *instance,
		      const struct pt_config *config);

/* Nodes that @table, configured, needs at creation. */
unsigned pt_role_nodes(const struct pt_table *table, const struct pt_format_info *format);

#endif
