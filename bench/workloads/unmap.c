/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "rounds.h"

static void run(struct worker *worker)
{
	rounds_run(worker, private_unmap, private_map);
}

const struct workload workload_unmap = {
	.name = "unmap",
	.summary = "unmap single pages, whose tables stay, each thread in its own area",
	.operation = "one page unmapped; mapping it again is not timed",
	.settings = SETTING_WORKING_SET | SETTING_DIST,
	.each_once = true,
	.defaults = {.working_set = 16 << 20},
	.needs = private_needs,
	.prepare = private_prepare,
	.run = run,
	.verify = private_verify,
	.release = private_release,
};
