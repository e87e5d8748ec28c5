/* SPDX-License-Identifier: MIT */
/*
 * Arguments at and behind every bound that the header names, to every function that has one: the
 * error is the one promised, and the table is what it was. A function of the header that is not in
 * the list below fails the test.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "dump.h"

#define END UINT64_MAX

/* A table with all kinds of slots, and somebody of another pool. */
struct scene {
	struct fixture *fx;
	struct fixture other;
	struct pt_gather gather, foreign_gather;
	struct pt_table *twin; /* empty; of the same pool */
};

/* ---- ranges ---- */

struct bad_range {
	pt_va_t va;
	uint64_t len;
	int error;
};

typedef int (*range_call)(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len);

static void refuse_ranges(struct scene *s, range_call call)
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

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (call(s, fx->self, bad[i].va, bad[i].len) != -bad[i].error)
			fail_msg("range %zu: %d", i, call(s, fx->self, bad[i].va, bad[i].len));
	expect_error(call(s, s->other.self, va, page), EINVAL);
}

static int do_map(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_map(self, s->fx->table, va, len, 0, RW, 1);
}

static void map_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const struct pt_format_info *f = fx->format;
	const pt_va_t va = fx->base + 3 * fx->giant;
	const pt_pa_t end = UINT64_C(1) << f->pa_bits;
	const struct {
		pt_pa_t pa;
		pt_prop_t prop;
		unsigned level;
	} bad[] = {
		{FRAMES + 1, RW, 1},
		{FRAMES + fx->page / 2, RW, 1},
		{end, RW, 1},
		{end - fx->page, RW, 1}, /* the second page is beyond */
		{-fx->page, RW, 1},
		{END, RW, 1},
		{FRAMES, RW, 0},
		{FRAMES, RW, f->levels + 1},
		{FRAMES, RW, UINT32_MAX},
		{FRAMES, UINT32_MAX, 1},
		{FRAMES, RW | 1u << 31, 1},
		{FRAMES, RW | PT_CACHE(PT_CACHE_NR), 1},
		{FRAMES, RW | PT_CACHE_MASK, 1},
	};

	refuse_ranges(s, do_map);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_error(pt_map(fx->self, fx->table, va, 2 * fx->page, bad[i].pa, bad[i].prop,
				    bad[i].level),
			     EINVAL);
	expect_error(pt_map(fx->self, fx->table, fx->base, fx->page, FRAMES, RW, 1), EEXIST);
}

static int do_unmap(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_unmap(self, s->fx->table, va, len, NULL, NULL);
}

static void unmap_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;

	refuse_ranges(s, do_unmap);
	expect_error(pt_unmap(fx->self, fx->table, fx->base, fx->page, &s->foreign_gather, NULL),
		     EINVAL);
}

static int do_protect(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_protect(self, s->fx->table, va, len, 0, PT_WRITE, NULL, NULL);
}

static const struct {
	pt_prop_t set, clear;
} bad_props[] = {
	{PT_TRACKED, 0},
	{0, PT_TRACKED},
	{UINT32_MAX, 0},
	{0, UINT32_MAX},
	{1u << 31, 0},
	{PT_CACHE(1), 0},
	{0, PT_CACHE(1)},
	{PT_CACHE(PT_CACHE_NR), PT_CACHE_MASK},
	{PT_CACHE_MASK, PT_CACHE_MASK},
};

static void protect_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;

	refuse_ranges(s, do_protect);
	for (size_t i = 0; i < sizeof(bad_props) / sizeof(bad_props[0]); i++)
		expect_error(pt_protect(fx->self, fx->table, fx->base, fx->giant, bad_props[i].set,
					bad_props[i].clear, NULL, NULL),
			     EINVAL);
	expect_error(pt_protect(fx->self, fx->table, fx->base, fx->page, 0, PT_WRITE,
				&s->foreign_gather, NULL),
		     EINVAL);
}

static int do_clone(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_clone(self, s->fx->table, s->twin, va, len, 0, PT_WRITE, NULL, NULL);
}

