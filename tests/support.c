/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* ---- the fixture ---- */

static void on_flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct flush_log *log = ctx;
	unsigned capacity = sizeof(log->calls) / sizeof(log->calls[0]);

	if (log->n < capacity)
		log->calls[log->n] = (struct flush){va, len, tables};
	log->n++;
}

static void open_table(struct fixture *fx)
{
	expect_ok(pt_table_create(fx->self, &fx->config, &fx->table));
	pt_table_range(fx->table, &fx->first, &fx->last);
	fx->base = fx->first + pt_page_size(fx->format, fx->format->levels);
}

void reclaim(struct fixture *fx)
{
	expect_ok(pt_thread_reclaim(fx->self));
}

void *join(struct fixture *fx, pthread_t id)
{
	void *ret = NULL;
	int rc;

	while ((rc = pthread_tryjoin_np(id, &ret)) == EBUSY) {
		pt_thread_quiescent(fx->self);
		sched_yield();
	}
	expect_ok(rc);
	return ret;
}

static void close_table(struct fixture *fx)
{
	expect_ok(pt_table_destroy(fx->self, fx->table));
	reclaim(fx);
	assert_null(fx->ledger.error);
	assert_int_equal(ledger_total(&fx->ledger), 0);
}

unsigned trees(const struct fixture *fx)
{
	return 1u + (pt_table_root_at(fx->table, 1) != pt_table_root(fx->table));
}

void fixture_open(struct fixture *fx, const struct pt_format_info *format,
		  const struct pt_strategy_info *strategy, enum pt_reclaim reclaim)
{
	const struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = format->node_shift,
		.max_bytes = 64 << 20,
		.retired_bound = 8 << 20, /* well below, or a busy machine runs out of nodes */
		.reclaim = reclaim,
		.homes = 2,
	};

	fixture_open_pool(fx, format, strategy, &pool);
}

void fixture_open_pool(struct fixture *fx, const struct pt_format_info *format,
		       const struct pt_strategy_info *strategy, const struct pt_pool_config *pool)
{
	*fx = (struct fixture){
		.format = format,
		.strategy = strategy,
		.page = pt_page_size(format, 1),
		.huge = pt_page_size(format, 2),
		.giant_level = 31 - (unsigned)__builtin_clz(format->leaf_levels),
	};
	fx->giant = pt_page_size(format, fx->giant_level);
	ledger_init(&fx->ledger, format);
	expect_ok(pt_pool_create(pool, &fx->pool));
	expect_ok(pt_thread_register(fx->pool, &fx->self));
	fx->config = (struct pt_config){
		.size = sizeof(fx->config),
		.format = format->name,
		.strategy = strategy->name,
		.node_lock = getenv("PT_NODE_LOCK"), /* any test can run on any kind */
		.pool = fx->pool,
		.item_ops = &ledger_ops,
		.item_ctx = &fx->ledger,
		.flush = on_flush,
		.flush_ctx = &fx->flushes,
	};
	open_table(fx);
}

void fixture_close(struct fixture *fx)
{
	struct pt_pool_stats stats;

	close_table(fx);
	expect_ok(pt_thread_unregister(fx->self));
	pt_pool_get_stats(fx->pool, &stats);
	assert_int_equal(stats.node_bytes, 0);
	assert_int_equal(stats.retired_bytes, 0);
	assert_int_equal(stats.tables, 0);
	assert_int_equal(stats.threads, 0);
	expect_ok(pt_pool_destroy(fx->pool));
	ledger_free(&fx->ledger);
}

void fixture_new_table(struct fixture *fx)
{
	close_table(fx);
	open_table(fx);
}

void fixture_use_upper_half(struct fixture *fx)
{
	unsigned slots = 1u << fx->format->index_bits;

	if (!fx->format->sign_extended)
		skip();
	fx->config.top_first = slots / 2;
	fx->config.top_end = slots;
	fixture_new_table(fx);
}

void fixture_use_leading_bits(struct fixture *fx)
{
	if (fx->format->sign_extended)
		skip();
	fx->config.leading = ~UINT64_C(0) << fx->format->va_bits;
	fixture_new_table(fx);
}

/* ---- the runner ---- */

struct run {
	const struct test_case *test;
	const struct pt_format_info *format;
	const struct pt_strategy_info *strategy;
	struct fixture fx;
};

static int set_up(void **state)
{
	struct run *run = *state;

	fixture_open(&run->fx, run->format, run->strategy, run->test->reclaim);
	return 0;
}

static int tear_down(void **state)
{
	struct run *run = *state;

	fixture_close(&run->fx);
	return 0;
}

