/* SPDX-License-Identifier: MIT */
/*
 * Two tables and three threads that hold ranges of both at a time: they begin on one and try for the
 * other, in either order, and move pages from one to the other. Each page is always in one of them;
 * a plain word for each page of each table, which a race detector watches, says who holds it.
 *
 * Then two threads that clone groups of pages in opposite directions, and a third that maps and unmaps
 * groups in both. Whoever looks finds all pages of a group alike: that is C1.
 *
 * test_smoke_tables [milliseconds]
 */
#include "smoke.h"

#define PAGES 12 /* the hot ones, on both sides of a boundary between leaf tables */
#define ENOUGH 100

struct tables {
	struct fixture *fx;
	struct pt_table *table[2];
	pt_va_t first;         /* of the hot pages */
	bool in_second[PAGES]; /* plain, as the owners: whoever holds the page in both tables */
	unsigned owner[2][PAGES];
};

/* A range of hot pages, held in one table. */
struct hold {
	struct smoke_thread *t;
	struct tables *x;
	struct pt_cursor c;
	unsigned from, pages, in;
};

static pt_va_t hot_va(const struct tables *x, unsigned page)
{
	return x->first + page * x->fx->page;
}

static bool hold(struct hold *h, unsigned in, bool try_only)
{
	struct tables *x = h->x;
	struct smoke_thread *t = h->t;
	unsigned top = 1 + (unsigned)smoke_random(t, 2);
	uint64_t len = h->pages * x->fx->page;
	pt_va_t va = hot_va(x, h->from);
	int rc = try_only
			 ? pt_cursor_try_begin(t->self, x->table[in], va, len, PT_BUILD, top, &h->c)
			 : pt_cursor_begin(t->self, x->table[in], va, len, PT_BUILD, top, &h->c);

	require(t, rc == 0 || (try_only && rc == -EBUSY));
	if (rc)
		return false;
	h->in = in;
	for (unsigned i = h->from; i < h->from + h->pages; i++) {
		require(t, !x->owner[in][i]);
		x->owner[in][i] = t->index + 1;
	}
	return true;
}

static void let_go(struct hold *h)
{
	for (unsigned i = h->from; i < h->from + h->pages; i++) {
		require(h->t, h->x->owner[h->in][i] == h->t->index + 1);
		h->x->owner[h->in][i] = 0;
	}
	pt_cursor_end(&h->c);
}

/* Move a page that both cursors hold to the other table. */
static void move(struct hold *first, struct hold *second, unsigned page, struct pt_gather *gathers)
{
	struct smoke_thread *t = first->t;
	struct tables *x = first->x;
	bool in_second = x->in_second[page];
	struct hold *from = first->in == in_second ? first : second;
	struct hold *to = from == first ? second : first;
	struct pt_taken taken;

	require(t, !pt_cursor_jump(&from->c, hot_va(x, page)));
	require(t, !pt_cursor_jump(&to->c, hot_va(x, page)));
	if (pt_cursor_take_next(&from->c, x->fx->page, &gathers[from->in], &taken)) {
		smoke_violation(t->smoke, "a page is not where it was left");
		return;
	}
	require(t, taken.item.pa == FRAMES + page * x->fx->page);
	require(t, !pt_cursor_map(&to->c, &taken.item));
	x->in_second[page] = !in_second;
}

static void hold_both(struct smoke_thread *t)
{
	struct tables *x = t->smoke->test;
	struct hold a = {.t = t, .x = x}, b = {.t = t, .x = x};
	unsigned first = (unsigned)smoke_random(t, 2);
	bool a_first = smoke_random(t, 2);
	struct pt_gather gathers[2];

	for (unsigned i = 0; i < 2; i++)
		pt_gather_init(&gathers[i], t->self, x->table[i], NULL, NULL);
	a.from = (unsigned)smoke_random(t, PAGES);
	a.pages = 1 + (unsigned)smoke_random(t, PAGES - a.from);
	b.from = a.from + (unsigned)smoke_random(t, a.pages);
	b.pages = 1 + (unsigned)smoke_random(t, PAGES - b.from);
	if (!hold(&a, first, false))
		return;
	if (hold(&b, !first, true)) {
		for (unsigned i = b.from; i < b.from + b.pages && i < a.from + a.pages; i++)
			move(&a, &b, i, gathers);
		let_go(a_first ? &a : &b);
		let_go(a_first ? &b : &a);
		atomic_fetch_add_explicit(&t->smoke->seen, 1, memory_order_relaxed);
	} else {
		let_go(&a);
	}
	for (unsigned i = 0; i < 2; i++)
		require(t, !pt_gather_sync(&gathers[i]));
}

static void open_tables(struct tables *x)
{
	struct fixture *fx = x->fx;

	x->table[0] = fx->table;
	expect_ok(pt_table_create(fx->self, &fx->config, &x->table[1]));
	x->first = fx->base - PAGES / 2 * fx->page;
}

/* Return: leaves of both. */
static uint64_t close_tables(struct tables *x)
{
	struct fixture *fx = x->fx;
	struct pt_check_report report;
	uint64_t leaves = check(fx).leaves;

	expect_ok(pt_check(fx->self, x->table[1], &report));
	assert_null(report.violation);
	expect_ok(pt_table_destroy(fx->self, x->table[1]));
	return leaves + report.leaves;
}