static void clone_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_table *twin = s->twin;
	struct pt_check_report report;

	refuse_ranges(s, do_clone);
	expect_error(
		pt_clone(fx->self, fx->table, fx->table, fx->base, fx->giant, 0, 0, NULL, NULL),
		EINVAL);
	expect_error(pt_clone(fx->self, fx->table, s->other.table, fx->base, fx->giant, 0, 0, NULL,
			      NULL),
		     EINVAL);
	for (size_t i = 0; i < sizeof(bad_props) / sizeof(bad_props[0]); i++)
		expect_error(pt_clone(fx->self, fx->table, twin, fx->base, fx->giant,
				      bad_props[i].set, bad_props[i].clear, NULL, NULL),
			     EINVAL);
	expect_error(
		pt_clone(fx->self, fx->table, twin, fx->base, fx->giant, PT_DIRTY, 0, NULL, NULL),
		EINVAL);
	expect_error(pt_clone(fx->self, fx->table, twin, fx->base, fx->giant, 0, PT_ACCESSED, NULL,
			      NULL),
		     EINVAL);
	expect_error(pt_clone(fx->self, fx->table, twin, fx->base, fx->giant, 0, 0,
			      &s->foreign_gather, NULL),
		     EINVAL);
	expect_ok(pt_check(fx->self, twin, &report));
	assert_int_equal(report.leaves + report.marks, 0);
}

static int do_mark(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_mark(self, s->fx->table, va, len, 1);
}

static void mark_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const uint64_t marks = UINT64_C(1) << fx->format->mark_bits;

	refuse_ranges(s, do_mark);
	expect_error(pt_mark(fx->self, fx->table, fx->base + 3 * fx->giant, fx->page, marks),
		     EINVAL);
	expect_error(pt_mark(fx->self, fx->table, fx->base + 3 * fx->giant, fx->page, END), EINVAL);
	expect_error(pt_mark(fx->self, fx->table, fx->base, fx->page, 0), EEXIST);
}

static int do_prune(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_prune(self, s->fx->table, va, len, NULL, NULL);
}

static void prune_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;

	refuse_ranges(s, do_prune);
	expect_error(pt_prune(fx->self, fx->table, fx->base, fx->page, &s->foreign_gather, NULL),
		     EINVAL);
}

static int do_harvest(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_harvest(self, s->fx->table, va, len, PT_DIRTY, NULL, NULL, NULL, NULL);
}

static void harvest_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_prop_t bad[] = {PT_READ, PT_WRITE, PT_TRACKED, PT_CACHE(1), 1u << 31, UINT32_MAX};

	refuse_ranges(s, do_harvest);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_error(pt_harvest(fx->self, fx->table, fx->base, fx->page, bad[i], NULL, NULL,
					NULL, NULL),
			     EINVAL);
	expect_error(pt_harvest(fx->self, fx->table, fx->base, fx->page, PT_DIRTY, NULL, NULL,
				&s->foreign_gather, NULL),
		     EINVAL);
}

static int do_merge(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	return pt_merge(self, s->fx->table, va, len, 2, NULL);
}

static void merge_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const unsigned bad[] = {0, fx->format->levels + 1, UINT32_MAX};

	refuse_ranges(s, do_merge);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_error(pt_merge(fx->self, fx->table, fx->base, fx->page, bad[i], NULL),
			     EINVAL);
}

/* ---- looking ---- */

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
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_error(pt_walk(fx->self, fx->table, bad[i], &pa, &prop), ERANGE);
		expect_error(pt_access(fx->self, fx->table, bad[i], PT_ACCESS_READ, false, &pa),
			     ERANGE);
		expect_error(pt_query(fx->self, fx->table, bad[i], &m), ERANGE);
		expect_error(pt_query_get(fx->self, fx->table, bad[i], &m), ERANGE);
	}
	expect_error(pt_query_get(s->other.self, fx->table, fx->base, &m), EINVAL);
	expect_error(pt_walk(fx->self, fx->table, fx->last, &pa, &prop), ENOENT);
	expect_error(pt_access(fx->self, fx->table, fx->last, PT_ACCESS_READ, false, &pa), ENOENT);
	expect_error(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_READ, true, &pa), EACCES);
	expect_error(pt_access(fx->self, fx->table, fx->base, PT_ACCESS_EXEC, false, &pa), EACCES);
	assert_int_equal(pa, 77); /* not written on error */
	assert_int_equal(prop, 77);
	assert_memory_equal(&m, &was, sizeof(m));
}

/* ---- cursors ---- */

static int do_begin(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	struct pt_cursor c;
	int rc = pt_cursor_begin(self, s->fx->table, va, len, PT_BUILD, 1, &c);

	if (!rc)
		pt_cursor_end(&c);
	return rc;
}

static int do_try_begin(struct scene *s, struct pt_thread *self, pt_va_t va, uint64_t len)
{
	struct pt_cursor c;
	int rc = pt_cursor_try_begin(self, s->fx->table, va, len, PT_BUILD, 1, &c);

	if (!rc)
		pt_cursor_end(&c);
	return rc;
}

