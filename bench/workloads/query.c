/* SPDX-License-Identifier: MIT */
#include "all.h"
#include "translate.h"

static void needs(const struct settings *settings, struct area_needs *ret)
{
	*ret = (struct area_needs){.shared_bytes = settings->working_set};
}

static void release(struct trial *trial)
{
	(void)trial;
}

const struct workload workload_query = {
	.name = "query",
	.summary = "query random pages of an area that nobody changes",
	.operation = "one query",
	.settings = SETTING_WORKING_SET | SETTING_DIST | SETTING_DEPENDENT,
	.defaults = {.working_set = 1 << 30},
	.needs = needs,
	.prepare = translate_prepare,
	.run = translate_run,
	.verify = translate_verify,
	.release = release,
};
