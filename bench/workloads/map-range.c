/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "ranges.h"

const struct workload workload_map_range = {
	.name = "map-range",
	.summary = "map ranges by base pages with new tables, each thread in its own area",
	.operation = "one page of a range mapped; unmapping it again is not timed",
	.settings = SETTING_RANGE,
	.defaults = {.range = 2 << 20},
	.needs = ranges_needs,
	.prepare = ranges_prepare,
	.run = ranges_run_map,
	.verify = ranges_verify,
	.release = ranges_release,
};