static void begin_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const unsigned tops[] = {0, fx->format->levels + 1, UINT32_MAX};
	const int modes[] = {-1, PT_BUILD + 1, INT32_MAX};
	struct pt_cursor c;

	refuse_ranges(s, do_begin);
	refuse_ranges(s, do_try_begin);
	for (size_t i = 0; i < 3; i++) {
		enum pt_mode mode = (enum pt_mode)modes[i];

		expect_error(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, PT_BUILD,
					     tops[i], &c),
			     EINVAL);
		expect_error(pt_cursor_try_begin(fx->self, fx->table, fx->base, fx->page, PT_CHANGE,
						 tops[i], &c),
			     EINVAL);
		expect_error(pt_cursor_begin(fx->self, fx->table, fx->base, fx->page, mode, 1, &c),
			     EINVAL);
		expect_error(
			pt_cursor_try_begin(fx->self, fx->table, fx->base, fx->page, mode, 1, &c),
			EINVAL);
	}
}

static pt_prop_t untrack(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop ^ PT_TRACKED;
}

static pt_prop_t impossible(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop | 1u << 31;
}

/* Calls by a cursor with bad lengths, two pages before the end. */
static void cursor_lengths(struct scene *s, struct pt_cursor *c)
{
	const uint64_t page = s->fx->page;
	const struct bad_range bad[] = {
		{0, 0, EINVAL},
		{0, 1, EINVAL},
		{0, page + 1, EINVAL},
		{0, END, EINVAL},
		{0, 3 * page, ERANGE},
		{0, -page, ERANGE},
		{0, UINT64_C(1) << 63, ERANGE},
	};
	struct pt_taken taken;
	uint64_t len;
	pt_va_t va;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_error(pt_cursor_find_next(c, bad[i].len, &va), bad[i].error);
		expect_error(pt_cursor_take_next(c, bad[i].len, &s->gather, &taken), bad[i].error);
		expect_error(
			pt_cursor_protect_next(c, bad[i].len, untrack, NULL, &s->gather, &va, &len),
			bad[i].error);
		expect_error(pt_cursor_mark(c, bad[i].len, 1), bad[i].error);
	}
}

