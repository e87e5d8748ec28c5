/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "workload.h"
#include "workloads/all.h"

const struct workload *const workloads[] = {
	&workload_map,
	&workload_unmap,
	&workload_map_unmap,
	&workload_query,
	&workload_protect,
	&workload_map_range,
	&workload_unmap_range,
	&workload_mixed,
	&workload_query_beside_writer,
	NULL,
};

const struct workload *workload_find(const char *name)
{
	unsigned i;

	for (i = 0; workloads[i]; i++)
		if (!strcmp(workloads[i]->name, name))
			return workloads[i];
	return NULL;
}
