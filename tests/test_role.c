/* SPDX-License-Identifier: MIT */
/* Kernel, user and device tables: what they share, who keeps whom, what CPUs run on. */
#include "support.h"

static unsigned slots_of(struct fixture *fx)
{
	return 1u << fx->format->index_bits;
}

/* The fixture's table becomes a kernel table; *ret_user borrows from it. */
static void open_both(struct fixture *fx, struct fixture *user)
{
	fx->config.role = PT_ROLE_KERNEL;
	fixture_new_table(fx);
	*user = *fx;
	user->config.role = PT_ROLE_USER;
	user->config.kernel = fx->table;
	expect_ok(pt_table_create(fx->self, &user->config, &user->table));
	pt_table_range(user->table, &user->first, &user->last);
	user->base = user->first + pt_page_size(fx->format, fx->format->levels);
}

static void close_user(struct fixture *user)
{
	expect_ok(pt_table_destroy(user->self, user->table));
}

static void a_kernel_table_has_all_its_top_tables(struct fixture *fx)
{
	unsigned half = slots_of(fx) / 2;
	pt_va_t first, last;

	fx->config.role = PT_ROLE_KERNEL;
	fixture_new_table(fx);
	expect_ok(pt_index_range(fx->format, half, 2 * half, 0, &first, &last));
	assert_int_equal(fx->first, first);
	assert_int_equal(fx->last, last);
	assert_int_equal(check(fx).nodes, 1 + half);
	/* neither removal nor a mark over everything takes them away */
	map(fx, fx->base, 2 * fx->giant, FRAMES, RW);
	unmap(fx, fx->first, fx->last - fx->first + 1);
	assert_int_equal(check(fx).nodes, 1 + half);
	expect_ok(pt_mark(fx->self, fx->table, fx->base, 2 * fx->giant, 1));
	unmap(fx, fx->first, fx->last - fx->first + 1);
	assert_int_equal(check(fx).nodes, 1 + half);
}

static void a_kernel_table_may_be_smaller(struct fixture *fx)
{
	fx->config.role = PT_ROLE_KERNEL;
	fx->config.top_first = slots_of(fx) - 1;
	fx->config.top_end = slots_of(fx);
	fixture_new_table(fx);
	assert_int_equal(check(fx).nodes, 2);
}

static void creation_without_memory_leaves_nothing(struct fixture *fx)
{
	unsigned need = 1 + slots_of(fx) / 2, k;
	struct pt_pool_stats before, after;
	struct pt_table *t = NULL;

	fx->config.role = PT_ROLE_KERNEL;
	for (k = 0; k < need; k++) {
		pt_pool_get_stats(fx->pool, &before);
		pt_thread_fail_alloc(fx->self, k);
		expect_error(pt_table_create(fx->self, &fx->config, &t), ENOMEM);
		assert_null(t);
		pt_pool_get_stats(fx->pool, &after);
		assert_int_equal(before.tables, after.tables);
		assert_int_equal(before.node_bytes, after.node_bytes);
	}
	pt_thread_fail_alloc(fx->self, need);
	expect_ok(pt_table_create(fx->self, &fx->config, &t));
	fx->config.role = PT_ROLE_USER;
	fx->config.kernel = t;
	pt_thread_fail_alloc(fx->self, 0);
	expect_error(pt_table_create(fx->self, &fx->config, &t), ENOMEM);
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	/* no reference was left behind */
	expect_ok(pt_table_destroy(fx->self, t));
}

static void expect_walk(struct fixture *fx, pt_va_t va, pt_pa_t pa)
{
	pt_prop_t prop;
	pt_pa_t walked;

	expect_ok(pt_walk(fx->self, fx->table, va, &walked, &prop));
	assert_int_equal(walked, pa);
}

