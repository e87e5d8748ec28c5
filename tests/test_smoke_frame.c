/* SPDX-License-Identifier: MIT */
/* Threads take, hand on and give back the same few frames, all states against all. */
#include "smoke.h"

#include <stdatomic.h>
#include <string.h>

#include "support.h"

#define NR_FRAMES 2

struct hands {
	struct pt_frames *frames;
	_Atomic bool spare[NR_FRAMES]; /* a first reference that whoever clears this may have */
	_Atomic uint64_t made, dropped, freed;
};

/* Plain data in the storage: whoever reads it without the frames' order is a race. */
struct content {
	uint64_t pa;
	uint64_t lives;
};

static void on_drop(void *ctx, pt_pa_t pa, void *storage)
{
	struct hands *h = ctx;
	struct content *content = storage;

	(void)pa;
	content->lives = 0;
	atomic_fetch_add_explicit(&h->dropped, 1, memory_order_relaxed);
}

static void on_free(void *ctx, pt_pa_t pa)
{
	struct hands *h = ctx;

	(void)pa;
	atomic_fetch_add_explicit(&h->freed, 1, memory_order_relaxed);
}

static bool refused(int rc)
{
	return rc == -ENOENT || rc == -EEXIST || rc == -EAGAIN || rc == -EBUSY;
}

/* Relaxed: all order between the threads must come from the frames. */
static _Atomic bool *spare_of(struct smoke_thread *t, struct hands *h, pt_pa_t pa)
{
	return &h->spare[(pa - FRAMES) / t->smoke->fx->page];
}

/* Alone with the frame: set it up, let others have it. */
static void make_and_share(struct smoke_thread *t, struct hands *h, pt_pa_t pa)
{
	struct content *content = pt_frame_storage(h->frames, pa);
	int rc = pt_frame_get_unique(h->frames, pa);

	if (rc) {
		require(t, refused(rc) && rc != -ENOENT);
		return;
	}
	atomic_fetch_add_explicit(&h->made, 1, memory_order_relaxed);
	require(t, content->pa == 0);
	content->pa = pa;
	content->lives = 1;
	require(t, pt_frame_to_shared(h->frames, pa) == 0);
	atomic_store_explicit(spare_of(t, h, pa), true, memory_order_relaxed);
}

static void get_look_put(struct smoke_thread *t, struct hands *h, pt_pa_t pa)
{
	const struct content *content = pt_frame_storage(h->frames, pa);
	int rc = pt_frame_get(h->frames, pa, t->smoke->fx->page);

	if (rc) {
		require(t, refused(rc) && rc != -EEXIST);
		return;
	}
	require(t, content->pa == pa && content->lives);
	pt_frame_put(h->frames, pa, t->smoke->fx->page);
	atomic_fetch_add_explicit(&t->smoke->seen, 1, memory_order_relaxed);
}

/* With the first reference, if no other thread has it just now: alone if it is the only one. */
static void take_over(struct smoke_thread *t, struct hands *h, pt_pa_t pa)
{
	struct content *content = pt_frame_storage(h->frames, pa);
	uint64_t page = t->smoke->fx->page;
	int rc;

	if (!atomic_exchange_explicit(spare_of(t, h, pa), false, memory_order_relaxed))
		return;
	rc = pt_frame_to_unique(h->frames, pa);
	require(t, rc == 0 || rc == -EEXIST);
	if (!rc) {
		content->lives++;
		require(t, content->pa == pa);
		require(t, pt_frame_get(h->frames, pa, page) == -EBUSY);
		require(t, pt_frame_to_shared(h->frames, pa) == 0);
	}
	/* Others may have references of their own by now: which put is the last is open. */
	if (smoke_random(t, 2))
		pt_frame_put(h->frames, pa, page);
	else
		atomic_store_explicit(spare_of(t, h, pa), true, memory_order_relaxed);
}

static void anything(struct smoke_thread *t)
{
	struct hands *h = t->smoke->test;
	pt_pa_t pa = FRAMES + smoke_random(t, NR_FRAMES) * t->smoke->fx->page;

	switch (smoke_random(t, 4)) {
	case 0:
		make_and_share(t, h, pa);
		break;
	case 1:
		take_over(t, h, pa);
		break;
	default:
		get_look_put(t, h, pa);
	}
}

static void frames_pass_from_hand_to_hand(struct fixture *fx)
{
	static const struct pt_frame_ops ops = {.on_drop = on_drop, .free = on_free};
	struct hands h = {.frames = NULL};
	struct smoke s = {.fx = fx,
			  .test = &h,
			  .seen_at_least = 10,
			  .functions = {anything, anything, anything}};
	struct pt_frames_config config = {
		.size = sizeof(config),
		.first = FRAMES,
		.bytes = NR_FRAMES * fx->page,
		.page_shift = fx->format->page_shift,
		.ops = &ops,
		.ctx = &h,
	};
	uint64_t count;

	/* Frames know nothing of strategies: one is enough. */
	if (fx->strategy != pt_strategy_at(0))
		skip();
	expect_ok(pt_frames_create(&config, &h.frames));
	smoke_run(&s);
	for (pt_pa_t pa = FRAMES; pa < FRAMES + NR_FRAMES * fx->page; pa += fx->page)
		if (!pt_frame_count(h.frames, pa, &count)) {
			assert_int_equal(count, 1);
			expect_ok(pt_frame_put(h.frames, pa, fx->page));
		}
	assert_true(h.made > 10);
	assert_int_equal(h.made, h.dropped);
	assert_int_equal(h.made, h.freed);
	expect_ok(pt_frames_destroy(h.frames));
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		TEST(frames_pass_from_hand_to_hand),
	};

	smoke_arguments(argc, argv);
	return run_on_all_pairs("smoke frame", cases, sizeof(cases) / sizeof(cases[0]));
}
