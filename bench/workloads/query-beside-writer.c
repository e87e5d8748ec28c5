/* SPDX-License-Identifier: MIT */
/*
 * The last thread maps and unmaps pages of its own area; all others query another one. What is
 * counted are the queries: a strategy whose readers wait for writers shows it here.
 */
#include "all.h"
#include "private.h"
#include "translate.h"

#define WRITER_BYTES (2u << 20)

static void needs(const struct settings *settings, struct area_needs *ret)
{
	*ret = (struct area_needs){
		.shared_bytes = settings->working_set,
		.private_bytes = WRITER_BYTES,
	};
}

static void prepare(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	translate_prepare(trial, self, finding);
	private_prepare(trial, self, finding);
}

static bool is_writer(const struct worker *worker)
{
	return worker->index == worker->trial->threads - 1;
}

static void enter(struct worker *worker)
{
	worker->background = is_writer(worker);
	if (worker->background)
		private_fill_half(worker);
}

static void run(struct worker *worker)
{
	if (is_writer(worker))
		private_run_toggle(worker);
	else
		translate_run(worker);
}

static uint64_t verify(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	return translate_verify(trial, self, finding) + private_verify(trial, self, finding);
}

const struct workload workload_query_beside_writer = {
	.name = "query-beside-writer",
	.summary = "queries, while the last thread maps and unmaps pages elsewhere",
	.operation = "one query by one of the other threads",
	.settings = SETTING_WORKING_SET | SETTING_DIST | SETTING_DEPENDENT,
	.min_threads = 2,
	.defaults = {.working_set = 1 << 30},
	.needs = needs,
	.prepare = prepare,
	.enter = enter,
	.run = run,
	.verify = verify,
	.release = private_release,
};
