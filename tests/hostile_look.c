/* SPDX-License-Identifier: MIT */
/* Looking at an address: those that nobody manages, and what is not there or not permitted. */
#include "hostile.h"

static void looks_refuse(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t bits = UINT64_C(1) << fx->format->va_bits;
	const pt_va_t bad[] = {fx->last + 1,      END,
			       UINT64_C(1) << 63, bits,
			       bits + fx->base,   fx->base ^ UINT64_C(1) << 63,
			       -fx->page};
	struct pt_mapping m, was = {.va = 77};
	pt_prop_t prop = 77;
	pt_pa_t pa = 77;

	m = was;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		refuse(pt_walk(fx->self, fx->table, bad[i], &pa, &prop), ERANGE);
		refuse(pt_access(fx->self, fx->table, bad[i], PT_ACCESS_READ, false, &pa), ERANGE);
		refuse(pt_query(fx->self, fx->table, bad[i], &m), ERANGE);
		refuse(pt_query_get(fx->self, fx->table, bad[i], &m), ERANGE);
	}
	refuse(pt_query_get(s->other.self, fx->table, fx->base, &m), EINVAL);
	refuse(pt_walk(fx->self, fx->table, fx->last, &pa, &prop), ENOENT);
	refuse(pt_walk(fx->self, fx->table, fx->base + 2 * fx->giant, &pa, &prop), ENOENT);
	refuse(pt_access(fx->self, fx->table, fx->last, PT_ACCESS_READ, false, &pa), ENOENT);
	assert_true(pa == 77 && prop == 77);
	assert_memory_equal(&m, &was, sizeof(m));
}

/* What each access needs, on a page that has all the rest; nothing is set when it is refused. */
static void accesses_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base + 3 * fx->giant;
	const struct {
		pt_prop_t prop;
		enum pt_access access;
		bool user;
		int error;
	} bad[] = {
		{PT_READ | PT_EXEC | PT_USER, PT_ACCESS_WRITE, false, EACCES},
		{PT_READ | PT_WRITE | PT_USER, PT_ACCESS_EXEC, false, EACCES},
		{PT_READ | PT_WRITE | PT_EXEC, PT_ACCESS_READ, true, EACCES},
		{PT_READ | PT_WRITE | PT_EXEC, PT_ACCESS_EXEC, true, EACCES},
		{PT_WRITE | PT_USER, PT_ACCESS_READ, false, ENOENT}, /* nothing for the MMU */
		{PT_WRITE | PT_USER, PT_ACCESS_WRITE, true, ENOENT},
	};
	pt_pa_t pa = 77;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		map(fx, va, fx->page, FRAMES, bad[i].prop);
		refuse(pt_access(fx->self, fx->table, va, bad[i].access, bad[i].user, &pa),
		       bad[i].error);
		assert_int_equal(query(fx, va).item.prop, bad[i].prop);
		unmap(fx, va, fx->page);
	}
	assert_int_equal(pa, 77);
	expect_ok(pt_prune(fx->self, fx->table, fx->base, 4 * fx->giant, NULL, NULL));
	fx->flushes.n = 0;
}

const struct hostile_case hostile_looks[] = {
	{looks_refuse, "pt_walk pt_access pt_query pt_query_get "},
	{accesses_are_refused, "pt_access "},
	{NULL, NULL},
};
