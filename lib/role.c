/* SPDX-License-Identifier: MIT */
/* What a configuration makes of a table: its range, its bound, and whom it may share with. */
#include "role.h"

#include <errno.h>
#include <string.h>

/* The index range that a configuration names; both zero is the default of its role. */
static int managed_range(const struct pt_format_info *format, const struct pt_config *config,
			 pt_va_t *ret_first, pt_va_t *ret_last)
{
	unsigned slots = 1u << format->index_bits;
	unsigned first = config->top_first, end = config->top_end;

	if (!first && !end) {
		first = config->role == PT_ROLE_KERNEL ? slots / 2 : 0;
		end = slots;
		if (!first && (format->sign_extended || config->kernel))
			end = slots / 2;
	}
	return pt_index_range(format, first, end, config->leading, ret_first, ret_last);
}

/* Can a user table first..last of this pair borrow from @kernel? */
static bool may_share(const struct pt_instance *instance, const struct pt_config *config,
		      pt_va_t first, pt_va_t last)
{
	const struct pt_table *kernel = config->kernel;

	return config->role == PT_ROLE_USER && kernel->role == PT_ROLE_KERNEL &&
	       kernel->pool == config->pool && kernel->leading == config->leading &&
	       !strcmp(kernel->instance->format.name, instance->format.name) &&
	       (kernel->instance->strategy.isolation == PT_ISOLATION_NONE) ==
		       (instance->strategy.isolation == PT_ISOLATION_NONE) &&
	       /* who walks from the user's root comes to the kernel's tables */
	       kernel->instance->strategy.reuses <= instance->strategy.reuses &&
	       (last < kernel->first || first > kernel->last);
}

int pt_role_configure(struct pt_table *table, const struct pt_instance *instance,
		      const struct pt_config *config)
{
	pt_va_t first, last, bound;
	int rc;

	if (config->role != PT_ROLE_USER && config->role != PT_ROLE_KERNEL &&
	    config->role != PT_ROLE_DEVICE)
		return -EINVAL;
	rc = managed_range(&instance->format, config, &first, &last);
	if (rc)
		return rc;
	if (config->kernel && !may_share(instance, config, first, last))
		return -EINVAL;
	bound = config->bound ? config->bound : last;
	if (bound < first || bound > last ||
	    ((bound + 1) & (pt_page_size(&instance->format, 1) - 1)))
		return -EINVAL;
	table->first = first;
	table->last = last;
	table->cursor_last = bound;
	table->leading = config->leading;
	table->span = last - table->first;
	table->cursor_span = bound - table->first;
	table->role = config->role;
	table->kernel = config->kernel;
	table->top_pinned = config->top_pinned || config->role == PT_ROLE_KERNEL;
	return 0;
}

unsigned pt_role_nodes(const struct pt_table *table, const struct pt_format_info *format)
{
	unsigned levels = format->levels;

	if (table->role != PT_ROLE_KERNEL)
		return 1;
	return 2 + pt_slot_index(format, table->last, levels) -
	       pt_slot_index(format, table->first, levels);
}
