/* SPDX-License-Identifier: MIT */
/* The ends of what a table manages: of the address space, a bound, and a half that is shared. */
#include "hostile.h"

/* Another table of the scene's pool, configured as @config says; and its end. */
static struct fixture open_table(struct scene *s, const struct pt_config *config)
{
	struct fixture fx = *s->fx;

	expect_ok(pt_table_create(fx.self, config, &fx.table));
	pt_table_range(fx.table, &fx.first, &fx.last);
	return fx;
}

static void close_table(struct scene *s, struct fixture *fx)
{
	assert_int_equal(check(fx).leaves, 0);
	assert_int_equal(check(fx).marks, 0);
	expect_ok(pt_table_destroy(fx->self, fx->table));
	s->fx->flushes.n = 0;
}

/* Where nothing is behind the last address, so that what reaches further wraps around. */
static struct pt_config at_the_end(const struct fixture *fx)
{
	const unsigned slots = 1u << fx->format->index_bits;
	struct pt_config config = fx->config;

	if (fx->format->sign_extended) {
		config.top_first = slots / 2;
		config.top_end = slots;
	} else {
		config.leading = END << fx->format->va_bits;
	}
	return config;
}

static void the_end_of_all_addresses(struct scene *s)
{
	const struct pt_config config = at_the_end(s->fx);
	struct fixture fx = open_table(s, &config);
	const pt_va_t first = fx.first, page = fx.page;
	const struct bad_range bad[] = {
		{-page, 2 * page, EINVAL},
		{-page, END, EINVAL},
		{-page, -page, EINVAL},
		{first, -first + page, EINVAL},
		{first + page, -first, EINVAL},
		{0, page, ERANGE},
		{first - page, page, ERANGE},
		{first - page, 2 * page, ERANGE},
		{first - page, -first, ERANGE},
		{first - page, -first + page, ERANGE},
		{first ^ UINT64_C(1) << 63, page, ERANGE},
		{first ^ UINT64_C(1) << fx.format->va_bits, page, ERANGE},
		{s->fx->base, page, ERANGE},
	};

	assert_int_equal(fx.last, END);
	refuse_ranges(s, fx.self, fx.table, bad, COUNT_OF(bad));
	close_table(s, &fx);
}

/* Looks go further than changes. */
static void behind_a_bound(struct scene *s)
{
	struct pt_config config = s->fx->config;
	const pt_va_t bound = s->fx->base + s->fx->huge + s->fx->page - 1, page = s->fx->page;
	const struct bad_range bad[] = {
		{bound + 1, page, ERANGE},
		{bound + 1 - page, 2 * page, ERANGE},
		{s->fx->first, bound + 1 - s->fx->first + page, ERANGE},
		{s->fx->last + 1 - page, page, ERANGE},
		{bound, page, EINVAL},
	};
	struct pt_mapping m;
	struct fixture fx;
	pt_prop_t prop;
	pt_pa_t pa;

	config.bound = bound;
	fx = open_table(s, &config);
	refuse_ranges(s, fx.self, fx.table, bad, COUNT_OF(bad));
	refuse(pt_walk(fx.self, fx.table, bound + 1, &pa, &prop), ENOENT);
	refuse(pt_access(fx.self, fx.table, fx.last, PT_ACCESS_READ, false, &pa), ENOENT);
	expect_ok(pt_query(fx.self, fx.table, fx.last, &m));
	assert_int_equal(m.kind, PT_KIND_EMPTY);
	refuse(pt_query(fx.self, fx.table, fx.last + 1, &m), ERANGE);
	close_table(s, &fx);
}

/* What a user table borrows is not its own to change, nor is the rest the kernel's. */
static void shared_halves(struct scene *s)
{
	struct pt_config config = s->fx->config;
	struct fixture kernel, user;
	struct pt_mapping m;
	pt_prop_t prop;
	pt_pa_t pa;

	config.role = PT_ROLE_KERNEL;
	kernel = open_table(s, &config);
	config = s->fx->config;
	config.kernel = kernel.table;
	user = open_table(s, &config);
	{
		const pt_va_t theirs = kernel.first, page = user.page;
		const struct bad_range beyond[] = {
			{theirs, page, ERANGE},
			{kernel.last + 1 - page, page, ERANGE},
			{user.last + 1 - page, 2 * page, ERANGE},
		};
		const struct bad_range below[] = {
			{user.first, page, ERANGE},
			{user.last + 1 - page, page, ERANGE},
			{theirs - page, 2 * page, ERANGE},
		};

		refuse_ranges(s, user.self, user.table, beyond, COUNT_OF(beyond));
		refuse_ranges(s, kernel.self, kernel.table, below, COUNT_OF(below));
	}
	refuse(pt_walk(user.self, kernel.table, user.last, &pa, &prop), ERANGE);
	refuse(pt_access(user.self, kernel.table, user.last, PT_ACCESS_READ, false, &pa), ERANGE);
	refuse(pt_query(user.self, kernel.table, user.last, &m), ERANGE);
	refuse(pt_query_get(user.self, kernel.table, user.last, &m), ERANGE);
	refuse(pt_walk(user.self, user.table, kernel.last, &pa, &prop), ENOENT);
	expect_ok(pt_query(user.self, user.table, kernel.last, &m));
	expect_ok(pt_query_get(user.self, user.table, kernel.last, &m));
	refuse(pt_query_get(s->other.self, user.table, kernel.last, &m), EINVAL);
	refuse(pt_table_destroy(kernel.self, kernel.table), EBUSY); /* it has a user */
	close_table(s, &user);
	close_table(s, &kernel);
}

