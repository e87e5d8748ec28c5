/* SPDX-License-Identifier: MIT */
/*
 * The table as the processor finds it: node memory read by the manual's layout alone, and caches of
 * table entries that are used until they are flushed. Source: Intel SDM volume 3, sections 4.5 and
 * 4.10.
 */
#include <string.h>
#include <sys/mman.h>

#include "support.h"

#define P UINT64_C(0x1)
#define W UINT64_C(0x2)
#define U UINT64_C(0x4)
#define A UINT64_C(0x20)
#define D UINT64_C(0x40)
#define PS UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)
#define ADDRESS UINT64_C(0x000ffffffffff000)
#define STRATEGY_BITS (UINT64_C(3) << 57) /* of what the processor ignores */

#define PHYS_BASE (UINT64_C(6) << 30)
#define CHUNK ((size_t)2 << 20)

/* Physical memory: one chunk of nodes. */
struct machine {
	struct fixture fx;
	char *memory;
	/* what the test's flush hook does */
	_Atomic uint64_t *cached; /* a leaf entry the processor may still write to, or NULL */
	uint64_t cached_value;
	bool intact; /* the cached entry still held its value when the flush came */
};

static uint64_t seen_by_hardware(uint64_t entry)
{
	return entry & ~STRATEGY_BITS;
}

static int chunk_get(void *ctx, void *addr, size_t bytes, unsigned home)
{
	struct machine *m = ctx;

	(void)home;
	m->memory = addr;
	return mprotect(addr, bytes, PROT_READ | PROT_WRITE) ? -ENOMEM : 0;
}

static void chunk_put(void *ctx, void *addr, size_t bytes)
{
	(void)ctx;
	mprotect(addr, bytes, PROT_NONE);
}

static void on_flush(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct machine *m = ctx;

	(void)va;
	(void)len;
	(void)tables;
	if (!m->cached)
		return;
	/* Until now the processor may have used the way it had cached to write to the page. */
	m->intact = seen_by_hardware(*m->cached) == m->cached_value;
	*m->cached |= A | D;
	m->cached = NULL;
}

static void power_on(struct machine *m, struct fixture *fx)
{
	static const struct pt_chunk_ops ops = {.get = chunk_get, .put = chunk_put};
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.chunk_bytes = CHUNK,
		.max_bytes = CHUNK,
		.phys_base = PHYS_BASE,
		.chunk_ops = &ops,
		.chunk_ctx = m,
	};

	if (strcmp(fx->format->name, "x86_64") != 0)
		skip();
	memset(m, 0, sizeof(*m));
	m->fx = *fx;
	fx = &m->fx;
	expect_ok(pt_pool_create(&pool, &fx->pool));
	fx->config.pool = fx->pool;
	fx->config.item_ops = NULL;
	fx->config.flush = on_flush;
	fx->config.flush_ctx = m;
	expect_ok(pt_thread_register(fx->pool, &fx->self));
	expect_ok(pt_table_create(fx->self, &fx->config, &fx->table));
}

static void power_off(struct machine *m)
{
	expect_ok(pt_table_destroy(m->fx.self, m->fx.table));
	expect_ok(pt_thread_unregister(m->fx.self));
	expect_ok(pt_pool_destroy(m->fx.pool));
}

/* The entry of @level for @va in the node at physical address @node. */
static _Atomic uint64_t *entry_at(struct machine *m, uint64_t node, pt_va_t va, unsigned level)
{
	_Atomic uint64_t *entries;

	assert_true(node >= PHYS_BASE && node < PHYS_BASE + CHUNK && node % 4096 == 0);
	entries = (_Atomic uint64_t *)(void *)(m->memory + (node - PHYS_BASE));
	return &entries[va >> (12 + 9 * (level - 1)) & 511];
}

/* Walk as section 4.5 says. Returns the last entry looked at, and its level. */
static _Atomic uint64_t *walk(struct machine *m, pt_va_t va, unsigned *ret_level)
{
	uint64_t node = pt_table_root(m->fx.table);
	unsigned level = 4;

	for (;; level--) {
		_Atomic uint64_t *entry = entry_at(m, node, va, level);

		*ret_level = level;
		if (!(*entry & P) || level == 1 || (*entry & PS))
			return entry;
		/* A table entry forbids nothing, and need not be written to. */
		assert_int_equal(*entry & (W | U | A | NX), W | U | A);
		node = *entry & ADDRESS;
	}
}

