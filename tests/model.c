/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "model.h"

/* ---- random values ---- */

/* As few bytes as can say it: then a byte changed is one choice changed. */
static uint64_t byte_below(struct world *w, uint64_t bound)
{
	uint64_t value = 0;

	for (uint64_t left = bound - 1; left && w->nr_bytes; left >>= 8) {
		value = value << 8 | *w->bytes++;
		w->nr_bytes--;
	}
	return value % bound;
}

uint64_t random_below(struct world *w, uint64_t bound)
{
	uint64_t z;

	if (w->bytes)
		return byte_below(w, bound);
	z = w->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % bound;
}

/* A boundary between blocks, or an end of the table; relative to the first address. */
static uint64_t random_anchor(struct world *w)
{
	const uint64_t span = w->fx->last - w->fx->first + 1;
	const uint64_t root_slot = pt_page_size(w->fx->format, w->fx->format->levels);

	switch (random_below(w, 6)) {
	case 0:
		return 0;
	case 1:
		return span;
	case 2:
		return root_slot;
	case 3:
		return root_slot + w->fx->giant;
	case 4:
		return span / 2;
	default:
		return w->fx->huge * (1 + random_below(w, 3));
	}
}

static uint64_t random_step(struct world *w)
{
	switch (random_below(w, 8)) {
	case 0:
		return w->fx->giant * random_below(w, 3);
	case 1:
	case 2:
		return w->fx->huge * random_below(w, 4);
	default:
		return w->fx->page * random_below(w, 9);
	}
}

pt_va_t random_page(struct world *w)
{
	const uint64_t span = w->fx->last - w->fx->first + 1;
	uint64_t at = random_anchor(w);

	if (one_in(w, 2))
		at += random_step(w);
	else
		at -= random_step(w);
	if (one_in(w, 4))
		at -= w->fx->page;
	return w->fx->first + ((at < span ? at : at % span) & ~(w->fx->page - 1));
}

void random_range(struct world *w, pt_va_t *ret_va, pt_va_t *ret_last)
{
	pt_va_t va = random_page(w);
	uint64_t len = w->fx->page;

	if (one_in(w, 200)) {
		*ret_va = w->fx->first;
		*ret_last = w->fx->last;
		return;
	}
	if (!one_in(w, 3))
		len += random_step(w);
	if (one_in(w, 4))
		len = random_step(w) + w->fx->huge;
	if (len - 1 > w->fx->last - va)
		len = w->fx->last - va + 1;
	*ret_va = va;
	*ret_last = va + (len - 1);
}

pt_pa_t random_frame(struct world *w, pt_va_t va)
{
	pt_pa_t pa = FRAMES + (va & ((w->frames_span ? w->frames_span : 4 * w->fx->giant) - 1));

	if (one_in(w, 5))
		pa += w->fx->page * random_below(w, 16);
	if (one_in(w, 5))
		pa += w->fx->huge;
	return pa;
}

pt_prop_t random_prop(struct world *w)
{
	pt_prop_t prop = (pt_prop_t)random_below(w, PT_CACHE_MASK) & w->fx->format->props;
	unsigned cache = (unsigned)random_below(w, PT_CACHE_NR);

	if (!one_in(w, 6))
		prop |= PT_READ;
	if (one_in(w, 4) && (w->fx->format->caches >> cache & 1))
		prop |= PT_CACHE(cache);
	return prop;
}

uint64_t random_mark(struct world *w)
{
	const uint64_t end = UINT64_C(1) << w->fx->format->mark_bits;

	return one_in(w, 4) ? random_below(w, end) : one_in(w, 8) ? end - 1 : random_below(w, 3);
}

void random_failure(struct world *w)
{
	w->failing = one_in(w, 10);
	if (w->failing)
		pt_thread_fail_alloc(w->fx->self, random_below(w, 8));
}

void end_failure(struct world *w)
{
	if (w->failing)
		pt_thread_fail_alloc(w->fx->self, UINT64_MAX);
	w->failing = false;
}

