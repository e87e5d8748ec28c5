/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "private.h"

static void run(struct worker *worker)
{
	struct private_pages *pages = private_of(worker);
	struct keys keys = worker->private_keys;
	uint64_t done = 0;
	unsigned i;

	while (worker_continues(worker, done)) {
		for (i = 0; i < BATCH; i++)
			if (!private_protect(worker, pages, keys_next(&keys)))
				return;
		done += BATCH;
	}
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
