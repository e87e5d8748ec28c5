/* SPDX-License-Identifier: MIT */
/*
 * Three threads on a few dozen hot pages. Cursors that overlap must exclude one another (C1): each
 * writes a plain word per page of its range, which a race detector watches, and compares what the
 * table says with a plain shadow that only owners touch. Lock-free walks and queries meanwhile see
 * only values that some thread wrote (Q1).
 *
 * test_smoke_isolation [milliseconds]
 */
#include "smoke.h"

#define BLOCKS 4 /* of level 2 */
#define MAX_HOT 64
#define EDGE 8 /* hot pages on each side of a boundary between blocks */

/* A frame says who mapped it, when, and for which place of the region. */
#define PLACE_BITS 24
#define ROUND_BITS 16
#define PLACE_MASK ((UINT64_C(1) << PLACE_BITS) - 1)

struct shadow {
	enum pt_kind kind;
	pt_pa_t pa;
	pt_prop_t prop;
	uint64_t mark;
};

struct hot {
	pt_va_t va;
	/* plain: only the owner of the page touches them */
	unsigned owner;
	struct shadow shadow;
};

struct isolation {
	struct fixture *fx;
	struct hot hot[MAX_HOT];
	unsigned nr_hot;
	pt_va_t base; /* of BLOCKS blocks with hot pages, then one where calls run wild */
	pt_va_t wild;
	uint64_t len;   /* of all blocks */
	bool exclusive; /* the strategy isolates ranges */
	_Atomic int64_t references;
};

/* ---- items: relaxed counters, so that they order nothing ---- */

static void count_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	struct isolation *x = ctx;

	(void)pa;
	(void)level;
	atomic_fetch_sub_explicit(&x->references, 1, memory_order_relaxed);
}

static int count_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	struct isolation *x = ctx;

	(void)pa;
	(void)level;
	atomic_fetch_add_explicit(&x->references, 1, memory_order_relaxed);
	return 0;
}

static void count_split(void *ctx, pt_pa_t pa, unsigned level)
{
	struct isolation *x = ctx;

	(void)pa;
	(void)level;
	atomic_fetch_add_explicit(&x->references, (1 << x->fx->format->index_bits) - 1,
				  memory_order_relaxed);
}

static void flush_nothing(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	(void)ctx;
	(void)va;
	(void)len;
	(void)tables;
}

/* ---- values ---- */

static struct isolation *test_of(struct smoke_thread *t)
{
	return t->smoke->test;
}

static pt_pa_t make_frame(struct smoke_thread *t, pt_va_t va)
{
	struct isolation *x = test_of(t);
	uint64_t round = smoke_random(t, 1 << ROUND_BITS);

	return FRAMES | (uint64_t)t->index << (PLACE_BITS + ROUND_BITS + 1) | round << PLACE_BITS |
	       (va - x->base);
}

/* The software bits follow from the frame: a query that mixes two entries shows. */
static pt_prop_t soft_bits(pt_pa_t pa)
{
	return (pa >> PLACE_BITS & 1 ? PT_SOFT0 : 0) | (pa >> PLACE_BITS & 2 ? PT_SOFT1 : 0);
}

static pt_prop_t make_prop(pt_pa_t pa)
{
	return PT_READ | PT_WRITE | PT_USER | PT_TRACKED | soft_bits(pa);
}

static bool right_value(struct isolation *x, pt_va_t va, pt_pa_t pa, pt_prop_t prop)
{
	const pt_prop_t fixed = PT_READ | PT_USER | PT_TRACKED | PT_SOFT0 | PT_SOFT1;

	return (pa & PLACE_MASK) == va - x->base && (pa & FRAMES) &&
	       pa >> (PLACE_BITS + ROUND_BITS + 1) < SMOKE_THREADS &&
	       (prop & fixed) == ((PT_READ | PT_USER | PT_TRACKED) | soft_bits(pa)) &&
	       !(prop & ~(fixed | PT_WRITE));
}

/* ---- transactions ---- */

struct transaction {
	struct smoke_thread *t;
	struct isolation *x;
	struct pt_cursor c;
	struct pt_gather g;
	pt_va_t first, last;
	unsigned from, to; /* hot pages in the range: [from, to) */
};

static void removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct smoke_thread *t = ctx;

	if (va < test_of(t)->wild)
		require(t, right_value(test_of(t), va, item->pa, item->prop));
}