static void expect_translation(struct machine *m, pt_va_t va, pt_pa_t pa, pt_prop_t prop)
{
	unsigned level;
	uint64_t entry = *walk(m, va, &level);
	uint64_t offset = (UINT64_C(1) << (12 + 9 * (level - 1))) - 1;

	assert_true(entry & P);
	assert_true(level <= 3);
	/* reserved bits of a large page: all below its frame but bit 12, which is PAT */
	assert_int_equal(entry & offset & ADDRESS & ~(uint64_t)0x1000, 0);
	assert_int_equal((entry & ADDRESS & ~offset) + (va & offset), pa);
	assert_int_equal(!!(entry & W), !!(prop & PT_WRITE));
	assert_int_equal(!!(entry & U), !!(prop & PT_USER));
	assert_int_equal(!(entry & NX), !!(prop & PT_EXEC));
	assert_int_equal(!!(entry & A), !!(prop & PT_ACCESSED));
	assert_int_equal(!!(entry & D), !!(prop & PT_DIRTY));
}

static void expect_not_present(struct machine *m, pt_va_t va)
{
	unsigned level;

	assert_false(*walk(m, va, &level) & P);
}

static void the_processor_finds_every_page(struct fixture *outer)
{
	struct machine m;
	struct fixture *fx = &m.fx;
	const pt_prop_t exec = PT_READ | PT_EXEC;
	uint64_t at;

	power_on(&m, outer);
	map(fx, fx->base, fx->giant, FRAMES, RWU);
	map(fx, fx->base + fx->giant, 3 * fx->huge, FRAMES, exec);
	map(fx, fx->base + 2 * fx->giant, 5 * fx->page, FRAMES + fx->page, RW);
	map(fx, fx->last - (fx->page - 1), fx->page, FRAMES, RW);
	for (at = 0; at < fx->giant; at += 37 * fx->page + 8)
		expect_translation(&m, fx->base + at, FRAMES + at, RWU);
	for (at = 0; at < 3 * fx->huge; at += fx->page)
		expect_translation(&m, fx->base + fx->giant + at, FRAMES + at, exec);
	expect_not_present(&m, fx->base + fx->giant + 3 * fx->huge);
	for (at = 0; at < 5 * fx->page; at += fx->page)
		expect_translation(&m, fx->base + 2 * fx->giant + at, FRAMES + fx->page + at, RW);
	expect_not_present(&m, fx->base + 2 * fx->giant + 5 * fx->page);
	expect_translation(&m, fx->last, FRAMES + fx->page - 1, RW);
	expect_not_present(&m, 0);
	power_off(&m);
}

static void the_processor_sees_pieces_of_a_split_leaf(struct fixture *outer)
{
	struct machine m;
	struct fixture *fx = &m.fx;
	uint64_t at;

	power_on(&m, outer);
	map(fx, fx->base, fx->giant, FRAMES, RWU | PT_CACHE(PT_CACHE_WRITE_PROTECTED));
	protect(fx, fx->base + fx->huge, fx->page, 0, PT_WRITE);
	unmap(fx, fx->base, fx->page);
	expect_not_present(&m, fx->base);
	expect_translation(&m, fx->base + fx->huge, FRAMES + fx->huge, PT_READ | PT_USER);
	for (at = fx->page; at < fx->huge; at += fx->page)
		expect_translation(&m, fx->base + at, FRAMES + at, RWU);
	for (at = fx->huge + fx->page; at < fx->giant; at += 13 * fx->page)
		expect_translation(&m, fx->base + at, FRAMES + at, RWU);
	power_off(&m);
}

static void the_processor_does_not_see_marks_and_leaves_without_read(struct fixture *outer)
{
	struct machine m;
	struct fixture *fx = &m.fx;

	power_on(&m, outer);
	map(fx, fx->base, fx->page, FRAMES, PT_WRITE | PT_USER | PT_EXEC);
	map(fx, fx->base + fx->giant, fx->giant, FRAMES, PT_WRITE | PT_USER);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + fx->page, fx->page, 0xffffffff));
	expect_ok(pt_mark(fx->self, fx->table, 0, pt_page_size(fx->format, 4), 1));
	expect_not_present(&m, fx->base);
	expect_not_present(&m, fx->base + fx->page);
	expect_not_present(&m, fx->base + fx->giant);
	expect_not_present(&m, 0);
	power_off(&m);
}