static void cursor_items(struct fixture *fx, struct pt_cursor *c)
{
	const pt_pa_t end = UINT64_C(1) << fx->format->pa_bits;
	const struct {
		struct pt_item item;
		int error;
	} bad[] = {
		{{FRAMES, RW, 0}, EINVAL},
		{{FRAMES, RW, UINT32_MAX}, EINVAL},
		{{FRAMES + 1, RW, 1}, EINVAL},
		{{FRAMES + fx->page, RW, 2}, EINVAL},
		{{end, RW, 1}, EINVAL},
		{{-fx->page, RW, 1}, EINVAL},
		{{FRAMES, UINT32_MAX, 1}, EINVAL},
		{{FRAMES, RW | 1u << 31, 1}, EINVAL},
		{{FRAMES, RW, 1}, EEXIST},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_error(pt_cursor_map(c, &bad[i].item), bad[i].error);
}

static void cursor_refuses(struct scene *s)
{
	struct fixture *fx = s->fx;
	const pt_va_t va = fx->base + fx->giant; /* where single pages are */
	const struct pt_item item = {FRAMES, RW, 1};
	struct pt_mapping m = {.va = 77};
	struct pt_taken taken;
	struct pt_cursor c;
	uint64_t len;
	pt_va_t at;

	begin_cursor(fx, va, 2 * fx->page, PT_BUILD, &c);
	cursor_lengths(s, &c);
	cursor_items(fx, &c);
	expect_error(pt_cursor_mark(&c, fx->page, UINT64_C(1) << fx->format->mark_bits), EINVAL);
	expect_error(pt_cursor_take_next(&c, fx->page, NULL, &taken), EINVAL);
	expect_error(pt_cursor_take_next(&c, fx->page, &s->foreign_gather, &taken), EINVAL);
	expect_error(pt_cursor_protect_next(&c, fx->page, untrack, NULL, NULL, &at, &len), EINVAL);
	expect_error(pt_cursor_protect_next(&c, fx->page, untrack, NULL, &s->gather, &at, &len),
		     EINVAL);
	expect_error(pt_cursor_protect_next(&c, fx->page, impossible, NULL, &s->gather, &at, &len),
		     EINVAL);
	expect_error(pt_cursor_jump(&c, va + 1), EINVAL);
	expect_error(pt_cursor_jump(&c, va - fx->page), ERANGE);
	expect_error(pt_cursor_jump(&c, va + 3 * fx->page), ERANGE);
	expect_error(pt_cursor_jump(&c, -fx->page), ERANGE);
	assert_int_equal(pt_cursor_va(&c), va); /* nothing has moved it */
	expect_error(pt_gather_sync(&s->gather), EDEADLK);
	pt_cursor_end(&c);

	begin_cursor(fx, va, 2 * fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_map(&c, &item), EINVAL);
	expect_error(pt_cursor_mark(&c, fx->page, 1), EINVAL);
	expect_error(pt_cursor_take_next(&c, fx->page, &s->gather, &taken), EINVAL);
	expect_error(pt_cursor_protect_next(&c, fx->page, untrack, NULL, &s->gather, &at, &len),
		     EINVAL);
	at = 77;
	expect_error(pt_cursor_find_next(&c, 3 * fx->page, &at), ERANGE);
	pt_cursor_end(&c);
	begin_cursor(fx, fx->base + 3 * fx->giant, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_cursor_find_next(&c, fx->page, &at), ENOENT); /* and now it is at the end */
	expect_error(pt_cursor_query(&c, &m), ERANGE);
	assert_int_equal(at, 77);
	assert_int_equal(m.va, 77);
	pt_cursor_end(&c);
}

/* ---- tables, threads and pools ---- */

static void refuse_table(struct scene *s, const struct pt_config *config)
{
	struct pt_table *t = NULL;

	expect_error(pt_table_create(s->fx->self, config, &t), EINVAL);
	assert_null(t);
}

#define TABLE_WITH(field, value)          \
	do {                              \
		config = s->fx->config;   \
		config.field = (value);   \
		refuse_table(s, &config); \
	} while (0)

static void create_refuses(struct scene *s)
{
	const unsigned slots = 1u << s->fx->format->index_bits;
	struct pt_config config;
	struct pt_table *t;

	refuse_table(s, NULL);
	TABLE_WITH(size, 0);
	TABLE_WITH(size, sizeof(config) - 1);
	TABLE_WITH(size, sizeof(config) + 1);
	TABLE_WITH(format, NULL);
	TABLE_WITH(format, "");
	TABLE_WITH(format, "x86_6");
	TABLE_WITH(strategy, "");
	TABLE_WITH(strategy, "none such");
	TABLE_WITH(node_lock, "");
	TABLE_WITH(pool, NULL);
	TABLE_WITH(pool, s->other.pool);
	TABLE_WITH(top_first, 1); /* and it ends at 0 */
	TABLE_WITH(top_first, UINT32_MAX);
	TABLE_WITH(top_end, slots + 1);
	TABLE_WITH(top_end, UINT32_MAX);
	TABLE_WITH(leading, 1);
	TABLE_WITH(leading, (pt_va_t)s->fx->page);
	TABLE_WITH(role, (enum pt_role) - 1);
	TABLE_WITH(role, (enum pt_role)(PT_ROLE_DEVICE + 1));
	TABLE_WITH(kernel, s->fx->table); /* is none */
	TABLE_WITH(kernel, s->other.table);
	TABLE_WITH(bound, 1);
	TABLE_WITH(bound, s->fx->last - 1);
	TABLE_WITH(bound, s->fx->last + s->fx->page);
	expect_error(pt_table_create(s->other.self, &s->fx->config, &t), EINVAL);
}

static void table_calls_refuse(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_cpu cpu = {{0}};
	struct pt_stats stats;
	struct pt_cursor c;

	expect_error(pt_table_destroy(s->other.self, fx->table), EINVAL);
	expect_error(pt_table_put(s->other.self, fx->table), EINVAL);
	expect_error(pt_table_activate(s->other.self, &cpu, fx->table), EINVAL);
	assert_null(pt_cpu_table(&cpu));
	expect_error(pt_table_get_stats(NULL, &stats), EINVAL);
	expect_error(pt_table_get_stats(fx->table, &stats), EINVAL); /* does not count */
	expect_error(pt_thread_get_stats(fx->self, NULL, &stats), EINVAL);
	expect_error(pt_thread_get_stats(fx->self, fx->table, &stats), EINVAL);
	expect_error(pt_thread_get_stats(s->other.self, fx->table, &stats), EINVAL);
	expect_ok(pt_table_get(fx->table));
	expect_error(pt_table_destroy(fx->self, fx->table), EBUSY);
	expect_ok(pt_table_put(fx->self, fx->table));
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_table_destroy(fx->self, fx->table), EBUSY);
	expect_error(pt_table_put(fx->self, fx->table), EBUSY);
	pt_cursor_end(&c);
}