static void pick_range(struct transaction *r)
{
	struct isolation *x = r->x;
	struct smoke_thread *t = r->t;
	uint64_t block = x->fx->huge;
	unsigned from, n;

	switch (smoke_random(t, 8)) {
	case 0: /* everything, the wild block included */
		r->first = x->base;
		r->last = x->base + x->len - 1;
		break;
	case 1: /* some blocks */
		from = (unsigned)smoke_random(t, BLOCKS);
		n = 1 + (unsigned)smoke_random(t, BLOCKS - from);
		r->first = x->base + from * block;
		r->last = r->first + n * block - 1;
		break;
	default: /* some pages */
		from = (unsigned)smoke_random(t, x->nr_hot);
		n = (unsigned)smoke_random(t, 4);
		if (from + n >= x->nr_hot)
			n = 0;
		r->first = x->hot[from].va;
		r->last = x->hot[from + n].va + (x->fx->page - 1);
	}
	for (r->from = 0; x->hot[r->from].va < r->first; r->from++)
		;
	for (r->to = r->from; r->to < x->nr_hot && x->hot[r->to].va <= r->last; r->to++)
		;
}

static void compare_with_shadow(struct transaction *r, unsigned i)
{
	const struct hot *h = &r->x->hot[i];
	const struct shadow *s = &h->shadow;
	struct smoke_thread *t = r->t;
	struct pt_mapping m;

	if (pt_cursor_jump(&r->c, h->va) || pt_cursor_query(&r->c, &m)) {
		smoke_violation(t->smoke, "a cursor cannot look at a page of its range");
		return;
	}
	require(t, m.kind == s->kind);
	if (m.kind == PT_KIND_MARK)
		require(t, m.mark == s->mark);
	if (m.kind != PT_KIND_LEAF)
		return;
	require(t, m.item.pa + (h->va - m.va) == s->pa);
	require(t, m.item.prop == s->prop);
}

static bool begin(struct transaction *r, struct smoke_thread *t, enum pt_mode mode)
{
	struct isolation *x = test_of(t);
	unsigned top = 1 + (unsigned)smoke_random(t, x->fx->format->levels);
	unsigned i;

	r->t = t;
	r->x = x;
	pick_range(r);
	pt_gather_init(&r->g, t->self, x->fx->table, removed, t);
	if (pt_cursor_begin(t->self, x->fx->table, r->first, r->last - r->first + 1, mode, top,
			    &r->c)) {
		smoke_violation(t->smoke, "a cursor could not begin");
		return false;
	}
	if (!x->exclusive)
		return true;
	for (i = r->from; i < r->to; i++) {
		require(t, x->hot[i].owner == 0);
		if (mode != PT_READ_ONLY)
			x->hot[i].owner = t->index + 1;
	}
	for (i = r->from; i < r->to; i++)
		if (i < r->from + 2 || i + 2 >= r->to || smoke_random(t, 8) == 0)
			compare_with_shadow(r, i);
	return true;
}

static void end(struct transaction *r, enum pt_mode mode)
{
	const unsigned owner = mode == PT_READ_ONLY ? 0 : r->t->index + 1;
	struct smoke_thread *t = r->t;
	unsigned i;

	if (r->x->exclusive) {
		for (i = r->from; i < r->to; i++) {
			require(t, r->x->hot[i].owner == owner);
			if (owner)
				r->x->hot[i].owner = 0;
		}
	}
	pt_cursor_end(&r->c);
	require(t, pt_gather_sync(&r->g) == 0);
}

static void set_shadow(struct transaction *r, pt_va_t first, pt_va_t last, struct shadow value)
{
	unsigned i;

	for (i = r->from; i < r->to; i++) {
		struct hot *h = &r->x->hot[i];

		if (h->va < first || h->va > last || !r->x->exclusive)
			continue;
		h->shadow = value;
		if (value.kind == PT_KIND_LEAF)
			h->shadow.pa += h->va - first;
	}
}

/* Is nothing mapped in first..last? The cursor stands at `first` afterwards. */
static bool is_free(struct transaction *r, pt_va_t first, pt_va_t last)
{
	pt_va_t va;
	int rc;

	require(r->t, pt_cursor_jump(&r->c, first) == 0);
	rc = pt_cursor_find_next(&r->c, last - first + 1, &va);
	require(r->t, pt_cursor_jump(&r->c, first) == 0);
	return rc == -ENOENT;
}