/* ---- comparing ---- */

bool succeeded(struct world *w, int rc, uint64_t errors)
{
	w->calls++;
	if (rc == -ENOMEM && w->failing) {
		w->enomem++;
		return false;
	}
	if (!errors && rc)
		fail_msg("returned %d, should have succeeded", rc);
	if (errors && (rc >= 0 || !(errors >> -rc & 1)))
		fail_msg("returned %d, should have failed otherwise", rc);
	return !rc;
}

bool succeeded_anyway(struct world *w, int rc, uint64_t errors)
{
	assert_int_not_equal(rc, -ENOMEM);
	return succeeded(w, rc, errors);
}

void expect_item(const struct pt_item *a, const struct pt_item *b)
{
	assert_int_equal(a->pa, b->pa);
	assert_int_equal(a->prop, b->prop);
	assert_int_equal(a->level, b->level);
}

struct leaf model_leaf(struct world *w, pt_va_t va)
{
	const struct extent *e = flat_at(&w->map, va);
	pt_va_t start = flat_leaf_va(&w->map, e, va);

	return (struct leaf){
		.va = start,
		.item = {.pa = e->pa + (start - e->first), .prop = e->prop, .level = e->level},
	};
}

void expect_mapping(struct world *w, pt_va_t va, const struct pt_mapping *m)
{
	const struct extent *e = flat_at(&w->map, va);
	pt_va_t last = m->va + (m->len - 1);

	assert_true(m->len && va - m->va < m->len);
	assert_int_equal(m->kind, e ? e->kind : PT_KIND_EMPTY);
	if (!e) {
		pt_va_t first = m->va < w->fx->first ? w->fx->first : m->va;
		size_t i = flat_lower(&w->map, first);

		assert_true(i == w->map.n || w->map.extents[i].first > last);
	} else if (e->kind == PT_KIND_MARK) {
		assert_int_equal(m->mark, e->mark);
		assert_true(e->first <= m->va && e->last >= last);
	} else {
		struct leaf leaf = model_leaf(w, va);

		assert_int_equal(m->va, leaf.va);
		assert_int_equal(m->len, pt_page_size(w->fx->format, leaf.item.level));
		expect_item(&m->item, &leaf.item);
	}
}

/* Figures of a table that counts: nodes are those that are there, locks only become more. */
static void expect_stats(struct world *w, uint64_t nodes)
{
	struct pt_stats stats, own;

	if (!w->fx->config.stats)
		return;
	expect_ok(pt_table_get_stats(w->fx->table, &stats));
	expect_ok(pt_thread_get_stats(w->fx->self, w->fx->table, &own));
	assert_memory_equal(&stats, &own, sizeof(own)); /* there is one thread */
	if (!w->gather_open)
		assert_int_equal(stats.nodes_taken - stats.nodes_given, trees(w->fx) * nodes);
	assert_true(stats.locks >= w->locks + (w->fx->strategy->isolation == PT_ISOLATION_RANGE));
	assert_int_equal(stats.contended + stats.retries + stats.uncounted, 0);
	w->locks = stats.locks;
}

void expect_all(struct world *w)
{
	struct pt_check_report report = check(w->fx);

	assert_int_equal(report.mapped_bytes,
			 flat_pages(&w->map, w->fx->first, w->fx->last) * w->fx->page);
	dump_expect_model(w->fx, &w->map);
	expect_stats(w, report.nodes);
	if (w->gather_open)
		return;
	reclaim(w->fx);
	expect_references(w);
}

/* ---- what is removed ---- */

static void add_leaf(struct leaves *leaves, pt_va_t va, const struct pt_item *item)
{
	if (leaves->n == leaves->capacity) {
		leaves->capacity = 2 * leaves->capacity + 64;
		leaves->of = realloc(leaves->of, leaves->capacity * sizeof(*leaves->of));
		if (!leaves->of)
			abort();
	}
	leaves->of[leaves->n++] = (struct leaf){va, *item};
}

