/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "rounds.h"

static void run(struct worker *worker)
{
	rounds_run(worker, private_map, private_unmap);
}

const struct workload workload_map = {
	.name = "map",
	.summary = "map single pages into existing tables, each thread in its own area",
	.operation = "one page mapped; unmapping it again is not timed",
	.settings = SETTING_WORKING_SET | SETTING_DIST,
	.each_once = true,
	.defaults = {.working_set = 16 << 20},
	.needs = private_needs,
	.prepare = private_prepare,
	.enter = private_fill,
	.run = run,
	.verify = private_verify,
	.release = private_release,
};