static void run_case(void **state)
{
	struct run *run = *state;

	run->test->run(&run->fx);
}

static unsigned count_pairs(void)
{
	unsigned f, s, n = 0;

	for (f = 0; pt_format_at(f); f++)
		for (s = 0; pt_strategy_at(s); s++)
			n += pt_pair_exists(pt_format_at(f)->name, pt_strategy_at(s)->name);
	return n;
}

static struct CMUnitTest make_test(struct run *run)
{
	const char *format = run->format->name;
	const char *strategy = run->strategy->name;
	size_t bytes = strlen(run->test->name) + strlen(format) + strlen(strategy) + 3;
	char *name = malloc(bytes);

	if (!name)
		abort();
	snprintf(name, bytes, "%s/%s/%s", run->test->name, format, strategy);
	return (struct CMUnitTest){
		.name = name,
		.test_func = run_case,
		.setup_func = set_up,
		.teardown_func = tear_down,
		.initial_state = run,
	};
}

/* The positive number that the variable says; 1 if it does not. */
static uint64_t one_in(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t share = text ? strtoull(text, NULL, 10) : 1;

	return share ? share : 1;
}

uint64_t test_share(void)
{
	return one_in("PT_TEST_SHARE");
}

bool test_pair_is_due(size_t number)
{
	return number % one_in("PT_TEST_PAIRS") == 0;
}

/* Has the strategy the kind of node lock that is asked for, if one is? */
static bool has_node_lock(const struct pt_strategy_info *strategy)
{
	const char *name = getenv("PT_NODE_LOCK");

	for (unsigned i = 0; name && pt_node_lock_at(i); i++)
		if (!strcmp(pt_node_lock_at(i), name))
			return strategy->node_locks >> i & 1;
	return true;
}

/* The runs of a case, from @at on. Return: past the last one. */
static struct run *runs_of(const struct test_case *test, size_t number, struct run *at)
{
	size_t pair = 0;

	for (unsigned f = 0; pt_format_at(f); f++) {
		for (unsigned s = 0; pt_strategy_at(s); s++) {
			struct run run = {.test = test,
					  .format = pt_format_at(f),
					  .strategy = pt_strategy_at(s)};

			if (pt_pair_exists(run.format->name, run.strategy->name) &&
			    test_pair_is_due(number + pair++) && has_node_lock(run.strategy))
				*at++ = run;
		}
	}
	return at;
}

int run_on_all_pairs(const char *group, const struct test_case *cases, size_t n)
{
	size_t most = n * count_pairs(), total, i;
	struct CMUnitTest *tests = calloc(most, sizeof(*tests));
	struct run *runs = calloc(most, sizeof(*runs)), *end = runs;
	int failed;

	if (!most || !tests || !runs)
		abort();
	for (i = 0; i < n; i++)
		end = runs_of(&cases[i], i, end);
	total = (size_t)(end - runs);
	for (i = 0; i < total; i++)
		tests[i] = make_test(&runs[i]);
	failed = _cmocka_run_group_tests(group, tests, total, NULL, NULL);
	for (i = 0; i < total; i++)
		free((char *)tests[i].name);
	free(runs);
	free(tests);
	return failed;
}

/* ---- short words ---- */

void get_items(struct fixture *fx, pt_va_t va, uint64_t len, pt_pa_t pa, unsigned max_level)
{
	uint64_t size;

	for (; len; va += size, pa += size, len -= size) {
		int level = pt_largest_page(fx->format, va, pa, len, max_level, &size);

		assert_true(level > 0);
		ledger_get(&fx->ledger, pa, (unsigned)level);
	}
}

void map(struct fixture *fx, pt_va_t va, uint64_t len, pt_pa_t pa, pt_prop_t prop)
{
	unsigned levels = fx->format->levels;

	if (prop & PT_TRACKED)
		get_items(fx, va, len, pa, levels);
	expect_ok(pt_map(fx->self, fx->table, va, len, pa, prop, levels));
}

uint64_t unmap(struct fixture *fx, pt_va_t va, uint64_t len)
{
	uint64_t pages;

	expect_ok(pt_unmap(fx->self, fx->table, va, len, NULL, &pages));
	return pages;
}

uint64_t protect(struct fixture *fx, pt_va_t va, uint64_t len, pt_prop_t set, pt_prop_t clear)
{
	uint64_t pages;

	expect_ok(pt_protect(fx->self, fx->table, va, len, set, clear, NULL, &pages));
	return pages;
}

struct pt_mapping query(struct fixture *fx, pt_va_t va)
{
	struct pt_mapping m;

