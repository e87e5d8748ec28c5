/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "ranges.h"

const struct workload workload_unmap_range = {
	.name = "unmap-range",
	.summary = "unmap ranges of base pages and their tables, each thread in its own area",
	.operation = "one page unmapped by range calls; only bare's includes freeing",
	.settings = SETTING_RANGE,
	.defaults = {.range = 2 << 20},
	.needs = ranges_needs,
	.prepare = ranges_prepare,
	.run = ranges_run_unmap,
	.verify = ranges_verify,
	.release = ranges_release,
};