static void bits_the_processor_sets_are_seen(struct fixture *outer)
{
	struct machine m;
	struct fixture *fx = &m.fx;
	unsigned level;

	power_on(&m, outer);
	map(fx, fx->base, fx->page, FRAMES, RW);
	*walk(&m, fx->base, &level) |= A;
	expect_leaf(fx, fx->base, FRAMES, RW | PT_ACCESSED, 1);
	*walk(&m, fx->base, &level) |= D;
	protect(fx, fx->base, fx->page, 0, PT_WRITE);
	expect_leaf(fx, fx->base, FRAMES, PT_READ | PT_ACCESSED | PT_DIRTY, 1);
	power_off(&m);
}

struct last_report {
	pt_va_t va;
	pt_prop_t prop;
	unsigned n;
};

static void note_report(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct last_report *r = ctx;

	r->va = va;
	r->prop = item->prop;
	r->n++;
}

/*
 * A whole table is unlinked; the processor has cached the way to it, and writes to the page until
 * the flush. The table must still be there, and the dirty bit must not be lost (T2).
 */
static void a_write_between_unlinking_a_table_and_the_flush_is_reported(struct fixture *outer)
{
	struct machine m;
	struct fixture *fx = &m.fx;
	struct last_report r = {0};
	struct pt_gather g;
	unsigned level;

	power_on(&m, outer);
	map(fx, fx->base + fx->page, fx->page, FRAMES, RW);
	m.cached = walk(&m, fx->base + fx->page, &level);
	m.cached_value = seen_by_hardware(*m.cached);
	assert_int_equal(level, 1);
	pt_gather_init(&g, fx->self, fx->table, note_report, &r);
	expect_ok(pt_unmap(fx->self, fx->table, fx->base, fx->giant, &g, NULL));
	expect_not_present(&m, fx->base + fx->page);
	assert_int_equal(seen_by_hardware(*m.cached), m.cached_value);
	expect_ok(pt_gather_sync(&g));
	assert_true(m.intact);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.va, fx->base + fx->page);
	assert_int_equal(r.prop, RW | PT_ACCESSED | PT_DIRTY);
	power_off(&m);
}

/* The same without a gather: the table must outlive the flush. */
static void a_table_is_not_reused_before_the_flush(struct fixture *outer)
{
	struct machine m;
	struct fixture *fx = &m.fx;
	unsigned level;

	power_on(&m, outer);
	map(fx, fx->base, fx->page, FRAMES, RW);
	m.cached = walk(&m, fx->base, &level);
	m.cached_value = seen_by_hardware(*m.cached);
	unmap(fx, fx->base, fx->giant);
	assert_null(m.cached); /* the flush came */
	assert_true(m.intact);
	power_off(&m);
}

static void an_unlinked_table_comes_back_empty(struct fixture *outer)
{
	struct machine m;
	struct fixture *fx = &m.fx;
	uint64_t at;
	unsigned i;

	power_on(&m, outer);
	for (i = 0; i < 3; i++) {
		expect_ok(pt_map(fx->self, fx->table, fx->base, fx->huge, FRAMES, RW, 1));
		unmap(fx, fx->base, fx->giant);
		reclaim(fx);
		map(fx, fx->base, fx->page, FRAMES, RW);
		for (at = fx->page; at < fx->huge; at += fx->page)
			expect_not_present(&m, fx->base + at);
		unmap(fx, fx->base, fx->page);
	}
	power_off(&m);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(the_processor_finds_every_page),
		TEST(the_processor_sees_pieces_of_a_split_leaf),
		TEST(the_processor_does_not_see_marks_and_leaves_without_read),
		TEST(bits_the_processor_sets_are_seen),
		TEST(a_write_between_unlinking_a_table_and_the_flush_is_reported),
		TEST(a_table_is_not_reused_before_the_flush),
		TEST(an_unlinked_table_comes_back_empty),
	};

	return run_on_all_pairs("hardware", cases, sizeof(cases) / sizeof(cases[0]));
}