	expect_ok(pt_query(fx->self, fx->table, va, &m));
	assert_true(m.len && va >= m.va && va - m.va < m.len);
	assert_int_equal(m.len & (m.len - 1), 0);
	assert_int_equal(m.va & (m.len - 1), 0);
	return m;
}

void begin_cursor(struct fixture *fx, pt_va_t va, uint64_t len, enum pt_mode mode,
		  struct pt_cursor *c)
{
	expect_ok(pt_cursor_begin(fx->self, fx->table, va, len, mode, fx->format->levels, c));
	assert_int_equal(pt_cursor_va(c), va);
}

int map_at_cursor(struct pt_cursor *c, pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	struct pt_item item = {.pa = pa, .prop = prop, .level = level};

	return pt_cursor_map(c, &item);
}

/* A cursor on the one page sees what the query saw. */
static void expect_cursor_agrees(struct fixture *fx, pt_va_t va, const struct pt_mapping *m)
{
	pt_va_t page = va & ~(fx->page - 1);
	struct pt_mapping seen;
	struct pt_cursor c;

	expect_ok(pt_cursor_begin(fx->self, fx->table, page, fx->page, PT_READ_ONLY, 1, &c));
	expect_ok(pt_cursor_query(&c, &seen));
	pt_cursor_end(&c);
	assert_int_equal(seen.kind, m->kind);
	assert_int_equal(seen.va, m->va);
	assert_int_equal(seen.len, m->len);
	if (m->kind == PT_KIND_MARK)
		assert_int_equal(seen.mark, m->mark);
	if (m->kind != PT_KIND_LEAF)
		return;
	assert_int_equal(seen.item.pa, m->item.pa);
	assert_int_equal(seen.item.prop, m->item.prop);
	assert_int_equal(seen.item.level, m->item.level);
}

void expect_leaf(struct fixture *fx, pt_va_t va, pt_pa_t pa, pt_prop_t prop, unsigned level)
{
	struct pt_mapping m = query(fx, va);
	pt_prop_t walked_prop;
	pt_pa_t walked;

	assert_int_equal(m.kind, PT_KIND_LEAF);
	assert_int_equal(m.item.level, level);
	assert_int_equal(m.len, pt_page_size(fx->format, level));
	assert_int_equal(m.item.pa + (va - m.va), pa);
	assert_int_equal(m.item.prop, prop);
	expect_cursor_agrees(fx, va, &m);
	if (!(prop & PT_READ)) {
		expect_error(pt_walk(fx->self, fx->table, va, &walked, &walked_prop), ENOENT);
		return;
	}
	expect_ok(pt_walk(fx->self, fx->table, va, &walked, &walked_prop));
	assert_int_equal(walked, pa);
	assert_int_equal(walked_prop, prop);
}

static void expect_no_translation(struct fixture *fx, pt_va_t va)
{
	pt_prop_t prop;
	pt_pa_t pa;

	expect_error(pt_walk(fx->self, fx->table, va, &pa, &prop), ENOENT);
}

void expect_mark(struct fixture *fx, pt_va_t va, uint64_t mark)
{
	struct pt_mapping m = query(fx, va);

	assert_int_equal(m.kind, PT_KIND_MARK);
	assert_int_equal(m.mark, mark);
	expect_cursor_agrees(fx, va, &m);
	expect_no_translation(fx, va);
}

void expect_empty(struct fixture *fx, pt_va_t va)
{
	struct pt_mapping m = query(fx, va);

	assert_int_equal(m.kind, PT_KIND_EMPTY);
	expect_cursor_agrees(fx, va, &m);
	expect_no_translation(fx, va);
}

/* Bytes from @va on that one of the calls covered; 0: none did. */
static uint64_t flushed_at(const struct fixture *fx, pt_va_t va, bool tables)
{
	const unsigned room = sizeof(fx->flushes.calls) / sizeof(fx->flushes.calls[0]);
	unsigned i;

	for (i = 0; i < fx->flushes.n && i < room; i++) {
		const struct flush *f = &fx->flushes.calls[i];

		if (va - f->va < f->len && f->tables >= tables)
			return f->len - (va - f->va);
	}
	return 0;
}

bool was_flushed(const struct fixture *fx, pt_va_t va, uint64_t len, bool tables)
{
	while (len) {
		uint64_t covered = flushed_at(fx, va, tables);

		if (!covered)
			return false;
		if (covered > len)
			covered = len;
		va += covered;
		len -= covered;
	}
	return true;
}

struct pt_check_report check(struct fixture *fx)
{
	struct pt_check_report report;

	expect_ok(pt_check(fx->self, fx->table, &report));
	if (report.violation)
		fail_msg("%s at level %u of %#llx", report.violation, report.level,
			 (unsigned long long)report.va);
	return report;
}
