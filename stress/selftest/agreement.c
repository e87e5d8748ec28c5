/* SPDX-License-Identifier: MIT */
#include "agreement.h"

#include <stdio.h>

#include "explore/program.h"
#include "explore/search.h"

#define MAX_RUNS 2000 /* of a search, or it is not finished */
#define DRAWN 200

static struct program program;
static unsigned compared, only_dpor, neither;

/* Return: did it see all there is? */
static bool look(const struct scenario *scenario, const char *strategy, enum search_kind kind,
		 struct seen *ret)
{
	const struct search_limits limits = {
		.kind = kind,
		.bound = SEARCH_NO_BOUND,
		.max_schedules = kind < SEARCH_RANDOM ? MAX_RUNS : DRAWN,
	};
	struct search_result result;
	struct subject subject;
	struct seen old = *ret;

	program_subject(&program, scenario, strategy, &subject);
	search(&subject, &limits, &result);
	/* No copy: what was there before is cleared by the next set-up. */
	*ret = program_histories;
	program_histories = old;
	if (result.failed)
		printf("%s/%s by %s: violation of %s: %s\n", strategy, scenario->name,
		       search_names[kind], result.letter, result.message);
	return !result.cut && !result.failed && !seen_full(ret);
}

static bool same(const struct scenario *scenario, const char *strategy, enum search_kind kind,
		 const struct seen *all, const struct seen *some, bool subset)
{
	unsigned lost = subset ? 0 : seen_missing(some, all), invented = seen_missing(all, some);

	if (lost || invented)
		printf("%s/%s: of %u histories %s misses %u and has %u others  WRONG\n", strategy,
		       scenario->name, all->count, search_names[kind], lost, invented);
	return !lost && !invented;
}

static bool agree(const struct scenario *scenario, const char *strategy)
{
	static struct seen all, dpor, drawn;
	bool whole, right = true;

	if (!look(scenario, strategy, SEARCH_DPOR, &dpor)) {
		neither++;
		return true;
	}
	whole = look(scenario, strategy, SEARCH_BOUNDED, &all);
	only_dpor += !whole;
	compared += whole;
	if (whole)
		right = same(scenario, strategy, SEARCH_DPOR, &all, &dpor, false);
	for (unsigned kind = SEARCH_RANDOM; kind < SEARCH_NR; kind++) {
		look(scenario, strategy, kind, &drawn);
		right &= same(scenario, strategy, kind, &dpor, &drawn, true);
	}
	return right;
}

static unsigned agree_all(const char *strategy, unsigned *wrong)
{
	const struct scenario *scenario;
	unsigned n = 0;

	compared = only_dpor = neither = 0;
	for (; (scenario = scenario_at(n)); n++)
		*wrong += !agree(scenario, strategy);
	printf("%-10s %u scenarios: dpor and no bound compared in %u, only dpor has finished %u, it "
	       "has not %u (%u runs at most)\n",
	       strategy, n, compared, only_dpor, neither, MAX_RUNS);
	return n;
}

unsigned agreement_test(unsigned *wrong)
{
	return agree_all("rcu", wrong) + agree_all("rwlock", wrong) + agree_all("mutex", wrong);
}