static void map_leaf(struct transaction *r, pt_va_t va, unsigned level)
{
	struct isolation *x = r->x;
	uint64_t size = pt_page_size(x->fx->format, level);
	struct pt_item item = {.pa = make_frame(r->t, va), .level = level};
	struct shadow value;
	int rc;

	item.prop = make_prop(item.pa);
	if (!is_free(r, va, va + (size - 1)))
		return;
	atomic_fetch_add_explicit(&x->references, 1, memory_order_relaxed);
	rc = pt_cursor_map(&r->c, &item);
	if (rc)
		atomic_fetch_sub_explicit(&x->references, 1, memory_order_relaxed);
	require(r->t, rc == 0 || rc == -ERANGE || (!x->exclusive && rc == -EEXIST));
	if (rc)
		return; /* above top */
	value = (struct shadow){.kind = PT_KIND_LEAF, .pa = item.pa, .prop = item.prop};
	set_shadow(r, va, va + (size - 1), value);
}

static void map_some(struct smoke_thread *t)
{
	struct transaction r;
	pt_va_t va, block;
	unsigned i;

	if (!begin(&r, t, PT_BUILD))
		return;
	block = r.x->fx->huge;
	for (va = r.first; va + (block - 1) <= r.last && va < r.x->wild; va += block)
		if (!(va & (block - 1)) && smoke_random(t, 2))
			map_leaf(&r, va, 2);
	for (i = r.from; i < r.to; i++)
		if (smoke_random(t, 3))
			map_leaf(&r, r.x->hot[i].va, 1);
	end(&r, PT_BUILD);
}

static void mark_some(struct smoke_thread *t)
{
	struct shadow value = {.kind = PT_KIND_MARK};
	struct transaction r;
	pt_va_t last;

	if (!begin(&r, t, PT_BUILD))
		return;
	value.mark = smoke_random(t, 1000);
	last = r.last < r.x->wild ? r.last : r.x->wild - 1;
	if (is_free(&r, r.first, last)) {
		int rc = pt_cursor_mark(&r.c, last - r.first + 1, value.mark);

		require(t, rc == 0 || (!r.x->exclusive && rc == -EEXIST));
		if (!rc)
			set_shadow(&r, r.first, last, value);
	}
	end(&r, PT_BUILD);
}

static void take_some(struct smoke_thread *t)
{
	struct shadow nothing = {.kind = PT_KIND_EMPTY};
	struct transaction r;
	struct pt_taken taken;
	int rc;

	if (!begin(&r, t, PT_CHANGE))
		return;
	require(t, pt_cursor_jump(&r.c, r.first) == 0);
	do {
		pt_va_t va = pt_cursor_va(&r.c);

		rc = va > r.last ? -ENOENT
				 : pt_cursor_take_next(&r.c, r.last - va + 1, &r.g, &taken);
		require(t, rc == 0 || rc == -ENOENT);
		set_shadow(&r, va, pt_cursor_va(&r.c) - 1, nothing);
	} while (!rc && smoke_random(t, 16));
	end(&r, PT_CHANGE);
}

static pt_prop_t toggle_write(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop ^ PT_WRITE;
}

static void protect_some(struct smoke_thread *t)
{
	struct transaction r;
	uint64_t len;
	pt_va_t va;
	unsigned i;
	int rc;

	if (!begin(&r, t, PT_CHANGE))
		return;
	require(t, pt_cursor_jump(&r.c, r.first) == 0);
	do {
		va = pt_cursor_va(&r.c);
		rc = va > r.last ? -ENOENT
				 : pt_cursor_protect_next(&r.c, r.last - va + 1, toggle_write, NULL,
							  &r.g, &va, &len);
		require(t, rc == 0 || rc == -ENOENT);
		for (i = r.from; !rc && i < r.to; i++)
			if (r.x->exclusive && r.x->hot[i].va - va < len)
				r.x->hot[i].shadow.prop ^= PT_WRITE;
	} while (!rc && smoke_random(t, 32));
	end(&r, PT_CHANGE);
}

static void look_at_some(struct smoke_thread *t)
{
	struct transaction r;
	unsigned i;

	if (!begin(&r, t, PT_READ_ONLY))
		return;
	for (i = r.from; r.x->exclusive && i < r.to; i++)
		compare_with_shadow(&r, i);
	end(&r, PT_READ_ONLY);
}

/* ---- without cursors ---- */

