/* SPDX-License-Identifier: MIT */
/* User tables that share the kernel half, which is the table that the model describes. */
#include "model.h"

static pt_pa_t own_frame(const struct world *w, unsigned i)
{
	return FRAMES + i * w->fx->page;
}

static pt_va_t own_page(const struct world *w, unsigned i)
{
	pt_va_t first, last;

	pt_table_range(w->users[i], &first, &last);
	return first;
}

static void open_user(struct world *w, unsigned i)
{
	struct pt_config config = w->fx->config;

	config.role = PT_ROLE_USER;
	config.kernel = w->fx->table;
	expect_ok(pt_table_create(w->fx->self, &config, &w->users[i]));
	expect_ok(pt_map(w->fx->self, w->users[i], own_page(w, i), w->fx->page, own_frame(w, i), RW,
			 1));
}

static void close_user(struct world *w, unsigned i)
{
	expect_ok(pt_table_destroy(w->fx->self, w->users[i]));
	w->users[i] = NULL;
}

void open_users(struct world *w)
{
	for (unsigned i = 0; i < MODEL_USERS; i++)
		open_user(w, i);
}

void close_users(struct world *w)
{
	for (unsigned i = 0; i < MODEL_USERS && w->users[i]; i++)
		close_user(w, i);
}

struct pt_table *random_view(struct world *w)
{
	unsigned i = (unsigned)random_below(w, MODEL_USERS + 1);

	return i < MODEL_USERS && w->users[i] ? w->users[i] : w->fx->table;
}

/* What the kernel's table holds is not the user's to change. */
static void expect_refusals(struct world *w, struct pt_table *user)
{
	struct pt_thread *self = w->fx->self;
	uint64_t page = w->fx->page;
	pt_va_t va = random_page(w);

	succeeded(w, pt_map(self, user, va, page, FRAMES, RW, 1), ERROR_BIT(ERANGE));
	succeeded(w, pt_unmap(self, user, va, page, NULL, NULL), ERROR_BIT(ERANGE));
	succeeded(w, pt_protect(self, user, va, page, 0, PT_WRITE, NULL, NULL), ERROR_BIT(ERANGE));
	succeeded(w, pt_prune(self, user, va, page, NULL, NULL), ERROR_BIT(ERANGE));
	succeeded(w, pt_table_destroy(self, w->fx->table), ERROR_BIT(EBUSY));
}

void call_user(struct world *w)
{
	unsigned i = (unsigned)random_below(w, MODEL_USERS);
	struct pt_check_report report;
	struct pt_mapping m;

	if (!w->users[i])
		return;
	end_failure(w);
	expect_refusals(w, w->users[i]);
	expect_ok(pt_query(w->fx->self, w->users[i], own_page(w, i), &m));
	assert_int_equal(m.item.pa, own_frame(w, i));
	expect_ok(pt_check(w->fx->self, w->users[i], &report));
	assert_null(report.violation);
	assert_int_equal(report.leaves, 1);
	if (!one_in(w, 4))
		return;
	close_user(w, i);
	open_user(w, i);
}