static void thread_calls_refuse(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_check_report report;
	struct pt_home_stats home;
	struct pt_cursor c;

	expect_error(pt_thread_set_home(fx->self, 2), EINVAL); /* the pool has two */
	expect_error(pt_thread_set_home(fx->self, UINT32_MAX), EINVAL);
	expect_error(pt_pool_get_home_stats(fx->pool, 2, &home), EINVAL);
	expect_error(pt_pool_get_home_stats(fx->pool, UINT32_MAX, &home), EINVAL);
	expect_error(pt_pool_destroy(fx->pool), EBUSY);
	begin_cursor(fx, fx->base, fx->page, PT_READ_ONLY, &c);
	expect_error(pt_thread_set_home(fx->self, 1), EBUSY);
	expect_error(pt_thread_unregister(fx->self), EBUSY);
	expect_error(pt_thread_reclaim(fx->self), EDEADLK);
	expect_error(pt_check(fx->self, fx->table, &report), EDEADLK);
	pt_cursor_end(&c);
}

static void refuse_pool(const struct pt_pool_config *config)
{
	struct pt_pool *pool = NULL;

	expect_error(pt_pool_create(config, &pool), EINVAL);
	assert_null(pool);
}

#define POOL_WITH(field, value)         \
	do {                            \
		config = fits;          \
		config.field = (value); \
		refuse_pool(&config);   \
	} while (0)

static void pool_refuses(struct scene *s)
{
	static char meta[128] __attribute__((aligned(64)));
	const struct pt_pool_config fits = {.size = sizeof(fits), .chunk_bytes = 1 << 20};
	struct pt_pool_config config;

	(void)s;
	refuse_pool(NULL);
	POOL_WITH(size, 0);
	POOL_WITH(size, sizeof(config) - 1);
	POOL_WITH(size, sizeof(config) + 1);
	POOL_WITH(node_shift, 3);
	POOL_WITH(node_shift, 17);
	POOL_WITH(node_shift, UINT32_MAX);
	POOL_WITH(chunk_bytes, 1);
	POOL_WITH(chunk_bytes, 63 << 12);
	POOL_WITH(chunk_bytes, 32 << 12);
	POOL_WITH(chunk_bytes, 3 << 20);
	POOL_WITH(chunk_bytes, SIZE_MAX);
	POOL_WITH(max_bytes, SIZE_MAX);
	POOL_WITH(max_bytes, ((size_t)1 << 43) + 1);
	POOL_WITH(magazine, 7);
	POOL_WITH(magazine, 1025);
	POOL_WITH(magazine, UINT32_MAX);
	POOL_WITH(retire_batch, 1025);
	POOL_WITH(retire_batch, UINT32_MAX);
	POOL_WITH(reclaim, (enum pt_reclaim) - 1);
	POOL_WITH(reclaim, (enum pt_reclaim)(PT_RECLAIM_SYNC + 1));
	POOL_WITH(homes, 65);
	POOL_WITH(homes, UINT32_MAX);
	POOL_WITH(phys_base, 1);
	POOL_WITH(phys_base, 1 << 19);
	POOL_WITH(phys_base, -(pt_pa_t)(1 << 20)); /* and 64 GiB from there */
	POOL_WITH(region, (void *)meta);           /* without its length */
	POOL_WITH(meta, (void *)(meta + 1));
}

/* ---- frames ---- */

#define NR_FRAMES 16

static void refuse_frames(const struct pt_frames_config *config)
{
	struct pt_frames *frames = NULL;

	expect_error(pt_frames_create(config, &frames), EINVAL);
	assert_null(frames);
}

#define FRAMES_WITH(field, value)       \
	do {                            \
		config = fits;          \
		config.field = (value); \
		refuse_frames(&config); \
	} while (0)

static void frames_refuse(struct scene *s)
{
	static char meta[128] __attribute__((aligned(64)));
	const struct pt_frames_config fits = {
		.size = sizeof(fits), .first = FRAMES, .bytes = NR_FRAMES << 12};
	struct pt_frames_config config;

	(void)s;
	refuse_frames(NULL);
	FRAMES_WITH(size, 0);
	FRAMES_WITH(size, sizeof(config) + 1);
	FRAMES_WITH(first, 1);
	FRAMES_WITH(first, END);
	FRAMES_WITH(first, -(pt_pa_t)4096);
	FRAMES_WITH(bytes, 0);
	FRAMES_WITH(bytes, 1);
	FRAMES_WITH(bytes, END);
	FRAMES_WITH(page_shift, 3);
	FRAMES_WITH(page_shift, 31);
	FRAMES_WITH(page_shift, UINT32_MAX);
	FRAMES_WITH(max_count, (UINT64_C(1) << 62) + 1);
	FRAMES_WITH(max_count, END);
	FRAMES_WITH(meta, (void *)(meta + 1));
}