static void run_wild(struct smoke_thread *t)
{
	struct isolation *x = test_of(t);
	struct pt_table *table = x->fx->table;
	uint64_t page = x->fx->page;
	uint64_t at = smoke_random(t, x->fx->huge / page) * page;
	uint64_t len = smoke_random(t, 2) ? page : x->fx->huge - at;
	pt_pa_t pa = make_frame(t, x->wild + at);
	unsigned soft = soft_bits(pa);
	int rc;

	switch (smoke_random(t, 4)) {
	case 0:
		/* untracked, so that the number of leaves does not matter */
		rc = pt_map(t->self, table, x->wild + at, len, pa, (make_prop(pa) & ~PT_TRACKED),
			    2);
		require(t, rc == 0 || rc == -EEXIST);
		break;
	case 1:
		require(t, pt_unmap(t->self, table, x->wild + at, len, NULL, NULL) == 0);
		break;
	case 2:
		require(t, pt_protect(t->self, table, x->wild + at, len, soft, PT_WRITE, NULL,
				      NULL) == 0);
		break;
	default:
		rc = pt_mark(t->self, table, x->wild + at, len, 5);
		require(t, rc == 0 || rc == -EEXIST);
	}
}

static void look_without_lock(struct smoke_thread *t)
{
	struct isolation *x = test_of(t);
	pt_va_t va = x->hot[smoke_random(t, x->nr_hot)].va;
	struct pt_mapping m;
	pt_prop_t prop;
	pt_pa_t pa;
	int rc = pt_walk(t->self, x->fx->table, va, &pa, &prop);

	require(t, rc == 0 || rc == -ENOENT);
	if (!rc)
		require(t, right_value(x, va, pa, prop));
	require(t, pt_query(t->self, x->fx->table, va, &m) == 0);
	require(t, m.len && va - m.va < m.len);
	if (m.kind == PT_KIND_LEAF)
		require(t, right_value(x, m.va, m.item.pa, m.item.prop));
	else if (m.kind == PT_KIND_MARK)
		require(t, m.mark < 1000);
	else
		require(t, m.kind == PT_KIND_EMPTY);
}

static void anything(struct smoke_thread *t)
{
	static const smoke_fn kinds[] = {
		map_some,     map_some,     map_some,  take_some, take_some,
		protect_some, protect_some, mark_some, run_wild,  look_at_some,
	};
	unsigned i;

	kinds[smoke_random(t, sizeof(kinds) / sizeof(kinds[0]))](t);
	for (i = 0; i < 4; i++)
		look_without_lock(t);
}

/* ---- the case ---- */

static void choose_hot_pages(struct isolation *x)
{
	uint64_t block = x->fx->huge, page = x->fx->page;
	uint64_t at;

	for (at = 0; at < BLOCKS * block; at += page) {
		uint64_t in_block = at & (block - 1);

		if (in_block >= EDGE * page && in_block + EDGE * page < block)
			continue;
		assert_true(x->nr_hot < MAX_HOT);
		x->hot[x->nr_hot++].va = x->base + at;
	}
}

static void overlapping_cursors_exclude_one_another(struct fixture *fx)
{
	static const struct pt_item_ops ops = {
		.clone = count_clone, .drop = count_drop, .split = count_split};
	struct isolation x = {.fx = fx};
	struct smoke s = {.fx = fx, .test = &x, .functions = {anything, anything, anything}};

	if (fx->strategy->isolation == PT_ISOLATION_NONE)
		skip();
	x.exclusive = fx->strategy->isolation == PT_ISOLATION_RANGE;
	fx->config.item_ops = &ops;
	fx->config.item_ctx = &x;
	fx->config.flush = flush_nothing;
	fixture_new_table(fx);
	/* so that the blocks lie on both sides of a boundary of level 3, too */
	x.base = fx->base - BLOCKS / 2 * fx->huge;
	x.wild = x.base + BLOCKS * fx->huge;
	x.len = (BLOCKS + 1) * fx->huge;
	choose_hot_pages(&x);
	smoke_run(&s);
	check(fx);
	fx->config.item_ops = &ledger_ops;
	fx->config.item_ctx = &fx->ledger;
	fixture_new_table(fx);
	assert_int_equal(atomic_load(&x.references), 0);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		TEST(overlapping_cursors_exclude_one_another),
		TEST_SYNC(overlapping_cursors_exclude_one_another),
	};

	smoke_arguments(argc, argv);
	return run_on_all_pairs("smoke isolation", cases, sizeof(cases) / sizeof(cases[0]));
}
