/* SPDX-License-Identifier: MIT */
/*
 * Would the benchmark notice that a table is wrong? Each workload runs for a moment; then the table
 * is changed behind its back. A workload whose verdict does not change measures tables that nobody
 * judges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crew.h"
#include "embed.h"
#include "place.h"
#include "shared.h"
#include "trial.h"

enum { THREADS = 2 };

struct bench {
	struct settings settings;
	struct trial_config config;
	struct key_stream shared_keys, private_keys;
	struct place *place;
	struct embed embed;
	struct trial *trial;
	struct crew crew;
	struct pt_thread *self;
	struct finding finding;
};

static void start(struct bench *b, const struct workload *workload, bool shared)
{
	struct pt_stats counts;

	memset(b, 0, sizeof(*b));
	b->settings = workload->defaults;
	b->settings.shared = shared;
	b->settings.dist.kind = DIST_SEQUENTIAL;
	/* Small, so that each page is visited also with a sanitizer. */
	b->settings.working_set = 64 << 10;
	assert_int_equal(place_create("none", &b->place), 0);
	b->config = (struct trial_config){
		.workload = workload,
		.settings = &b->settings,
		.format = pt_format_find("x86_64"),
		.contender = {pt_strategy_find("rwlock"), NULL},
		.shared_keys = &b->shared_keys,
		.private_keys = &b->private_keys,
		.place = b->place,
		.threads = THREADS,
		.warmup_ns = 0,
		.duration_ns = 1000000,
		.seed = 1,
	};
	assert_non_null(b->config.format);
	assert_non_null(b->config.contender.strategy);
	assert_int_equal(trial_keys(&b->config, 1, &b->shared_keys, &b->private_keys), 0);
	b->trial = aligned_alloc(alignof(struct trial), sizeof(*b->trial));
	assert_non_null(b->trial);
	assert_int_equal(trial_init(b->trial, &b->config), 0);
	assert_int_equal(
		embed_create(&b->embed, b->config.format, &b->config.contender, NULL, false), 0);
	b->trial->table = b->embed.table;
	/* What is measured does not count unless it is to be explained. */
	assert_int_equal(pt_table_get_stats(b->embed.table, &counts), -EINVAL);
	assert_int_equal(crew_create(&b->crew, b->trial, &b->config, b->embed.pool), 0);
	assert_int_equal(pt_thread_register(b->embed.pool, &b->self), 0);
	if (workload->prepare)
		workload->prepare(b->trial, b->self, &b->finding);
	assert_int_equal(b->finding.code, EXIT_FINE);
}

static void stop(struct bench *b)
{
	uint64_t leaked;

	assert_int_equal(pt_thread_unregister(b->self), 0);
	b->config.workload->release(b->trial);
	crew_free(&b->crew);
	assert_int_equal(embed_destroy(&b->embed, &leaked), 0);
	assert_int_equal(leaked, 0);
	free(b->trial);
	key_stream_destroy(&b->shared_keys);
	key_stream_destroy(&b->private_keys);
	place_destroy(b->place);
}

static void run(struct bench *b)
{
	assert_int_equal(crew_run(&b->crew, &b->finding), EXIT_FINE);
}

/* A page that the workload knows about, a mapped one if there is any, and what it is now. */
static pt_va_t a_page(struct bench *b, struct pt_mapping *ret)
{
	const struct area *area = &b->trial->shared_area;
	uint32_t i;

	if (!area->pages)
		area = &b->trial->private_areas[THREADS - 1];
	for (i = area->pages; i-- > 0;) {
		assert_int_equal(pt_query(b->self, b->embed.table, area_va(area, i), ret), 0);
		if (ret->kind == PT_KIND_LEAF)
			return area_va(area, i);
	}
	return area->base;
}

static void sabotage_unmap(struct bench *b, pt_va_t va)
{
	uint64_t pages;

	assert_int_equal(pt_unmap(b->self, b->embed.table, va, 4096, NULL, &pages), 0);
	assert_int_equal(pages, 1);
}

static void sabotage_map(struct bench *b, pt_va_t va, pt_pa_t pa)
{
	assert_int_equal(pt_map(b->self, b->embed.table, va, 4096, pa, b->trial->prop, 1), 0);
}

enum sabotage { NONE, PRESENCE, FRAME, PROPERTIES, SABOTAGES };

