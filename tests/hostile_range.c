/* SPDX-License-Identifier: MIT */
/* Calls on a range: what all of them say of the range, and of whose thread and gather it is. */
#include "hostile.h"

static int do_map(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		  uint64_t len)
{
	(void)s;
	return pt_map(self, t, va, len, 0, RW, 1);
}

static int do_unmap(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		    uint64_t len)
{
	(void)s;
	return pt_unmap(self, t, va, len, NULL, NULL);
}

static int do_protect(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		      uint64_t len)
{
	(void)s;
	return pt_protect(self, t, va, len, 0, PT_WRITE, NULL, NULL);
}

static int do_clone(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		    uint64_t len)
{
	return pt_clone(self, t, s->twin, va, len, 0, PT_WRITE, NULL, NULL);
}

static int do_mark(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		   uint64_t len)
{
	(void)s;
	return pt_mark(self, t, va, len, 1);
}

static int do_prune(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		    uint64_t len)
{
	(void)s;
	return pt_prune(self, t, va, len, NULL, NULL);
}

static int do_harvest(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		      uint64_t len)
{
	(void)s;
	return pt_harvest(self, t, va, len, PT_DIRTY, NULL, NULL, NULL, NULL);
}

static int do_merge(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		    uint64_t len)
{
	(void)s;
	return pt_merge(self, t, va, len, 2, NULL);
}

static int do_begin(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
		    uint64_t len)
{
	struct pt_cursor c;
	int rc = pt_cursor_begin(self, t, va, len, PT_BUILD, 1, &c);

	(void)s;
	if (!rc)
		pt_cursor_end(&c);
	return rc;
}

static int do_try_begin(struct scene *s, struct pt_thread *self, struct pt_table *t, pt_va_t va,
			uint64_t len)
{
	struct pt_cursor c;
	int rc = pt_cursor_try_begin(self, t, va, len, PT_BUILD, 1, &c);

	(void)s;
	if (!rc)
		pt_cursor_end(&c);
	return rc;
}

const struct range_call range_calls[] = {
	{"pt_map", do_map},
	{"pt_unmap", do_unmap},
	{"pt_protect", do_protect},
	{"pt_clone", do_clone},
	{"pt_mark", do_mark},
	{"pt_prune", do_prune},
	{"pt_harvest", do_harvest},
	{"pt_merge", do_merge},
	{"pt_cursor_begin", do_begin},
	{"pt_cursor_try_begin", do_try_begin},
};
const unsigned nr_range_calls = COUNT_OF(range_calls);

void refuse_ranges(struct scene *s, struct pt_thread *self, struct pt_table *t,
		   const struct bad_range *bad, size_t n)
{
	for (unsigned k = 0; k < nr_range_calls; k++) {
		for (size_t i = 0; i < n; i++) {
			int rc = range_calls[k].call(s, self, t, bad[i].va, bad[i].len);

			if (rc != -bad[i].error)
				fail_msg("%s, range %zu: %d", range_calls[k].name, i, rc);
			hostile_note(range_calls[k].name, bad[i].error);
		}
	}
}

static void ranges_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base, beyond = fx->last + 1, page = fx->page;
	const struct bad_range bad[] = {
		{va, 0, EINVAL},
		{va, 1, EINVAL},
		{va, page - 1, EINVAL},
		{va, page + 1, EINVAL},
		{va + 1, page, EINVAL},
		{va + page / 2, page, EINVAL},
		{va, END, EINVAL},
		{END, 1, EINVAL},
		{END, END, EINVAL},
		{0, 0, EINVAL},
		{-page, 2 * page, EINVAL},
		{va + page, -page, EINVAL},
		{beyond + 8, page, EINVAL},
		{beyond, 0, EINVAL},
		{beyond, page, ERANGE},
		{beyond - page, 2 * page, ERANGE},
		{fx->first, beyond - fx->first + page, ERANGE},
		{va, -va, ERANGE},
		{-page, page, ERANGE},
		{UINT64_C(1) << 63, page, ERANGE},
		{va ^ UINT64_C(1) << 63, page, ERANGE},
		{UINT64_C(1) << fx->format->va_bits, page, ERANGE},
		{va + (UINT64_C(1) << fx->format->va_bits), page, ERANGE},
	};
	const struct bad_range good = {va, page, EINVAL};

	refuse_ranges(s, fx->self, fx->table, bad, COUNT_OF(bad));
	refuse_ranges(s, s->other.self, fx->table, &good, 1); /* of another pool */
}

/* ---- gathers of another table, thread or pool ---- */

static void refuse_gather(struct scene *s, struct pt_gather *g)
{
	struct fixture *fx = s->fx;
	struct pt_thread *self = fx->self;
	struct pt_table *t = fx->table;
	const pt_va_t va = fx->base, len = fx->page;

	refuse(pt_unmap(self, t, va, len, g, NULL), EINVAL);
	refuse(pt_protect(self, t, va, len, 0, PT_WRITE, g, NULL), EINVAL);
	refuse(pt_clone(self, t, s->twin, va, len, 0, 0, g, NULL), EINVAL);
	refuse(pt_prune(self, t, va, len, g, NULL), EINVAL);
	refuse(pt_harvest(self, t, va, len, PT_DIRTY, NULL, NULL, g, NULL), EINVAL);
}

static void foreign_gathers_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_thread *second;
	struct pt_gather theirs;

	refuse_gather(s, &s->foreign_gather);
	refuse_gather(s, &s->twin_gather);
	expect_ok(pt_thread_register(fx->pool, &second));
	pt_gather_init(&theirs, second, fx->table, NULL, NULL);
	refuse_gather(s, &theirs);
	expect_ok(pt_gather_sync(&theirs));
	expect_ok(pt_thread_unregister(second));
}

const struct hostile_case hostile_ranges[] = {
	{ranges_are_refused, "pt_map pt_unmap pt_protect pt_clone pt_mark pt_prune pt_harvest "
			     "pt_merge pt_cursor_begin pt_cursor_try_begin "},
	{foreign_gathers_are_refused, "pt_unmap pt_protect pt_clone pt_prune pt_harvest "},
	{NULL, NULL},
};
