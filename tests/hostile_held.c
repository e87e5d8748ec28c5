/* SPDX-License-Identifier: MIT */
/* While a thread holds a cursor, it may do little else; nor may others there. */
#include <string.h>

#include "hostile.h"

static void refuse_ranges_held(struct scene *s, struct pt_table *t)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base + 3 * fx->giant;
	const struct bad_range held = {va, fx->page, EDEADLK};

	for (unsigned k = 0; k < nr_range_calls; k++) {
		bool tries = !strcmp(range_calls[k].name, "pt_cursor_try_begin");
		bool clones = !strcmp(range_calls[k].name, "pt_clone");

		/* To try is what may be done on another table; the twin cannot be cloned to itself. */
		if (t == s->twin && (tries || clones))
			continue;
		if (range_calls[k].call(s, fx->self, t, held.va, held.len) != -EDEADLK)
			fail_msg("%s", range_calls[k].name);
		hostile_note(range_calls[k].name, EDEADLK);
	}
}

/* Also what lies elsewhere in the table, and in others. */
static void who_holds_may_not_block(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_thread *self = fx->self;
	struct pt_check_report report;
	struct pt_mapping m = {.va = 77};
	struct pt_cursor c;

	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	refuse_ranges_held(s, fx->table);
	refuse(pt_query_get(self, fx->table, fx->base, &m), EDEADLK);
	refuse(pt_query_get(self, s->twin, fx->base, &m), EDEADLK);
	if (!fx->strategy->lock_free_query) {
		refuse(pt_query(self, fx->table, fx->base, &m), EDEADLK);
		refuse(pt_query(self, s->twin, fx->base, &m), EDEADLK);
	}
	refuse(pt_check(self, fx->table, &report), EDEADLK);
	refuse(pt_check(self, s->twin, &report), EDEADLK);
	refuse(pt_gather_sync(&s->gather), EDEADLK);
	refuse(pt_gather_sync(&s->twin_gather), EDEADLK);
	refuse(pt_thread_reclaim(self), EDEADLK);
	refuse(pt_thread_set_home(self, 1), EBUSY);
	refuse(pt_thread_set_home(self, 0), EBUSY); /* where it is */
	refuse(pt_thread_unregister(self), EBUSY);
	assert_int_equal(m.va, 77);
	pt_cursor_end(&c);
}

static void held_tables_stay(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_thread *self = fx->self;
	struct pt_cpu cpu = {{0}}, second = {{0}};
	struct pt_cursor c;

	expect_ok(pt_table_activate(self, &cpu, fx->table));
	expect_ok(pt_table_activate(self, &second, s->twin));
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	refuse(pt_table_destroy(self, fx->table), EBUSY);
	refuse(pt_table_put(self, fx->table), EBUSY);
	refuse(pt_table_activate(self, &cpu, NULL), EBUSY);
	refuse(pt_table_activate(self, &cpu, s->twin), EBUSY);
	refuse(pt_table_destroy(self, s->twin), EDEADLK);
	refuse(pt_table_put(self, s->twin), EDEADLK);
	refuse(pt_table_activate(self, &second, NULL), EDEADLK);
	refuse(pt_table_activate(self, &second, fx->table), EDEADLK);
	assert_ptr_equal(pt_cpu_table(&cpu), fx->table);
	assert_ptr_equal(pt_cpu_table(&second), s->twin);
	pt_cursor_end(&c);
	expect_ok(pt_table_activate(self, &cpu, NULL));
	expect_ok(pt_table_activate(self, &second, NULL));
}

/* A cursor of another table beside this one: calls on ranges of either are refused. */
static void who_holds_two_may_not_block(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_cursor c, second;

	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &c);
	expect_ok(
		pt_cursor_try_begin(fx->self, s->twin, fx->base, fx->page, PT_CHANGE, 1, &second));
	refuse_ranges_held(s, fx->table);
	refuse_ranges_held(s, s->twin);
	pt_cursor_end(&c);
	refuse_ranges_held(s, s->twin);
	refuse(pt_table_destroy(fx->self, s->twin), EBUSY);
	pt_cursor_end(&second);
}

/* Somebody else holds the page. That is another registration of this thread: nobody waits. */
static void what_others_hold_is_busy(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_thread *holder;
	struct pt_cursor theirs, c;

	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		return; /* nobody else may use the table, or holds anything */
	expect_ok(pt_thread_register(fx->pool, &holder));
	expect_ok(pt_cursor_begin(holder, fx->table, fx->base, fx->page, PT_CHANGE, 1, &theirs));
	for (int mode = PT_READ_ONLY; mode <= PT_BUILD; mode++)
		refuse(pt_cursor_try_begin(fx->self, fx->table, fx->base, fx->giant,
					   (enum pt_mode)mode, fx->giant_level, &c),
		       EBUSY);
	pt_cursor_end(&theirs);
	expect_ok(pt_thread_unregister(holder));
}

const struct hostile_case hostile_held[] = {
	{who_holds_may_not_block, "pt_query pt_query_get pt_check pt_gather_sync pt_thread_reclaim "
				  "pt_thread_set_home pt_thread_unregister "},
	{held_tables_stay, "pt_table_destroy pt_table_put pt_table_activate "},
	{who_holds_two_may_not_block, "pt_table_destroy "},
	{what_others_hold_is_busy, "pt_cursor_try_begin "},
	{NULL, NULL},
};
