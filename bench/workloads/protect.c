/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "private.h"

static void run(struct worker *worker)
{
	private_run(worker, private_protect);
}

const struct workload workload_protect = {
	.name = "protect",
	.summary = "make random pages read-only or writable, each thread in its own area",
	.operation = "the properties of one page changed",
	.settings = SETTING_WORKING_SET | SETTING_DIST,
	.defaults = {.working_set = 2 << 20},
	.needs = private_needs,
	.prepare = private_prepare,
	.enter = private_fill,
	.run = run,
	.verify = private_verify,
	.release = private_release,
};
