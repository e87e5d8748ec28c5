/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "suites.h"

#define SKEWED                                   \
	{                                        \
		.kind = DIST_ZIPF, .theta = 0.99 \
	}

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

static const struct suite_entry standard[] = {
	{.workload = "map"},
	{.workload = "unmap"},
	{.workload = "map-unmap"},
	{.workload = "map-unmap", .differs = SETTING_DIST, .settings = {.dist = SKEWED}},
	{.workload = "query"},
	{.workload = "query", .differs = SETTING_DIST, .settings = {.dist = SKEWED}},
	{.workload = "query", .differs = SETTING_DEPENDENT, .settings = {.dependent = true}},
	{.workload = "query", .differs = SETTING_WORKING_SET, .settings = {.working_set = 2 << 20}},
	{.workload = "protect"},
	{.workload = "map-range"},
	{.workload = "unmap-range"},
	{.workload = "unmap-range", .differs = SETTING_RANGE, .settings = {.range = 64 << 10}},
	{.workload = "mixed"},
	{.workload = "mixed", .differs = SETTING_CONTENTION, .settings = {.shared = true}},
	{.workload = "mixed",
	 .differs = SETTING_CONTENTION | SETTING_DIST,
	 .settings = {.shared = true, .dist = SKEWED}},
	{.workload = "query-beside-writer"},
	{0},
};

const struct suite suites[] = {
	{"quick", "one look at each kind of operation, in under three minutes", "1,2", quick},
	{"standard", "also skewed, dependent and small ones; threads: 1, 2, 4.. all", NULL,
	 standard},
	{0},
};

const struct suite *suite_find(const char *what, const char *name)
{
	unsigned i;

	for (i = 0; suites[i].name; i++)
		if (!strcmp(suites[i].name, name))
			return &suites[i];
	complain("%s: '%s' is not one of quick, standard", what, name);
	return NULL;
}