static void flush_nothing(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	(void)ctx;
	(void)va;
	(void)len;
	(void)tables;
}

static void pages_move_between_two_tables(struct fixture *fx)
{
	struct tables x = {.fx = fx};
	struct smoke s = {
		.fx = fx,
		.test = &x,
		.seen_at_least = ENOUGH,
		.functions = {hold_both, hold_both, hold_both},
	};

	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		skip();
	fx->config.flush = flush_nothing; /* the fixture's log is for one thread */
	fixture_new_table(fx);
	open_tables(&x);
	for (unsigned i = 0; i < PAGES; i++)
		map(fx, hot_va(&x, i), fx->page, FRAMES + i * fx->page, RW);
	smoke_run(&s);
	assert_int_equal(close_tables(&x), PAGES);
}

/* ---- clones ---- */

#define GROUP 4 /* pages that are mapped, cloned and unmapped together */
#define GROUPS (PAGES / GROUP)

static _Atomic int64_t references; /* relaxed, so that they order nothing */

static int count_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
	atomic_fetch_add_explicit(&references, 1, memory_order_relaxed);
	return 0;
}

static void count_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
	atomic_fetch_sub_explicit(&references, 1, memory_order_relaxed);
}

/* Some groups. */
static uint64_t pick_groups(struct smoke_thread *t, pt_va_t *ret_va)
{
	const struct tables *x = t->smoke->test;
	unsigned first = (unsigned)smoke_random(t, GROUPS);

	*ret_va = hot_va(x, first * GROUP);
	return (1 + smoke_random(t, GROUPS - first)) * GROUP * x->fx->page;
}

static void look_at_groups(struct smoke_thread *t)
{
	struct tables *x = t->smoke->test;
	struct pt_mapping first = {0}, m = {0};
	struct pt_cursor c;
	pt_va_t va;
	uint64_t len = pick_groups(t, &va);

	if (pt_cursor_begin(t->self, x->table[smoke_random(t, 2)], va, len, PT_READ_ONLY, 1, &c)) {
		smoke_violation(t->smoke, "a cursor could not begin");
		return;
	}
	for (uint64_t at = 0; at < len; at += x->fx->page) {
		require(t, !pt_cursor_jump(&c, va + at) && !pt_cursor_query(&c, &m));
		if (at % (GROUP * x->fx->page) == 0)
			first = m;
		require(t, m.kind == first.kind && m.item.prop == first.item.prop);
		require(t, m.kind != PT_KIND_LEAF || m.item.pa - first.item.pa == m.va - first.va);
	}
	pt_cursor_end(&c);
}

static void clone_groups(struct smoke_thread *t)
{
	struct tables *x = t->smoke->test;
	struct pt_table *src = x->table[t->index], *dst = x->table[!t->index];
	uint64_t pages;
	pt_va_t va;
	uint64_t len = pick_groups(t, &va);
	int rc = pt_clone(t->self, src, dst, va, len, 0, PT_WRITE, NULL, &pages);

	require(t, rc == 0 || rc == -EEXIST);
	if (!rc && pages)
		atomic_fetch_add_explicit(&t->smoke->seen, 1, memory_order_relaxed);
	look_at_groups(t);
}

static void change_groups(struct smoke_thread *t)
{
	struct tables *x = t->smoke->test;
	struct pt_table *table = x->table[smoke_random(t, 2)];
	pt_pa_t pa = FRAMES + smoke_random(t, 1 << 16) * PAGES * x->fx->page;
	pt_va_t va;
	uint64_t len = pick_groups(t, &va), pages = len / x->fx->page;
	int rc;

	if (smoke_random(t, 2)) {
		require(t, !pt_unmap(t->self, table, va, len, NULL, NULL));
		return;
	}
	atomic_fetch_add_explicit(&references, (int64_t)pages, memory_order_relaxed);
	rc = pt_map(t->self, table, va, len, pa, RW | PT_TRACKED, 1);
	require(t, rc == 0 || rc == -EEXIST);
	if (rc)
		atomic_fetch_sub_explicit(&references, (int64_t)pages, memory_order_relaxed);
	look_at_groups(t);
}

static void clones_in_both_directions_beside_a_writer(struct fixture *fx)
{
	static const struct pt_item_ops ops = {.clone = count_clone, .drop = count_drop};
	struct tables x = {.fx = fx};
	struct smoke s = {
		.fx = fx,
		.test = &x,
		.seen_at_least = ENOUGH,
		.functions = {clone_groups, clone_groups, change_groups},
	};

	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		skip();
	atomic_store(&references, 0);
	fx->config.item_ops = &ops;
	fx->config.flush = flush_nothing;
	fixture_new_table(fx);
	open_tables(&x);
	smoke_run(&s);
	close_tables(&x);
	fx->config.item_ops = &ledger_ops;
	fixture_new_table(fx);
	assert_int_equal(atomic_load(&references), 0);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		TEST_SYNC(pages_move_between_two_tables),
		TEST(clones_in_both_directions_beside_a_writer),
	};

	smoke_arguments(argc, argv);
	return run_on_all_pairs("smoke tables", cases, sizeof(cases) / sizeof(cases[0]));
}
