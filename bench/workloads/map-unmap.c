/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "private.h"

const struct workload workload_map_unmap = {
	.name = "map-unmap",
	.summary = "map or unmap random single pages, each thread in its own area",
	.operation = "one page mapped or unmapped",
	.settings = SETTING_WORKING_SET | SETTING_DIST,
	.defaults = {.working_set = 2 << 20},
	.needs = private_needs,
	.prepare = private_prepare,
	.enter = private_fill_half,
	.run = private_run_toggle,
	.verify = private_verify,
	.release = private_release,
};