void note_removed(struct world *w, pt_va_t first, pt_va_t last)
{
	size_t i;

	for (i = flat_lower(&w->map, first); i < w->map.n && w->map.extents[i].first <= last; i++) {
		const struct extent *e = &w->map.extents[i];
		uint64_t size, at;

		if (e->kind != PT_KIND_LEAF)
			continue;
		size = pt_page_size(w->fx->format, e->level);
		for (at = 0; at <= e->last - e->first; at += size) {
			struct pt_item item = {
				.pa = e->pa + at, .prop = e->prop, .level = e->level};

			add_leaf(&w->expected, e->first + at, &item);
		}
	}
}

static void on_removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct world *w = ctx;

	add_leaf(&w->reported, va, item);
}

void open_gather(struct world *w)
{
	if (w->gather_open)
		return;
	w->gather_open = true;
	w->fx->flushes.n = 0;
	pt_gather_init(&w->gather, w->fx->self, w->fx->table, on_removed, w);
}

static int compare_leaves(const void *left, const void *right)
{
	const struct leaf *a = left, *b = right;

	if (a->va != b->va)
		return a->va < b->va ? -1 : 1;
	if (a->item.pa != b->item.pa)
		return a->item.pa < b->item.pa ? -1 : 1;
	if (a->item.prop != b->item.prop)
		return a->item.prop < b->item.prop ? -1 : 1;
	return (int)a->item.level - (int)b->item.level;
}

static void sort_leaves(struct leaves *leaves)
{
	if (leaves->n)
		qsort(leaves->of, leaves->n, sizeof(*leaves->of), compare_leaves);
}

void expect_removed_flushed(struct world *w)
{
	size_t i;

	if (w->fx->flushes.n > sizeof(w->fx->flushes.calls) / sizeof(w->fx->flushes.calls[0]))
		return; /* the log is not complete */
	for (i = 0; i < w->expected.n; i++) {
		const struct leaf *leaf = &w->expected.of[i];
		uint64_t size = pt_page_size(w->fx->format, leaf->item.level);

		if ((leaf->item.prop & PT_READ) && i % 64 < 8)
			assert_true(was_flushed(w->fx, leaf->va, size, false));
	}
}

void sync_gather(struct world *w)
{
	size_t i;

	expect_ok(pt_gather_sync(&w->gather));
	w->gather_open = false;
	expect_removed_flushed(w);
	sort_leaves(&w->expected);
	sort_leaves(&w->reported);
	assert_int_equal(w->expected.n, w->reported.n);
	for (i = 0; i < w->expected.n; i++) {
		assert_int_equal(w->expected.of[i].va, w->reported.of[i].va);
		expect_item(&w->expected.of[i].item, &w->reported.of[i].item);
	}
	w->expected.n = 0;
	w->reported.n = 0;
}

/* ---- from a table to the next ---- */

/* By the format alone: all else about ranges is taken from the library, and would be wrong with it. */
static void expect_canonical(const struct pt_format_info *f, pt_va_t va)
{
	unsigned unused = 64 - f->va_bits;

	if (f->sign_extended)
		assert_int_equal((pt_va_t)((int64_t)(va << unused) >> unused), va);
}

void open_world(struct world *w)
{
	struct fixture *fx = w->fx;

	w->calls = 0;
	w->changes = 0;
	w->enomem = 0;
	w->merged = 0;
	w->locks = 0;
	fixture_new_table(fx);
	w->managed_first = fx->first;
	w->managed_last = fx->last;
	expect_canonical(fx->format, fx->first);
	expect_canonical(fx->format, fx->last);
	if (fx->config.bound)
		fx->last = fx->config.bound;
	flat_init(&w->map, fx->format);
	if (fx->config.role == PT_ROLE_KERNEL)
		open_users(w);
}

void close_world(struct world *w)
{
	if (w->gather_open)
		sync_gather(w);
	expect_all(w);
	while (w->nr_handles)
		let_go(w);
	close_users(w);
	flat_free(&w->map);
}