static void what_the_kernel_maps_later_is_seen_by_all(struct fixture *fx)
{
	struct fixture user;
	struct pt_mapping m;
	pt_prop_t prop;
	pt_pa_t pa;

	open_both(fx, &user);
	expect_error(pt_walk(fx->self, user.table, fx->base, &pa, &prop), ENOENT);
	map(fx, fx->base, 2 * fx->page, FRAMES, RW);
	expect_walk(&user, fx->base + fx->page, FRAMES + fx->page);
	expect_ok(pt_access(fx->self, user.table, fx->base, PT_ACCESS_WRITE, false, &pa));
	assert_int_equal(pa, FRAMES);
	expect_ok(pt_query(fx->self, user.table, fx->base, &m));
	assert_int_equal(m.kind, PT_KIND_LEAF);
	assert_int_equal(m.item.pa, FRAMES);
	assert_true(m.item.prop & PT_DIRTY);
	map(fx, fx->last - fx->page + 1, fx->page, FRAMES, RW);
	expect_walk(&user, fx->last, FRAMES + fx->page - 1);
	unmap(fx, fx->base, fx->giant);
	expect_error(pt_walk(fx->self, user.table, fx->base, &pa, &prop), ENOENT);
	/* the halves are apart */
	map(&user, user.base, fx->page, FRAMES, RW);
	expect_error(pt_walk(fx->self, fx->table, user.base, &pa, &prop), ERANGE);
	check(fx);
	assert_int_equal(check(&user).leaves, 1);
	close_user(&user);
	expect_walk(fx, fx->last, FRAMES + fx->page - 1);
	check(fx);
}

static void a_reference_through_the_user_table_is_the_kernels(struct fixture *fx)
{
	struct fixture user;
	struct pt_mapping m;

	open_both(fx, &user);
	map(fx, fx->base, fx->page, FRAMES, RW | PT_TRACKED);
	expect_ok(pt_query_get(fx->self, user.table, fx->base, &m));
	assert_int_equal(ledger_total(&fx->ledger), 2);
	ledger_ops.drop(&fx->ledger, m.item.pa, m.item.level);
	close_user(&user);
	reclaim(fx);
	assert_int_equal(ledger_total(&fx->ledger), 1);
}

static void changes_of_the_kernel_half_are_refused(struct fixture *fx)
{
	struct fixture user;
	struct pt_cursor c;
	pt_va_t va;

	open_both(fx, &user);
	for (va = fx->base;; va = fx->last - fx->page + 1) {
		expect_error(pt_map(fx->self, user.table, va, fx->page, FRAMES, RW, 1), ERANGE);
		expect_error(pt_unmap(fx->self, user.table, va, fx->page, NULL, NULL), ERANGE);
		expect_error(pt_protect(fx->self, user.table, va, fx->page, 0, 0, NULL, NULL),
			     ERANGE);
		expect_error(pt_mark(fx->self, user.table, va, fx->page, 1), ERANGE);
		expect_error(
			pt_cursor_begin(fx->self, user.table, va, fx->page, PT_READ_ONLY, 1, &c),
			ERANGE);
		if (va != fx->base)
			break;
	}
	close_user(&user);
}

static void a_query_of_the_kernel_half_obeys_the_kernels_rules(struct fixture *fx)
{
	struct fixture user;
	struct pt_mapping m;
	struct pt_cursor c;

	open_both(fx, &user);
	begin_cursor(fx, fx->base, fx->page, PT_CHANGE, &c);
	if (fx->strategy->lock_free_query)
		expect_ok(pt_query(fx->self, user.table, fx->base, &m));
	else
		expect_error(pt_query(fx->self, user.table, fx->base, &m), EDEADLK);
	expect_error(pt_query_get(fx->self, user.table, fx->base, &m), EDEADLK);
	pt_cursor_end(&c);
	close_user(&user);
}

static void a_kernel_table_outlives_its_users(struct fixture *fx)
{
	struct fixture user, other;

	open_both(fx, &user);
	other = user;
	expect_ok(pt_table_create(fx->self, &user.config, &other.table));
	expect_error(pt_table_destroy(fx->self, fx->table), EBUSY);
	close_user(&user);
	expect_error(pt_table_destroy(fx->self, fx->table), EBUSY);
	close_user(&other);
	assert_int_equal(check(fx).nodes, 1 + slots_of(fx) / 2);
}