typedef int (*frame_call)(struct pt_frames *frames, pt_pa_t pa);

static int get_unused(struct pt_frames *frames, pt_pa_t pa)
{
	return pt_frame_get_unused(frames, pa, 4096);
}

static int get(struct pt_frames *frames, pt_pa_t pa)
{
	return pt_frame_get(frames, pa, 4096);
}

static int put(struct pt_frames *frames, pt_pa_t pa)
{
	return pt_frame_put(frames, pa, 4096);
}

static int count(struct pt_frames *frames, pt_pa_t pa)
{
	uint64_t n;

	return pt_frame_count(frames, pa, &n);
}

/* By one frame: unused, in use, unique; what each call says of it (0: not called). */
static const struct {
	frame_call call;
	int unused, used, unique;
} frame_calls[] = {
	{get_unused, 0, EEXIST, EBUSY},
	{get, ENOENT, 0, EBUSY},
	{put, 0, 0, 0},
	{count, ENOENT, 0, EBUSY},
	{pt_frame_get_unique, 0, EEXIST, EBUSY},
	{pt_frame_to_unique, ENOENT, 0, EBUSY},
	{pt_frame_to_shared, ENOENT, EEXIST, 0},
	{pt_frame_repurpose, ENOENT, EEXIST, 0},
	{pt_frame_reset_as_unused, ENOENT, EEXIST, 0},
};

static void frame_refuses(struct pt_frames *frames, size_t i)
{
	const pt_pa_t last = FRAMES + (NR_FRAMES - 1) * 4096;
	const pt_pa_t outside[] = {0, FRAMES - 4096, last + 4096, UINT64_C(1) << 63,
				   -(pt_pa_t)4096};
	const pt_pa_t crooked[] = {1, FRAMES + 1, FRAMES + 2048, last + 4095, END};
	const frame_call call = frame_calls[i].call;

	for (size_t k = 0; k < sizeof(outside) / sizeof(outside[0]); k++) {
		expect_error(call(frames, outside[k]), ERANGE);
		assert_null(pt_frame_storage(frames, outside[k]));
		expect_error(call(frames, crooked[k]), EINVAL);
		assert_null(pt_frame_storage(frames, crooked[k]));
	}
	if (frame_calls[i].unused)
		expect_error(call(frames, FRAMES), frame_calls[i].unused);
	if (frame_calls[i].used)
		expect_error(call(frames, FRAMES + 4096), frame_calls[i].used);
	if (frame_calls[i].unique)
		expect_error(call(frames, FRAMES + 8192), frame_calls[i].unique);
}

/* Ranges of frames: none of them has a reference more afterwards. */
static void frame_ranges_refuse(struct pt_frames *frames)
{
	const struct bad_range bad[] = {
		{FRAMES, 0, EINVAL},           {FRAMES, 1, EINVAL},
		{FRAMES, END, EINVAL},         {FRAMES + 3 * 4096, 14 * 4096, ERANGE},
		{FRAMES - 4096, 8192, ERANGE}, {FRAMES, -(uint64_t)4096, ERANGE},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_error(pt_frame_get_unused(frames, bad[i].va, bad[i].len), bad[i].error);
		expect_error(pt_frame_get(frames, bad[i].va, bad[i].len), bad[i].error);
		expect_error(pt_frame_put(frames, bad[i].va, bad[i].len), bad[i].error);
	}
	expect_error(pt_frame_get_unused(frames, FRAMES, 2 * 4096), EEXIST);
	expect_error(pt_frame_get(frames, FRAMES + 4096, 3 * 4096), EBUSY);
	for (unsigned i = 3; i < NR_FRAMES; i++)
		expect_error(count(frames, FRAMES + i * 4096), ENOENT);
}

