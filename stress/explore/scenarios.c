/* SPDX-License-Identifier: MIT */
/* All scenarios, in the order in which they are listed and run. */
#include <string.h>

#include "generate.h"
#include "scenario.h"
#include "scenarios.h"

static const struct scenario *const lists[] = {
	scenarios_build,  scenarios_remove, scenarios_cursor, scenarios_hardware, scenarios_lock,
	scenarios_range,  scenarios_upkeep, scenarios_role,   scenarios_frame,    scenarios_stats,
	scenarios_tables, scenarios_pool,   scenarios_apart,
};

const struct scenario *scenario_at(unsigned index)
{
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct scenario *s = lists[i]; s->name; s++)
			if (!index--)
				return s;
	return NULL;
}

const struct scenario *scenario_find(const char *name)
{
	static struct generator generator;
	const struct scenario *s;

	for (unsigned i = 0; (s = scenario_at(i)); i++)
		if (!strcmp(s->name, name))
			return s;
	return generate_named(&generator, name);
}