static void unfit_partners_are_refused(struct fixture *fx)
{
	struct pt_config config = fx->config;
	struct fixture user;
	struct pt_table *t;

	config.role = (enum pt_role)99;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	config.role = PT_ROLE_USER;
	config.kernel = fx->table; /* no kernel table */
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	open_both(fx, &user);
	config = user.config;
	config.role = PT_ROLE_KERNEL;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	config.role = PT_ROLE_DEVICE;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	config.role = PT_ROLE_USER;
	config.top_first = slots_of(fx) / 2; /* they would overlap */
	config.top_end = slots_of(fx);
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	config = user.config;
	config.strategy = fx->strategy->isolation == PT_ISOLATION_NONE ? "rcu" : "bare";
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	close_user(&user);
}

/* Users may synchronise themselves otherwise; in the borrowed half the kernel's strategy holds. */
static void strategies_may_differ(struct fixture *fx)
{
	struct fixture user, other;
	struct pt_mapping m;

	open_both(fx, &user);
	map(fx, fx->base, fx->page, FRAMES, RW);
	other = user;
	for (unsigned i = 0; (other.strategy = pt_strategy_at(i)); i++) {
		if (!pt_pair_exists(fx->format->name, other.strategy->name) ||
		    (other.strategy->isolation == PT_ISOLATION_NONE) !=
			    (fx->strategy->isolation == PT_ISOLATION_NONE))
			continue;
		other.config.strategy = other.strategy->name;
		/* who walks from the user's root must notice that the kernel's tables are reused */
		if (fx->strategy->reuses && !other.strategy->reuses) {
			expect_error(pt_table_create(fx->self, &other.config, &other.table),
				     EINVAL);
			continue;
		}
		expect_ok(pt_table_create(fx->self, &other.config, &other.table));
		expect_walk(&other, fx->base, FRAMES);
		expect_ok(pt_query(fx->self, other.table, fx->base, &m));
		assert_int_equal(m.item.pa, FRAMES);
		map(&other, other.base, fx->page, FRAMES, RW);
		check(&other);
		close_user(&other);
	}
	close_user(&user);
}

/* ---- references and activation ---- */

static void the_last_reference_destroys(struct fixture *fx)
{
	struct pt_pool_stats stats;
	struct pt_table *t;

	fx->config.role = PT_ROLE_DEVICE;
	expect_ok(pt_table_create(fx->self, &fx->config, &t));
	expect_ok(pt_table_get(t));
	expect_error(pt_table_destroy(fx->self, t), EBUSY);
	expect_ok(pt_table_put(fx->self, t));
	pt_pool_get_stats(fx->pool, &stats);
	assert_int_equal(stats.tables, 2);
	expect_ok(pt_map(fx->self, t, fx->base, fx->page, FRAMES, RW, 1));
	expect_ok(pt_table_put(fx->self, t));
	pt_pool_get_stats(fx->pool, &stats);
	assert_int_equal(stats.tables, 1);
}

static void a_put_with_a_cursor_open_is_refused(struct fixture *fx)
{
	struct pt_cursor c;

	expect_ok(pt_table_get(fx->table));
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_table_put(fx->self, fx->table), EBUSY);
	pt_cursor_end(&c);
	expect_ok(pt_table_put(fx->self, fx->table));
}

struct activations {
	pt_pa_t roots[8];
	unsigned n;
};

static void on_activate(void *ctx, pt_pa_t root)
{
	struct activations *log = ctx;

	log->roots[log->n++ % 8] = root;
}

