/* SPDX-License-Identifier: MIT */
/* Malformed arguments, and addresses from anywhere: what the header says must come of them. */
#include "model.h"

/* Where sums overflow, where addresses stop being canonical, and beside what the table manages. */
static pt_va_t raw_end(struct world *w)
{
	const struct pt_format_info *f = w->fx->format;
	const pt_va_t half = UINT64_C(1) << (f->va_bits - 1), all = 2 * half;
	const pt_va_t page = random_page(w);
	const pt_va_t ends[] = {
		0,
		UINT64_C(1) << 63,
		half,
		all,
		-half,
		-all,
		w->managed_first,
		w->managed_last + 1,
		w->fx->last + 1,
		page,
		page ^ half,
		page ^ all,
	};

	return ends[random_below(w, sizeof(ends) / sizeof(ends[0]))];
}

static uint64_t raw_number(struct world *w)
{
	uint64_t value = raw_end(w);

	switch (random_below(w, 4)) {
	case 0:
		return value;
	case 1:
		return value + w->fx->page * random_below(w, 4);
	case 2:
		return value - w->fx->page * (1 + random_below(w, 4));
	default:
		return value + random_below(w, 16) - 8;
	}
}

static uint64_t raw_length(struct world *w, pt_va_t va)
{
	switch (random_below(w, 4)) {
	case 0:
		return raw_end(w) - va;
	case 1:
		return raw_number(w);
	case 2:
		return w->fx->huge * random_below(w, 4);
	default:
		return w->fx->page * random_below(w, 4);
	}
}

/* What the header says of ranges; 0: nothing is wrong with this one. */
static uint64_t range_errors(const struct world *w, pt_va_t va, uint64_t len)
{
	if (!len || ((va | len) & (w->fx->page - 1)) || va + (len - 1) < va)
		return ERROR_BIT(EINVAL);
	if (va < w->fx->first || va + (len - 1) > w->fx->last)
		return ERROR_BIT(ERANGE);
	return 0;
}

/* Calls that change nothing of a range that is right but how its edges are split. */
static void raw_range(struct world *w)
{
	pt_va_t va = raw_number(w);
	uint64_t len = raw_length(w, va), errors = range_errors(w, va, len);
	struct pt_thread *self = w->fx->self;
	struct pt_table *t = w->fx->table;
	struct pt_cursor c;

	if (succeeded(w, pt_protect(self, t, va, len, 0, 0, NULL, NULL), errors))
		flat_protect(&w->map, va, va + (len - 1), 0, 0);
	succeeded(w, pt_harvest(self, t, va, len, 0, NULL, NULL, NULL, NULL), errors);
	if (succeeded(w, pt_cursor_begin(self, t, va, len, PT_READ_ONLY, 1, &c), errors)) {
		assert_int_equal(pt_cursor_va(&c), va);
		pt_cursor_end(&c);
	}
	if (!errors)
		return;
	succeeded(w, pt_map(self, t, va, len, FRAMES, RW, 1), errors | ERROR_BIT(EINVAL));
	succeeded(w, pt_unmap(self, t, va, len, NULL, NULL), errors);
	succeeded(w, pt_mark(self, t, va, len, 1), errors);
	succeeded(w, pt_prune(self, t, va, len, NULL, NULL), errors);
	succeeded(w, pt_merge(self, t, va, len, 1, NULL), errors);
}

static void raw_look(struct world *w)
{
	pt_va_t va = raw_number(w);
	bool managed = va >= w->managed_first && va <= w->managed_last;
	struct pt_mapping m;
	pt_prop_t prop;
	pt_pa_t pa;

	if (succeeded(w, pt_query(w->fx->self, w->fx->table, va, &m),
		      managed ? 0 : ERROR_BIT(ERANGE)))
		expect_mapping(w, va, &m);
	if (managed)
		return;
	succeeded(w, pt_walk(w->fx->self, w->fx->table, va, &pa, &prop), ERROR_BIT(ERANGE));
	succeeded(w, pt_access(w->fx->self, w->fx->table, va, PT_ACCESS_READ, false, &pa),
		  ERROR_BIT(ERANGE));
	succeeded(w, pt_query_get(w->fx->self, w->fx->table, va, &m), ERROR_BIT(ERANGE));
}

static void call_malformed(struct world *w)
{
	struct pt_thread *self = w->fx->self;
	struct pt_table *t = w->fx->table;
	pt_va_t va = random_page(w);
	uint64_t page = w->fx->page;

	succeeded(w, pt_map(self, t, va + 8, page, FRAMES, RW, 1), ERROR_BIT(EINVAL));
	succeeded(w, pt_unmap(self, t, va, page / 2, NULL, NULL), ERROR_BIT(EINVAL));
	succeeded(w, pt_protect(self, t, va, page, PT_TRACKED, 0, NULL, NULL), ERROR_BIT(EINVAL));
	succeeded(w, pt_mark(self, t, va, 0, 1), ERROR_BIT(EINVAL));
	succeeded(w, pt_prune(self, t, va + 8, page, NULL, NULL), ERROR_BIT(EINVAL));
	succeeded(w, pt_merge(self, t, va, page, 0, NULL), ERROR_BIT(EINVAL));
	succeeded(w, pt_harvest(self, t, va, page, PT_WRITE, NULL, NULL, NULL, NULL),
		  ERROR_BIT(EINVAL));
	succeeded(w, pt_mark(self, t, w->fx->last + 1, page, 1), ERROR_BIT(ERANGE));
	succeeded(w, pt_unmap(self, t, w->fx->last - (page - 1), 2 * page, NULL, NULL),
		  ERROR_BIT(w->fx->last == UINT64_MAX ? EINVAL : ERANGE));
}

void call_nonsense(struct world *w)
{
	switch (random_below(w, 3)) {
	case 0:
		call_malformed(w);
		break;
	case 1:
		raw_range(w);
		break;
	default:
		raw_look(w);
		break;
	}
}
