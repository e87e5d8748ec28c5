/* SPDX-License-Identifier: MIT */
/* Strategies with a tree for each NUMA home: where the trees lie, and when each follows the others. */
#include "support.h"

/* Two threads, of home 0 and home 1, which this system thread both plays. */
struct pair {
	struct fixture *fx;
	struct pt_thread *far;
};

static void open_pair(struct pair *p, struct fixture *fx)
{
	if (!fx->strategy->replicates)
		skip();
	fx->config.stats = true;
	fixture_new_table(fx);
	p->fx = fx;
	expect_ok(pt_thread_register(fx->pool, &p->far));
	expect_ok(pt_thread_set_home(p->far, 1));
}

static void close_pair(struct pair *p)
{
	check(p->fx);
	expect_ok(pt_thread_unregister(p->far));
}

static struct pt_stats stats(const struct pair *p)
{
	struct pt_stats s;

	expect_ok(pt_table_get_stats(p->fx->table, &s));
	return s;
}

static struct pt_mapping look(const struct pair *p, struct pt_thread *self, pt_va_t va)
{
	struct pt_mapping m;

	expect_ok(pt_query(self, p->fx->table, va, &m));
	return m;
}

static void a_query_brings_its_tree_forward_and_no_other(struct fixture *fx)
{
	struct pair p;

	open_pair(&p, fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	assert_int_equal(stats(&p).appended, 1);
	assert_int_equal(look(&p, fx->self, fx->base).kind, PT_KIND_LEAF);
	assert_int_equal(stats(&p).replayed, 0);
	assert_int_equal(look(&p, p.far, fx->base).kind, PT_KIND_LEAF);
	assert_int_equal(stats(&p).replayed, 1);
	assert_int_equal(look(&p, p.far, fx->base).item.pa, FRAMES);
	assert_int_equal(stats(&p).replayed, 1);
	assert_int_equal(stats(&p).combined, 0);
	close_pair(&p);
}

static void a_walk_waits_for_nobody_and_misses_nothing(struct fixture *fx)
{
	struct pair p;
	pt_prop_t prop;
	pt_pa_t pa;

	open_pair(&p, fx);
	map(fx, fx->base, fx->page, FRAMES, RW);
	expect_ok(pt_walk(p.far, fx->table, fx->base, &pa, &prop));
	assert_int_equal(pa, FRAMES);
	assert_int_equal(stats(&p).replayed, 0);
	close_pair(&p);
}

static void bits_are_those_of_all_trees(struct fixture *fx)
{
	const pt_prop_t used = PT_ACCESSED | PT_DIRTY;
	struct pair p;
	pt_pa_t pa;

	open_pair(&p, fx);
	map(fx, fx->base, 2 * fx->page, FRAMES, RW);
	look(&p, p.far, fx->base);
	expect_ok(pt_access(p.far, fx->table, fx->base, PT_ACCESS_WRITE, false, &pa));
	assert_int_equal(look(&p, fx->self, fx->base).item.prop & used, used);
	assert_int_equal(look(&p, fx->self, fx->base + fx->page).item.prop & used, 0);
	/* that of another life of the page counts no more, whether the other tree knows or not */
	unmap(fx, fx->base, fx->page);
	map(fx, fx->base, fx->page, FRAMES, RW);
	assert_int_equal(look(&p, fx->self, fx->base).item.prop & used, 0);
	assert_int_equal(look(&p, p.far, fx->base).item.prop & used, 0);
	close_pair(&p);
}

/* A record that concerns no page does not hide what a tree that is behind knows of the first one. */
static void marks_hide_no_bits(struct fixture *fx)
{
	const pt_prop_t used = PT_ACCESSED | PT_DIRTY;
	struct pt_cursor c;
	struct pair p;
	pt_pa_t pa;

	open_pair(&p, fx);
	map(fx, fx->first, fx->page, FRAMES, RW);
	look(&p, p.far, fx->first);
	expect_ok(pt_access(p.far, fx->table, fx->first, PT_ACCESS_WRITE, false, &pa));
	expect_ok(pt_cursor_begin(fx->self, fx->table, fx->first + fx->page, fx->page, PT_BUILD, 1,
				  &c));
	expect_ok(pt_cursor_mark(&c, fx->page, 1));
	pt_cursor_end(&c);
	assert_int_equal(look(&p, fx->self, fx->first).item.prop & used, used);
	close_pair(&p);
}

static void a_log_that_is_full_is_replayed(struct fixture *fx)
{
	const unsigned pages = 1u << fx->format->index_bits;
	struct pair p;

	open_pair(&p, fx);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < pages; i++) {
			pt_va_t va = fx->base + i * fx->page;

			map(fx, va, fx->page, FRAMES + (va - fx->base), RW);
			if (round < 2)
				unmap(fx, va, fx->page);
		}
	assert_true(stats(&p).appended >= 5 * pages);
	for (unsigned i = 0; i < pages; i++)
		assert_int_equal(look(&p, p.far, fx->base + i * fx->page).item.pa,
				 FRAMES + i * fx->page);
	assert_int_equal(stats(&p).replayed, stats(&p).appended);
	close_pair(&p);
}

static void each_tree_is_of_the_memory_of_its_home(struct fixture *fx)
{
	struct pt_home_stats before[2], after[2];
	struct pair p;

	open_pair(&p, fx);
	assert_true(pt_table_root_at(fx->table, 0) != pt_table_root_at(fx->table, 1));
	for (unsigned home = 0; home < 2; home++)
		expect_ok(pt_pool_get_home_stats(fx->pool, home, &before[home]));
	assert_true(before[1].node_bytes);
	map(fx, fx->base, fx->page, FRAMES, RW);
	for (unsigned home = 0; home < 2; home++) {
		expect_ok(pt_pool_get_home_stats(fx->pool, home, &after[home]));
		assert_int_equal(after[home].strayed_bytes, 0);
	}
	assert_int_equal(after[1].node_bytes - before[1].node_bytes,
			 (fx->format->levels - 1) << fx->format->node_shift);
	close_pair(&p);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_query_brings_its_tree_forward_and_no_other),
		TEST(a_walk_waits_for_nobody_and_misses_nothing),
		TEST(bits_are_those_of_all_trees),
		TEST(marks_hide_no_bits),
		TEST(a_log_that_is_full_is_replayed),
		TEST(each_tree_is_of_the_memory_of_its_home),
	};

	return run_on_all_pairs("replicated", cases, sizeof(cases) / sizeof(cases[0]));
}
