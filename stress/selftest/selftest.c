/* SPDX-License-Identifier: MIT */
#include "selftest.h"

#include <stdio.h>
#include <string.h>

#include "agreement.h"
#include "explore/program.h"
#include "explore/search.h"
#include "port.h"
#include "seeded.h"

#define BOUND 3
#define PRUNING_BOUND 2
#define STALE_READS 2 /* with weak memory */

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

static bool test(const struct seeded *one, enum search_kind kind, bool buggy, bool weak)
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
	bool fails = buggy && (weak || !one->weak);
	bool right;

	rt.weak = weak;
	search(&subject, &(struct search_limits){.kind = kind, .bound = BOUND}, &result);
	right = result.failed == fails;
	if (right && fails)
		right = !strcmp(result.letter, one->letter) && repeats(&result);
	rt.weak = false;
	printf("%-10s %-22s %-7s %-4s %6llu schedules  %s%s%s\n", one->name,
	       buggy ? one->bug : "correct", search_names[kind], weak ? "weak" : "",
	       (unsigned long long)result.executions, right ? "as it must be" : "WRONG",
	       result.failed ? ": " : "", result.failed ? result.message : "");
	return right;
}

/* Leaving out equivalent schedules must lose no outcome. */
static bool test_pruning(const struct scenario *scenario, const char *strategy)
{
	static struct program program;
	struct search_result result;
	struct subject subject;
	unsigned outcomes[2];

	program_subject(&program, scenario, strategy, &subject);
	for (unsigned i = 0; i < 2; i++) {
		search_prunes = i;
		search(&subject, &(struct search_limits){.bound = PRUNING_BOUND}, &result);
		outcomes[i] = program_outcomes();
	}
	if (outcomes[0] == outcomes[1] && !result.failed)
		return true;
	printf("pruning %s/%s: %u outcomes instead of %u  WRONG\n", strategy, scenario->name,
	       outcomes[1], outcomes[0]);
	return false;
}

static unsigned test_pruning_all(const char *strategy, unsigned *ret_wrong)
{
	const struct scenario *scenario;
	unsigned n = 0;

	for (; (scenario = scenario_at(n)); n++)
		*ret_wrong += !test_pruning(scenario, strategy);
	printf("%-10s %u scenarios have the same outcomes with and without pruning\n", strategy, n);
	return n;
}

int selftest_run(void)
{
	unsigned wrong = 0, tests = 8 * seeded_count;

	search_budget[PICK_STALE_READ] = STALE_READS;
	for (unsigned i = 0; i < 4 * seeded_count; i++) {
		const struct seeded *one = &seeded[i % seeded_count];
		enum search_kind kind = i < 2 * seeded_count ? SEARCH_BOUNDED : SEARCH_DPOR;
		bool weak = i / seeded_count & 1;

		wrong += !test(one, kind, false, weak);
		wrong += !test(one, kind, true, weak);
	}
	tests += test_pruning_all("rcu", &wrong);
	tests += test_pruning_all("rwlock", &wrong);
	tests += agreement_test(&wrong);
	printf("%u passed, %u failed\n", tests - wrong, wrong);
	return wrong ? 2 : 0;
}
