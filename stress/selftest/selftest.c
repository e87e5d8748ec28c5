/* SPDX-License-Identifier: MIT */
#include "selftest.h"

#include <stdio.h>
#include <string.h>

#include "explore/search.h"
#include "port.h"
#include "seeded.h"

#define BOUND 3

struct instance {
	const struct seeded *seeded;
	bool buggy;
	void *memory;
};

static void setup(void *ctx)
{
	struct instance *instance = ctx;

	instance->memory = port_alloc(SEEDED_BYTES);
	port_describe("data", instance->memory, SEEDED_BYTES, 1);
}

static void body(void *ctx, unsigned thread)
{
	struct instance *instance = ctx;

	rt.self->operation = instance->seeded->name;
	instance->seeded->body(instance->memory, thread, instance->buggy);
}

static void finish(void *ctx)
{
	struct instance *instance = ctx;

	if (instance->seeded->right && !instance->seeded->right(instance->memory))
		rt_fail("C1", "the final state is wrong");
}

/* Replaying what was found must find it again. */
static bool repeats(const struct search_result *found)
{
	return !search_replay(&found->schedule, false) && !strcmp(sched_letter(), found->letter);
}

static bool test(const struct seeded *one, bool buggy)
{
	struct instance instance = {.seeded = one, .buggy = buggy};
	struct subject subject = {
		.name = one->name,
		.threads = one->threads,
		.setup = setup,
		.body = body,
		.finish = finish,
		.ctx = &instance,
	};
	struct search_result result;
	bool right;

	search(&subject, BOUND, 0, &result);
	right = result.failed == buggy;
	if (right && buggy)
		right = !strcmp(result.letter, one->letter) && repeats(&result);
	printf("%-10s %-22s %6llu schedules  %s%s%s\n", one->name, buggy ? one->bug : "correct",
	       (unsigned long long)result.executions, right ? "as it must be" : "WRONG",
	       result.failed ? ": " : "", result.failed ? result.message : "");
	return right;
}

int selftest_run(void)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < seeded_count; i++) {
		wrong += !test(&seeded[i], false);
		wrong += !test(&seeded[i], true);
	}
	printf("%u passed, %u failed\n", 2 * seeded_count - wrong, wrong);
	return wrong ? 2 : 0;
}
