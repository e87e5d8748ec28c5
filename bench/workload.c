/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "workload.h"
#include "workloads/all.h"

#define WORKLOAD_ADDRESS(name) &workload_##name,
const struct workload *const workloads[] = {WORKLOADS(WORKLOAD_ADDRESS) NULL};

const struct workload *workload_find(const char *name)
{
	unsigned i;

	for (i = 0; workloads[i]; i++)
		if (!strcmp(workloads[i]->name, name))
			return workloads[i];
	return NULL;
}