/* ---- on the bounds ---- */

static void use_ends(struct fixture *fx)
{
	const pt_pa_t last_frame = (UINT64_C(1) << fx->format->pa_bits) - fx->page;
	const pt_va_t last_page = fx->last + 1 - fx->page;
	const uint64_t most = (UINT64_C(1) << fx->format->mark_bits) - 1;
	const uint64_t len = last_page - fx->first + fx->page; /* 0: of all addresses */
	unsigned levels = fx->format->levels;

	expect_ok(pt_map(fx->self, fx->table, last_page, fx->page, last_frame, RW, levels));
	expect_leaf(fx, last_page, last_frame, RW, 1);
	expect_ok(pt_map(fx->self, fx->table, fx->first, fx->page, 0, RW, levels));
	expect_leaf(fx, fx->first, 0, RW, 1);
	expect_ok(pt_mark(fx->self, fx->table, last_page - fx->page, fx->page, most));
	expect_mark(fx, last_page - 1, most);
	expect_ok(pt_mark(fx->self, fx->table, last_page - fx->page, fx->page, 0));
	expect_mark(fx, last_page - 1, 0);
	expect_ok(pt_merge(fx->self, fx->table, fx->first, len, levels, NULL));
	expect_ok(pt_merge(fx->self, fx->table, fx->first, len, 1, NULL));
	expect_ok(pt_harvest(fx->self, fx->table, last_page, fx->page, 0, NULL, NULL, NULL, NULL));
	assert_int_equal(unmap(fx, fx->first, len), 2);
	expect_ok(pt_prune(fx->self, fx->table, fx->first, len, NULL, NULL));
	assert_true(check(fx).nodes == 1 || fx->config.bound); /* tables that reach further stay */
}

static void cursor_at_ends(struct fixture *fx)
{
	const uint64_t len = fx->last - fx->first + 1;
	const pt_va_t last_page = fx->last + 1 - fx->page;
	struct pt_cursor c;
	pt_va_t va;

	begin_cursor(fx, fx->first, len, PT_BUILD, &c);
	expect_ok(pt_cursor_jump(&c, last_page));
	expect_ok(map_at_cursor(&c, FRAMES, RW, 1));
	assert_int_equal(pt_cursor_va(&c), fx->last + 1); /* 0: it has wrapped around */
	expect_error(map_at_cursor(&c, FRAMES, RW, 1), ERANGE);
	refuse(pt_cursor_find_next(&c, fx->page, &va), ERANGE);
	expect_ok(pt_cursor_jump(&c, fx->first));
	expect_ok(pt_cursor_find_next(&c, len, &va));
	assert_int_equal(va, last_page);
	pt_cursor_end(&c);
	assert_int_equal(unmap(fx, last_page, fx->page), 1);
	expect_ok(pt_prune(fx->self, fx->table, fx->first, len, NULL, NULL));
}

void bounds_are_inclusive(struct fixture *fx)
{
	const struct pt_config plain = fx->config;

	use_ends(fx);
	cursor_at_ends(fx);
	fx->config = at_the_end(fx);
	fixture_new_table(fx);
	use_ends(fx);
	cursor_at_ends(fx);
	fx->config = plain;
	fx->config.bound = fx->page * 3 - 1;
	fixture_new_table(fx);
	fx->last = fx->config.bound; /* what changes may reach */
	use_ends(fx);
	cursor_at_ends(fx);
}

const struct hostile_case hostile_edges[] = {
	{the_end_of_all_addresses, "pt_map pt_unmap pt_protect pt_clone pt_mark pt_prune "
				   "pt_harvest pt_merge pt_cursor_begin pt_cursor_try_begin "},
	{behind_a_bound, "pt_walk pt_access pt_query "},
	{shared_halves, "pt_walk pt_access pt_query pt_query_get "},
	{NULL, NULL},
};
