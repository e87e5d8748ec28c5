/* SPDX-License-Identifier: MIT */
/* Without memory: every call that documents it. That nothing changes in the middle is what other tests see. */
#include "hostile.h"
#include "thread.h"

static void calls_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	struct pt_thread *self = fx->self;
	struct pt_table *t = fx->table, *none = NULL;
	const pt_va_t free_page = fx->base + 3 * fx->giant;
	struct pt_cursor c;
	uint64_t n = 77;

	pt_thread_fail_alloc(self, 0);
	refuse(pt_map(self, t, free_page, fx->page, FRAMES, RW, 1), ENOMEM);
	refuse(pt_unmap(self, t, fx->base + fx->page, fx->page, NULL, &n), ENOMEM);
	refuse(pt_protect(self, t, fx->base + fx->page, fx->page, 0, PT_WRITE, NULL, &n), ENOMEM);
	refuse(pt_clone(self, t, s->twin, fx->base, fx->giant, 0, PT_WRITE, NULL, &n), ENOMEM);
	refuse(pt_mark(self, t, free_page, fx->page, 1), ENOMEM);
	refuse(pt_cursor_begin(self, t, free_page, fx->page, PT_BUILD, 1, &c), ENOMEM);
	refuse(pt_cursor_try_begin(self, t, free_page, fx->page, PT_BUILD, 1, &c), ENOMEM);
	refuse(pt_table_create(self, &fx->config, &none), ENOMEM);
	assert_true(!none && n == 77);
	pt_thread_fail_alloc(self, UINT64_MAX);
}

static pt_prop_t take_write_away(void *ctx, pt_va_t va, const struct pt_item *old)
{
	(void)ctx;
	(void)va;
	return old->prop & ~PT_WRITE;
}

static void cursors_are_refused(struct scene *s)
{
	struct fixture *fx = s->fx;
	const struct pt_item item = {FRAMES, RW, 1};
	struct pt_taken taken = {.va = 77};
	uint64_t len = 77;
	struct pt_cursor c;
	pt_va_t at = 77;

	begin_cursor(fx, fx->base, 4 * fx->giant, PT_BUILD, &c);
	pt_thread_fail_alloc(fx->self, 0);
	refuse(pt_cursor_take_next(&c, fx->page, &s->gather, &taken), ENOMEM);
	refuse(pt_cursor_protect_next(&c, fx->page, take_write_away, NULL, &s->gather, &at, &len),
	       ENOMEM);
	assert_int_equal(pt_cursor_va(&c), fx->base);
	expect_ok(pt_cursor_jump(&c, fx->base + 2 * fx->giant + fx->page)); /* in the mark */
	refuse(pt_cursor_map(&c, &item), ENOMEM);
	refuse(pt_cursor_mark(&c, fx->page, 1), ENOMEM);
	assert_int_equal(pt_cursor_va(&c), fx->base + 2 * fx->giant + fx->page);
	assert_true(at == 77 && len == 77 && taken.va == 77);
	pt_thread_fail_alloc(fx->self, UINT64_MAX);
	pt_cursor_end(&c);
}

/* More than any address space has, at the latest when it is asked for again and again. */
static void address_space_is_refused(struct scene *s)
{
	const struct pt_pool_config config = {.size = sizeof(config),
					      .node_shift = 16,
					      .chunk_bytes = (size_t)1 << 30,
					      .max_bytes = (size_t)1 << 47};
	struct pt_pool *pools[4] = {NULL};
	unsigned n = 0;

	(void)s;
	while (n < 3 && !pt_pool_create(&config, &pools[n]))
		n++;
	refuse(pt_pool_create(&config, &pools[n]), ENOMEM);
	assert_null(pools[n]);
	while (n)
		expect_ok(pt_pool_destroy(pools[--n]));
}

static void frames_are_refused(struct scene *s)
{
	struct pt_frames_config config = {
		.size = sizeof(config), .first = 0, .bytes = UINT64_C(1) << 60};
	struct pt_frames *frames = NULL;

	(void)s;
	refuse(pt_frames_create(&config, &frames), ENOMEM);
	config.page_shift = 4; /* and their metadata has more bytes than can be said */
	config.bytes = UINT64_C(1) << 63;
	refuse(pt_frames_create(&config, &frames), ENOMEM);
	assert_null(frames);
}

/* To register so many takes too long, so they are written here. */
static void a_full_pool(struct scene *s)
{
	struct pt_pool *pool = s->fx->pool;
	const uint32_t here = atomic_load(&pool->threads);
	struct pt_thread *none = NULL;

	atomic_store(&pool->threads, 65535);
	refuse(pt_thread_register(pool, &none), ENOMEM);
	assert_null(none);
	assert_int_equal(atomic_load(&pool->threads), 65535);
	atomic_store(&pool->threads, here);
}

const struct hostile_case hostile_short[] = {
	{calls_are_refused, "pt_map pt_unmap pt_protect pt_clone pt_mark pt_cursor_begin "
			    "pt_cursor_try_begin pt_table_create "},
	{cursors_are_refused,
	 "pt_cursor_take_next pt_cursor_protect_next pt_cursor_map pt_cursor_mark "},
	{address_space_is_refused, "pt_pool_create "},
	{frames_are_refused, "pt_frames_create "},
	{a_full_pool, "pt_thread_register "},
	{NULL, NULL},
};