static void frame_calls_refuse(struct scene *s)
{
	const struct pt_frames_config config = {
		.size = sizeof(config), .first = FRAMES, .bytes = NR_FRAMES * 4096};
	struct pt_frames *frames;
	uint64_t n;

	(void)s;
	expect_ok(pt_frames_create(&config, &frames));
	expect_ok(pt_frame_get_unused(frames, FRAMES + 4096, 4096));
	expect_ok(pt_frame_get_unique(frames, FRAMES + 8192));
	for (size_t i = 0; i < sizeof(frame_calls) / sizeof(frame_calls[0]); i++)
		frame_refuses(frames, i);
	frame_ranges_refuse(frames);
	expect_error(pt_frames_destroy(frames), EBUSY);
	expect_ok(pt_frame_count(frames, FRAMES + 4096, &n));
	assert_int_equal(n, 1);
	expect_ok(pt_frame_put(frames, FRAMES + 4096, 4096));
	expect_ok(pt_frame_reset_as_unused(frames, FRAMES + 8192));
	expect_ok(pt_frames_destroy(frames));
}

/* ---- names and arithmetic ---- */

static void names_refuse(struct scene *s)
{
	const char *strategy = s->fx->strategy->name, *format = s->fx->format->name;

	assert_null(pt_format_at(UINT32_MAX));
	assert_null(pt_strategy_at(UINT32_MAX));
	assert_null(pt_node_lock_at(UINT32_MAX));
	assert_null(pt_format_find(""));
	assert_null(pt_format_find(strategy));
	assert_null(pt_strategy_find(""));
	assert_null(pt_strategy_find(format));
	assert_false(pt_pair_exists(strategy, format));
	assert_false(pt_pair_exists(format, ""));
	assert_false(pt_pair_exists("", strategy));
}

static void arithmetic_refuses(struct scene *s)
{
	const struct pt_format_info *f = s->fx->format;
	const unsigned slots = 1u << f->index_bits;
	const uint64_t page = s->fx->page;
	uint64_t first = 77, last = 77, size = 77;

	expect_error(pt_index_range(f, 0, 0, 0, &first, &last), EINVAL);
	expect_error(pt_index_range(f, 2, 1, 0, &first, &last), EINVAL);
	expect_error(pt_index_range(f, 0, slots + 1, 0, &first, &last), EINVAL);
	expect_error(pt_index_range(f, UINT32_MAX - 1, UINT32_MAX, 0, &first, &last), EINVAL);
	expect_error(pt_index_range(f, 0, 1, 1, &first, &last), EINVAL);
	if (f->sign_extended) {
		expect_error(pt_index_range(f, 0, slots, 0, &first, &last), EINVAL);
		expect_error(pt_index_range(f, 0, 1, UINT64_C(1) << 63, &first, &last), EINVAL);
	}
	expect_error(pt_largest_page(f, 0, 0, 0, 1, &size), EINVAL);
	expect_error(pt_largest_page(f, 1, 0, page, 1, &size), EINVAL);
	expect_error(pt_largest_page(f, 0, 1, page, 1, &size), EINVAL);
	expect_error(pt_largest_page(f, 0, 0, page + 1, 1, &size), EINVAL);
	expect_error(pt_largest_page(f, -page, 0, 2 * page, 1, &size), EINVAL);
	expect_error(pt_largest_page(f, 0, -page, 2 * page, 1, &size), EINVAL);
	expect_error(pt_largest_page(f, 0, 0, page, 0, &size), EINVAL);
	expect_error(pt_largest_page(f, 0, 0, page, f->levels + 1, &size), EINVAL);
	assert_true(first == 77 && last == 77 && size == 77);
}

/* ---- who has a case ---- */

static const struct {
	void (*run)(struct scene *s);
	const char *functions; /* that it calls; each name ends with a blank */
} hostile[] = {
	{map_refuses, "pt_map "},
	{unmap_refuses, "pt_unmap "},
	{protect_refuses, "pt_protect "},
	{clone_refuses, "pt_clone "},
	{mark_refuses, "pt_mark "},
	{prune_refuses, "pt_prune "},
	{harvest_refuses, "pt_harvest "},
	{merge_refuses, "pt_merge "},
	{looks_refuse, "pt_walk pt_access pt_query pt_query_get "},
	{begin_refuses, "pt_cursor_begin pt_cursor_try_begin "},
	{cursor_refuses, "pt_cursor_find_next pt_cursor_jump pt_cursor_map pt_cursor_mark "
			 "pt_cursor_protect_next pt_cursor_query pt_cursor_take_next "
			 "pt_gather_sync "},
	{create_refuses, "pt_table_create "},
	{table_calls_refuse, "pt_table_destroy pt_table_put pt_table_activate pt_table_get_stats "
			     "pt_thread_get_stats "},
	{thread_calls_refuse, "pt_thread_set_home pt_thread_unregister pt_thread_reclaim pt_check "
			      "pt_pool_get_home_stats pt_pool_destroy "},
	{pool_refuses, "pt_pool_create "},
	{frames_refuse, "pt_frames_create "},
	{frame_calls_refuse, "pt_frame_get_unused pt_frame_get pt_frame_put pt_frame_count "
			     "pt_frame_get_unique pt_frame_to_unique pt_frame_to_shared "
			     "pt_frame_repurpose pt_frame_reset_as_unused pt_frame_storage "
			     "pt_frames_destroy "},
	{names_refuse, "pt_format_at pt_strategy_at pt_node_lock_at pt_format_find "
		       "pt_strategy_find pt_pair_exists "},
	{arithmetic_refuses, "pt_index_range pt_largest_page "},
};