static void sabotage(struct bench *b, enum sabotage kind, pt_va_t *ret_va)
{
	struct pt_mapping was;
	uint64_t pages;

	*ret_va = a_page(b, &was);
	/* What is not mapped can only be wrong by being mapped. */
	if (kind != NONE && was.kind != PT_KIND_LEAF) {
		sabotage_map(b, *ret_va, 0);
		return;
	}
	switch (kind) {
	case PRESENCE:
		sabotage_unmap(b, *ret_va);
		break;
	case FRAME:
		sabotage_unmap(b, *ret_va);
		sabotage_map(b, *ret_va, was.item.pa ^ UINT64_C(0x40000000000));
		break;
	case PROPERTIES:
		assert_int_equal(pt_protect(b->self, b->embed.table, *ret_va, 4096,
					    ~was.item.prop & PT_WRITE, was.item.prop & PT_WRITE,
					    NULL, &pages),
				 0);
		break;
	default:
		break;
	}
}

static void check(const struct workload *workload, bool shared)
{
	enum sabotage kind;

	for (kind = NONE; kind < SABOTAGES; kind++) {
		enum exit_code expected = kind == NONE ? EXIT_FINE : EXIT_VIOLATION;
		struct bench b;
		pt_va_t va;

		/* Nobody knows who was the last to protect a page that all protect. */
		if (shared && kind == PROPERTIES)
			continue;
		start(&b, workload, shared);
		run(&b);
		sabotage(&b, kind, &va);
		trial_verify(b.trial, b.self, &b.finding);
		if (b.finding.code != expected)
			fail_msg("%s: sabotage %d ends with %d", workload->name, kind,
				 b.finding.code);
		if (expected)
			assert_int_equal(b.finding.va, va);
		stop(&b);
	}
}

static void test_final_tables_are_judged(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; workloads[i]; i++) {
		check(workloads[i], false);
		if (workloads[i]->settings & SETTING_CONTENTION)
			check(workloads[i], true);
	}
}

/* A page beyond what the workload knows: only the sum of what is mapped tells. */
static void test_strangers_are_noticed(void **state)
{
	struct bench b;

	(void)state;
	start(&b, workload_find("map-unmap"), false);
	run(&b);
	sabotage_map(&b, UINT64_C(1) << 40, 0);
	trial_verify(b.trial, b.self, &b.finding);
	assert_int_equal(b.finding.code, EXIT_VIOLATION);
	assert_string_equal(b.finding.what, "all that is mapped");
	stop(&b);
}

/* More unmaps than maps: the page is empty as it should be, and yet a call must have lied. */
static void test_books_must_balance(void **state)
{
	struct ledger *ledgers;
	struct bench b;
	uint32_t i;

	(void)state;
	start(&b, workload_find("mixed"), true);
	run(&b);
	ledgers = b.trial->state;
	for (i = 0; i < b.trial->shared_area.pages; i++)
		if (ledgers[0].net[i] + ledgers[1].net[i] == 0)
			break;
	if (i == b.trial->shared_area.pages)
		i = 0;
	ledgers[1].net[i] = -1 - ledgers[0].net[i];
	trial_verify(b.trial, b.self, &b.finding);
	assert_int_equal(b.finding.code, EXIT_VIOLATION);
	assert_string_equal(b.finding.what, "successful maps less unmaps");
	stop(&b);
}

/* While it runs: the thread that meets the page says so, and the others stop. */
static void expect_noticed(const char *name, bool mapped_before)
{
	struct pt_mapping was;
	struct bench b;
	pt_va_t va;

	start(&b, workload_find(name), false);
	b.config.duration_ns = UINT64_C(60000000000);
	va = a_page(&b, &was);
	assert_int_equal(was.kind == PT_KIND_LEAF, mapped_before);
	if (mapped_before)
		sabotage_unmap(&b, va);
	else
		sabotage_map(&b, va, 0);
	assert_int_equal(crew_run(&b.crew, &b.finding), EXIT_VIOLATION);
	assert_int_equal(b.finding.va, va);
	assert_true(b.finding.thread >= 0);
	stop(&b);
}

static void test_running_threads_notice(void **state)
{
	(void)state;
	expect_noticed("query", true);
	expect_noticed("query-beside-writer", true);
	expect_noticed("protect", false);
	expect_noticed("map", false);
	expect_noticed("unmap", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_final_tables_are_judged),
		cmocka_unit_test(test_strangers_are_noticed),
		cmocka_unit_test(test_books_must_balance),
		cmocka_unit_test(test_running_threads_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