static void a_cpu_keeps_what_it_runs_on(struct fixture *fx)
{
	struct activations log = {.n = 0};
	struct pt_table *a, *b;
	struct pt_cpu cpu = {{0}};
	struct pt_pool_stats stats;
	struct pt_cursor c;
	pt_pa_t root_a, root_b;

	fx->config.activate = on_activate;
	fx->config.activate_ctx = &log;
	expect_ok(pt_table_create(fx->self, &fx->config, &a));
	expect_ok(pt_table_create(fx->self, &fx->config, &b));
	root_a = pt_table_root(a);
	root_b = pt_table_root(b);
	assert_null(pt_cpu_table(&cpu));
	expect_ok(pt_table_activate(fx->self, &cpu, a));
	expect_ok(pt_table_activate(fx->self, &cpu, a));
	assert_int_equal(log.n, 1);
	assert_int_equal(log.roots[0], root_a);
	assert_ptr_equal(pt_cpu_table(&cpu), a);
	expect_error(pt_table_destroy(fx->self, a), EBUSY);
	expect_ok(pt_table_put(fx->self, a)); /* the CPU's reference is the last */
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_table_activate(fx->self, &cpu, b), EDEADLK);
	pt_cursor_end(&c);
	assert_int_equal(log.n, 1);
	expect_ok(pt_table_activate(fx->self, &cpu, b));
	assert_int_equal(log.n, 2);
	assert_int_equal(log.roots[1], root_b);
	pt_pool_get_stats(fx->pool, &stats);
	assert_int_equal(stats.tables, 2);
	expect_error(pt_table_destroy(fx->self, b), EBUSY);
	expect_ok(pt_table_activate(fx->self, &cpu, NULL));
	assert_null(pt_cpu_table(&cpu));
	assert_int_equal(log.n, 2);
	expect_ok(pt_table_destroy(fx->self, b));
}

/* ---- the bound ---- */

static void cursors_end_at_the_bound(struct fixture *fx)
{
	struct pt_mapping m;
	struct pt_cursor c;
	pt_prop_t prop;
	pt_va_t last;
	pt_pa_t pa;

	last = fx->last - fx->page;
	fx->config.bound = last;
	fixture_new_table(fx);
	assert_int_equal(fx->last, last + fx->page);
	expect_ok(pt_map(fx->self, fx->table, last - fx->page + 1, fx->page, FRAMES, RW, 1));
	expect_error(pt_map(fx->self, fx->table, last + 1, fx->page, FRAMES, RW, 1), ERANGE);
	expect_error(pt_map(fx->self, fx->table, last - fx->page + 1, 2 * fx->page, FRAMES, RW, 1),
		     ERANGE);
	expect_error(pt_unmap(fx->self, fx->table, fx->first, fx->last - fx->first + 1, NULL, NULL),
		     ERANGE);
	expect_error(pt_cursor_begin(fx->self, fx->table, last + 1, fx->page, PT_READ_ONLY, 1, &c),
		     ERANGE);
	begin_cursor(fx, fx->first, last - fx->first + 1, PT_READ_ONLY, &c);
	pt_cursor_end(&c);
	expect_ok(pt_query(fx->self, fx->table, last + 1, &m));
	expect_error(pt_walk(fx->self, fx->table, fx->last, &pa, &prop), ENOENT);
}

static void bad_bounds_are_refused(struct fixture *fx)
{
	struct pt_config config = fx->config;
	struct pt_table *t;

	config.bound = fx->last - fx->page + 1;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	config.bound = fx->last + fx->page;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
	config.role = PT_ROLE_KERNEL; /* ends at the end of all addresses, where there is one */
	config.bound = fx->page - 1;
	expect_error(pt_table_create(fx->self, &config, &t), EINVAL);
}

static void protect_has_flushed_when_it_returns(struct fixture *fx)
{
	map(fx, fx->base, 2 * fx->page, FRAMES, RW);
	fx->flushes.n = 0;
	protect(fx, fx->base, 2 * fx->page, 0, PT_WRITE);
	assert_true(was_flushed(fx, fx->base, 2 * fx->page, false));
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_kernel_table_has_all_its_top_tables),
		TEST(a_kernel_table_may_be_smaller),
		TEST(creation_without_memory_leaves_nothing),
		TEST(what_the_kernel_maps_later_is_seen_by_all),
		TEST(a_reference_through_the_user_table_is_the_kernels),
		TEST(changes_of_the_kernel_half_are_refused),
		TEST(a_query_of_the_kernel_half_obeys_the_kernels_rules),
		TEST(a_kernel_table_outlives_its_users),
		TEST(unfit_partners_are_refused),
		TEST(strategies_may_differ),
		TEST(the_last_reference_destroys),
		TEST(a_put_with_a_cursor_open_is_refused),
		TEST(a_cpu_keeps_what_it_runs_on),
		TEST(cursors_end_at_the_bound),
		TEST(bad_bounds_are_refused),
		TEST(protect_has_flushed_when_it_returns),
	};

	return run_on_all_pairs("role", cases, sizeof(cases) / sizeof(cases[0]));
}
