/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "suites.h"

static const struct suite_entry quick[] = {
	{.workload = "map-unmap"},
	{.workload = "query"},
	{.workload = "protect"},
	{.workload = "unmap-range"},
	{.workload = "mixed"},
	{.workload = "mixed", .differs = SETTING_CONTENTION, .settings = {.shared = true}},
	{.workload = "query-beside-writer"},
	{0},
};

const struct suite suites[] = {
	{"quick", "one look at each kind of operation, in under three minutes", "1,2", quick},
	{0},
};

const struct suite *suite_find(const char *what, const char *name)
{
	unsigned i;

	for (i = 0; suites[i].name; i++)
		if (!strcmp(suites[i].name, name))
			return &suites[i];
	complain("%s: '%s' is not one of quick", what, name);
	return NULL;
}
