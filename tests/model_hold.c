/* SPDX-License-Identifier: MIT */
/*
 * References of tracked items, which leaves of the map and handles of this test hold: entries of the
 * ledger, or counted frames.
 */
#include <stdlib.h>

#include "model.h"

/* Counting each frame of a giant leaf would take its time. */
#define MOST_TRACKED(w) (4 * (w)->fx->huge)

/* ---- counted frames ---- */

/* A frame comes back, on the thread that reclaims. */
static void on_free(void *ctx, pt_pa_t pa)
{
	struct world *w = ctx;

	(void)pa;
	atomic_fetch_sub(&w->frames_used, 1);
}

void use_frames(struct world *w)
{
	static const struct pt_frame_ops ops = {.free = on_free};
	struct pt_frames_config config = {
		.size = sizeof(config),
		.first = FRAMES,
		.bytes = (w->frames_span ? w->frames_span : 4 * w->fx->giant) + 16 * w->fx->huge,
		.page_shift = w->fx->format->page_shift,
		.index_bits = w->fx->format->index_bits,
		.ops = &ops,
		.ctx = w,
	};

	expect_ok(pt_frames_create(&config, &w->frames));
	w->nr_frames = config.bytes / w->fx->page;
	w->fx->config.item_ops = pt_frame_item_ops();
	w->fx->config.item_ctx = w->frames;
}

void end_frames(struct world *w)
{
	if (!w->frames)
		return;
	expect_ok(pt_frames_destroy(w->frames));
	w->frames = NULL;
	w->fx->config.item_ops = &ledger_ops;
	w->fx->config.item_ctx = &w->fx->ledger;
}

pt_prop_t trackable(const struct world *w, pt_prop_t prop, pt_va_t first, pt_va_t last)
{
	return w->frames && last - first >= MOST_TRACKED(w) ? prop & ~PT_TRACKED : prop;
}

static void get_frames(struct world *w, pt_pa_t pa, uint64_t size)
{
	for (uint64_t at = 0; at < size; at += w->fx->page) {
		int rc;

		/* Whoever runs callbacks may be freeing it. */
		do
			rc = pt_frame_get(w->frames, pa + at, w->fx->page);
		while (rc == -EAGAIN);
		if (rc == -ENOENT) {
			rc = pt_frame_get_unused(w->frames, pa + at, w->fx->page);
			atomic_fetch_add(&w->frames_used, 1);
		}
		expect_ok(rc);
	}
}

/* ---- references ---- */

void give_item(struct world *w, pt_pa_t pa, unsigned level)
{
	if (w->frames)
		get_frames(w, pa, pt_page_size(w->fx->format, level));
	else
		ledger_get(&w->fx->ledger, pa, level);
}

void take_back_item(struct world *w, pt_pa_t pa, unsigned level)
{
	if (w->frames)
		expect_ok(pt_frame_put(w->frames, pa, pt_page_size(w->fx->format, level)));
	else
		ledger_put(&w->fx->ledger, pa, level);
}

static void each_item(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa, unsigned max_level,
		      void (*fn)(struct world *w, pt_pa_t pa, unsigned level))
{
	uint64_t pages = ((last - first) >> w->fx->format->page_shift) + 1;

	while (pages) {
		unsigned level = flat_largest(&w->map, first, pa, pages, max_level);
		uint64_t size = pt_page_size(w->fx->format, level);

		fn(w, pa, level);
		first += size;
		pa += size;
		pages -= size >> w->fx->format->page_shift;
	}
}

void give_items(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa, unsigned max_level)
{
	each_item(w, first, last, pa, max_level, give_item);
}

void take_back_items(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa, unsigned max_level)
{
	each_item(w, first, last, pa, max_level, take_back_item);
}

/* ---- handles ---- */

void let_go(struct world *w)
{
	struct handle *h = &w->handles[random_below(w, w->nr_handles)];

	take_back_item(w, h->pa, h->level);
	*h = w->handles[--w->nr_handles];
}

void keep(struct world *w, const struct pt_item *item)
{
	if (w->nr_handles == MODEL_HANDLES)
		let_go(w);
	w->handles[w->nr_handles++] = (struct handle){.pa = item->pa, .level = item->level};
}

/* ---- comparing ---- */

typedef void (*hold_fn)(struct world *w, pt_pa_t pa, unsigned level, void *arg);

/* Everything that must hold a reference. */
static void each_hold(struct world *w, hold_fn fn, void *arg)
{
	for (size_t i = 0; i < w->map.n; i++) {
		const struct extent *e = &w->map.extents[i];
		uint64_t size;

		if (e->kind != PT_KIND_LEAF || !(e->prop & PT_TRACKED))
			continue;
		size = pt_page_size(w->fx->format, e->level);
		for (uint64_t at = 0; at <= e->last - e->first; at += size)
			fn(w, e->pa + at, e->level, arg);
	}
	for (unsigned i = 0; i < w->nr_handles; i++)
		fn(w, w->handles[i].pa, w->handles[i].level, arg);
}

static void expect_entry(struct world *w, pt_pa_t pa, unsigned level, void *arg)
{
	assert_true(ledger_count(&w->fx->ledger, pa, level) > 0);
	++*(int64_t *)arg;
}

static void count_frames(struct world *w, pt_pa_t pa, unsigned level, void *arg)
{
	uint32_t *counts = arg;
	uint64_t first = (pa - FRAMES) / w->fx->page;
	uint64_t n = pt_page_size(w->fx->format, level) / w->fx->page;

	for (uint64_t i = first; i < first + n; i++)
		counts[i]++;
}

static void expect_frames(struct world *w)
{
	uint32_t *counts = calloc(w->nr_frames, sizeof(*counts));
	uint64_t used = 0;

	assert_non_null(counts);
	each_hold(w, count_frames, counts);
	for (uint64_t i = 0; i < w->nr_frames; i++) {
		uint64_t count;

		if (!counts[i])
			continue;
		expect_ok(pt_frame_count(w->frames, FRAMES + i * w->fx->page, &count));
		assert_int_equal(count, counts[i]);
		used++;
	}
	free(counts);
	assert_int_equal(atomic_load(&w->frames_used), used);
}

void expect_references(struct world *w)
{
	int64_t total = 0;

	if (w->frames) {
		expect_frames(w);
		return;
	}
	each_hold(w, expect_entry, &total);
	assert_null(w->fx->ledger.error);
	assert_int_equal(ledger_total(&w->fx->ledger), total);
}
