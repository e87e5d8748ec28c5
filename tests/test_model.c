/* SPDX-License-Identifier: MIT */
/*
 * Random calls on a table and on a flat map: the same results, the same content.
 *
 * test_model [seed [calls]]: the seed is printed first, and a failure is found again with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model.h"

#define DEFAULT_CALLS 2000000 /* of all pairs together */

static uint64_t seed;
static uint64_t calls = DEFAULT_CALLS;

/* ---- the loop ---- */

static void random_call(struct world *w)
{
	model_call call = model_calls[random_below(w, nr_model_calls)];

	if (one_in(w, 100)) {
		call_nonsense(w);
		return;
	}
	if (one_in(w, 100))
		call_user(w);
	if (one_in(w, 500))
		call_clone(w);
	if (one_in(w, 50))
		expect_ok(pt_thread_set_home(w->fx->self, (unsigned)random_below(w, 2)));
	if (call != random_transaction)
		random_failure(w);
	call(w);
	end_failure(w);
}

static void run_world(struct world *w, uint64_t n)
{
	uint64_t next_check = 0;

	while (w->calls < n) {
		random_call(w);
		if (w->gather_open && one_in(w, 4))
			sync_gather(w);
		if (w->calls < next_check)
			continue;
		next_check = w->calls + 1000;
		expect_all(w);
	}
	/* A test that fails half of its calls, or never fails one, tests little. */
	if (test_share() > 1)
		return;
	assert_true(w->changes > n / 8);
	assert_true(w->enomem > n / 1000);
	assert_true(w->merged);
}

static uint64_t name_hash(const char *name)
{
	uint64_t hash = 14695981039346656037u;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 1099511628211u;
	return hash;
}

/* A table of its own for each round, configured as fx->config says. */
static void run_round(struct world *w, uint64_t n)
{
	open_world(w);
	run_world(w, n);
	close_world(w);
}

static void random_calls_agree_with_the_flat_map(struct fixture *fx)
{
	const struct pt_config plain = fx->config;
	struct world w = {.fx = fx, .random = seed + name_hash(fx->strategy->name)};

	run_round(&w, calls / 5);
	if (fx->format->sign_extended)
		fixture_use_upper_half(fx);
	else
		fixture_use_leading_bits(fx);
	run_round(&w, calls / 5);
	fx->config = plain;
	fx->config.top_pinned = true;
	fx->config.stats = true;
	run_round(&w, calls / 5);
	fx->config.role = PT_ROLE_KERNEL;
	run_round(&w, calls / 5);
	fx->config = plain;
	use_frames(&w);
	run_round(&w, calls / 5);
	fx->config = plain;
	fixture_new_table(fx);
	end_frames(&w);
	free(w.expected.of);
	free(w.reported.of);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || end == text || *text == '-') {
		fprintf(stderr,
			"test_model: '%s' is not a number; usage: test_model [seed [calls]]\n",
			text);
		exit(1);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{"with_callbacks", random_calls_agree_with_the_flat_map, PT_RECLAIM_CALLBACK},
		{"with_waiting", random_calls_agree_with_the_flat_map, PT_RECLAIM_SYNC},
	};
	unsigned f, s, worlds = 0;

	seed = argc > 1 ? number(argv[1]) : (uint64_t)time(NULL);
	calls = argc > 2 ? number(argv[2]) : DEFAULT_CALLS / test_share();
	fprintf(stderr, "test_model: seed %llu, %llu calls\n", (unsigned long long)seed,
		(unsigned long long)calls);
	for (f = 0; pt_format_at(f); f++)
		for (s = 0; pt_strategy_at(s); s++)
			worlds +=
				2 * pt_pair_exists(pt_format_at(f)->name, pt_strategy_at(s)->name);
	calls = calls / worlds + 1;
	return run_on_all_pairs("model", cases, sizeof(cases) / sizeof(cases[0]));
}