/* By the header they refuse nothing: no error, and no bound but what the caller guarantees. */
static const char harmless[] =
	"pt_cpu_table pt_cursor_end pt_cursor_va pt_frame_item_ops pt_gather_init pt_page_size "
	"pt_pool_get_stats pt_slot_index pt_table_format pt_table_get pt_table_node_lock "
	"pt_table_range pt_table_root pt_table_strategy pt_thread_fail_alloc "
	"pt_thread_quiescent pt_thread_register ";

static void open_scene(struct scene *s, struct fixture *fx)
{
	struct pt_config config = fx->config;

	*s = (struct scene){.fx = fx};
	fixture_open(&s->other, fx->format, fx->strategy, PT_RECLAIM_SYNC);
	map(fx, fx->base, fx->giant, FRAMES, RW);
	for (unsigned i = 0; i < 3; i++) /* not one behind the other: single pages */
		map(fx, fx->base + fx->giant + i * fx->page, fx->page, FRAMES + 8 * i * fx->page,
		    RW);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 2 * fx->giant, fx->giant, 5));
	config.flush = NULL;
	expect_ok(pt_table_create(fx->self, &config, &s->twin));
	pt_gather_init(&s->gather, fx->self, fx->table, NULL, NULL);
	pt_gather_init(&s->foreign_gather, s->other.self, s->other.table, NULL, NULL);
}

static void what_is_hostile_is_refused(struct fixture *fx)
{
	struct pt_pool_stats pool, now;
	struct before before;
	struct scene s;

	open_scene(&s, fx);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		reclaim(fx);
		before_take(fx, &before);
		pt_pool_get_stats(fx->pool, &pool);
		hostile[i].run(&s);
		before_expect_unchanged(fx, &before);
		reclaim(fx);
		pt_pool_get_stats(fx->pool, &now);
		assert_int_equal(now.node_bytes, pool.node_bytes);
		assert_int_equal(now.tables, pool.tables);
		assert_int_equal(now.threads, pool.threads);
	}
	expect_ok(pt_gather_sync(&s.gather));
	expect_ok(pt_gather_sync(&s.foreign_gather));
	expect_ok(pt_table_destroy(fx->self, s.twin));
	fixture_close(&s.other);
}

/* The function that a line of the header declares; or false. */
static bool declares(const char *line, char *name, size_t size)
{
	const char *at = strstr(line, "pt_"), *end;

	if (strncmp(line, "PT_API ", 7) && strncmp(line, "static inline ", 14))
		return false;
	for (; at; at = strstr(end, "pt_")) {
		for (end = at; isalnum((unsigned char)*end) || *end == '_'; end++)
			continue;
		if (*end == '(' && (size_t)(end - at) + 2 < size) {
			snprintf(name, size, " %.*s ", (int)(end - at), at);
			return true;
		}
	}
	fail_msg("no function in: %s", line);
	return false;
}

static bool has_case(const char *name)
{
	char all[4096] = " ";

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		strcat(all, hostile[i].functions);
	strcat(all, harmless);
	return strstr(all, name);
}

static void every_public_function_has_a_case(struct fixture *fx)
{
	FILE *header = fopen(HEADER, "r");
	char line[256], name[64];
	unsigned n = 0;

	(void)fx;
	assert_non_null(header);
	while (fgets(line, sizeof(line), header)) {
		if (!declares(line, name, sizeof(name)))
			continue;
		if (!has_case(name))
			fail_msg("%s has no hostile case", name);
		n++;
	}
	fclose(header);
	assert_true(n > 70);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST_SYNC(what_is_hostile_is_refused),
		TEST_SYNC(every_public_function_has_a_case),
	};

	return run_on_all_pairs("hostile", cases, sizeof(cases) / sizeof(cases[0]));
}
