/* SPDX-License-Identifier: MIT */
/* Counted frames: in each of their states, and where there are none. */
#include "hostile.h"

#define NR_FRAMES 16
#define FRAME UINT64_C(4096)

static void refuse_frames(const struct pt_frames_config *config)
{
	struct pt_frames *frames = NULL;

	refuse(pt_frames_create(config, &frames), EINVAL);
	assert_null(frames);
}

#define FRAMES_WITH(field, value)       \
	do {                            \
		config = fits;          \
		config.field = (value); \
		refuse_frames(&config); \
	} while (0)

static void create_refuses(struct scene *s)
{
	static char meta[128] __attribute__((aligned(64)));
	const struct pt_frames_config fits = {
		.size = sizeof(fits), .first = FRAMES, .bytes = NR_FRAMES * FRAME};
	struct pt_frames_config config;

	(void)s;
	refuse_frames(NULL);
	FRAMES_WITH(size, 0);
	FRAMES_WITH(size, sizeof(config) - 1);
	FRAMES_WITH(size, sizeof(config) + 1);
	FRAMES_WITH(first, 1);
	FRAMES_WITH(first, END);
	FRAMES_WITH(first, -FRAME); /* and 16 from there */
	FRAMES_WITH(bytes, 0);
	FRAMES_WITH(bytes, 1);
	FRAMES_WITH(bytes, END);
	FRAMES_WITH(page_shift, 3);
	FRAMES_WITH(page_shift, 31);
	FRAMES_WITH(page_shift, UINT32_MAX);
	FRAMES_WITH(index_bits, 17);
	FRAMES_WITH(index_bits, UINT32_MAX);
	FRAMES_WITH(max_count, (UINT64_C(1) << 62) + 1);
	FRAMES_WITH(max_count, END);
	FRAMES_WITH(meta, (void *)(meta + 1));
}

/* ---- one frame ---- */

typedef int (*frame_call)(struct pt_frames *frames, pt_pa_t pa);

static int get_unused(struct pt_frames *frames, pt_pa_t pa)
{
	return pt_frame_get_unused(frames, pa, FRAME);
}

static int get(struct pt_frames *frames, pt_pa_t pa)
{
	return pt_frame_get(frames, pa, FRAME);
}

static int put(struct pt_frames *frames, pt_pa_t pa)
{
	return pt_frame_put(frames, pa, FRAME);
}

static int count(struct pt_frames *frames, pt_pa_t pa)
{
	uint64_t n;

	return pt_frame_count(frames, pa, &n);
}

/* What each call says of a frame that is unused, in use twice, unique, or busy (0: not called). */
static const struct {
	const char *name;
	frame_call call;
	int unused, used, unique, busy;
} frame_calls[] = {
	{"pt_frame_get_unused", get_unused, 0, EEXIST, EBUSY, EAGAIN},
	{"pt_frame_get", get, ENOENT, 0, EBUSY, EAGAIN},
	{"pt_frame_put", put, 0, 0, 0, 0},
	{"pt_frame_count", count, ENOENT, 0, EBUSY, EAGAIN},
	{"pt_frame_get_unique", pt_frame_get_unique, 0, EEXIST, EBUSY, EAGAIN},
	{"pt_frame_to_unique", pt_frame_to_unique, ENOENT, EEXIST, EBUSY, EAGAIN},
	{"pt_frame_to_shared", pt_frame_to_shared, ENOENT, EEXIST, 0, EAGAIN},
	{"pt_frame_repurpose", pt_frame_repurpose, ENOENT, EEXIST, 0, EAGAIN},
	{"pt_frame_reset_as_unused", pt_frame_reset_as_unused, ENOENT, EEXIST, 0, EAGAIN},
};

static void refuse_frame(struct pt_frames *frames, size_t i, pt_pa_t pa, int error)
{
	if (!error)
		return;
	expect_error(frame_calls[i].call(frames, pa), error);
	hostile_note(frame_calls[i].name, error);
}

static void refuse_places(struct pt_frames *frames, size_t i)
{
	const pt_pa_t last = FRAMES + (NR_FRAMES - 1) * FRAME;
	const pt_pa_t outside[] = {0, FRAMES - FRAME, last + FRAME, UINT64_C(1) << 63, -FRAME};
	const pt_pa_t crooked[] = {1, FRAMES + 1, FRAMES + FRAME / 2, last + FRAME - 1, END};

	for (size_t k = 0; k < COUNT_OF(outside); k++) {
		refuse_frame(frames, i, outside[k], ERANGE);
		assert_null(pt_frame_storage(frames, outside[k]));
		refuse_frame(frames, i, crooked[k], EINVAL);
		assert_null(pt_frame_storage(frames, crooked[k]));
	}
}

/* ---- while it is busy: in the hook of its last put ---- */

struct dropping {
	struct pt_frames *frames;
	unsigned drops;
};

static void refuse_busy(void *ctx, pt_pa_t pa, void *storage)
{
	struct dropping *d = ctx;

	(void)storage;
	d->drops++;
	for (size_t i = 0; i < COUNT_OF(frame_calls); i++)
		refuse_frame(d->frames, i, pa, frame_calls[i].busy);
	refuse(pt_frames_destroy(d->frames), EBUSY);
}

static void busy_frames_are_refused(struct scene *s)
{
	static const struct pt_frame_ops ops = {.on_drop = refuse_busy};
	struct dropping d = {0};
	const struct pt_frames_config config = {
		.size = sizeof(config), .first = FRAMES, .bytes = FRAME, .ops = &ops, .ctx = &d};

	(void)s;
	expect_ok(pt_frames_create(&config, &d.frames));
	expect_ok(pt_frame_get_unused(d.frames, FRAMES, FRAME));
	expect_ok(pt_frame_put(d.frames, FRAMES, FRAME));
	assert_int_equal(d.drops, 1);
	expect_ok(pt_frames_destroy(d.frames));
}

/* ---- several ---- */

/* Frame 1 is in use, 2 is unique. None of them has a reference more afterwards. */
static void refuse_several(struct pt_frames *frames)
{
	const struct bad_range bad[] = {
		{FRAMES, 0, EINVAL},
		{FRAMES, 1, EINVAL},
		{FRAMES, END, EINVAL},
		{FRAMES + 3 * FRAME, 14 * FRAME, ERANGE},
		{FRAMES - FRAME, 2 * FRAME, ERANGE},
		{FRAMES, -FRAME, ERANGE},
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		refuse(pt_frame_get_unused(frames, bad[i].va, bad[i].len), bad[i].error);
		refuse(pt_frame_get(frames, bad[i].va, bad[i].len), bad[i].error);
		refuse(pt_frame_put(frames, bad[i].va, bad[i].len), bad[i].error);
	}
	refuse(pt_frame_get_unused(frames, FRAMES, 2 * FRAME), EEXIST);
	refuse(pt_frame_get_unused(frames, FRAMES + 2 * FRAME, 2 * FRAME), EBUSY);
	refuse(pt_frame_get(frames, FRAMES + FRAME, 3 * FRAME), EBUSY);
	refuse(pt_frame_get(frames, FRAMES, 2 * FRAME), ENOENT);
	for (unsigned i = 3; i < NR_FRAMES; i++)
		refuse(pt_frame_get(frames, FRAMES + i * FRAME, FRAME), ENOENT);
}

static void frames_are_refused(struct scene *s)
{
	const struct pt_frames_config config = {.size = sizeof(config),
						.first = FRAMES,
						.bytes = NR_FRAMES * FRAME,
						.max_count = 3};
	struct pt_frames *frames;
	uint64_t n;

	(void)s;
	expect_ok(pt_frames_create(&config, &frames));
	expect_ok(pt_frame_get_unused(frames, FRAMES + FRAME, FRAME));
	expect_ok(pt_frame_get(frames, FRAMES + FRAME, FRAME));
	expect_ok(pt_frame_get_unique(frames, FRAMES + 2 * FRAME));
	expect_ok(pt_frame_get(frames, FRAMES + FRAME, FRAME));
	refuse(pt_frame_get(frames, FRAMES + FRAME, FRAME), EOVERFLOW);
	expect_ok(pt_frame_put(frames, FRAMES + FRAME, FRAME));
	for (size_t i = 0; i < COUNT_OF(frame_calls); i++) {
		refuse_places(frames, i);
		refuse_frame(frames, i, FRAMES, frame_calls[i].unused);
		refuse_frame(frames, i, FRAMES + FRAME, frame_calls[i].used);
		refuse_frame(frames, i, FRAMES + 2 * FRAME, frame_calls[i].unique);
	}
	refuse_several(frames);
	refuse(pt_frames_destroy(frames), EBUSY);
	expect_ok(pt_frame_count(frames, FRAMES + FRAME, &n));
	assert_int_equal(n, 2);
	expect_ok(pt_frame_put(frames, FRAMES + FRAME, FRAME));
	expect_ok(pt_frame_put(frames, FRAMES + FRAME, FRAME));
	refuse(pt_frames_destroy(frames), EBUSY); /* for the unique one */
	expect_ok(pt_frame_reset_as_unused(frames, FRAMES + 2 * FRAME));
	expect_ok(pt_frames_destroy(frames));
}

const struct hostile_case hostile_frames[] = {
	{create_refuses, "pt_frames_create "},
	{busy_frames_are_refused, "pt_frame_get_unused pt_frame_get pt_frame_count "
				  "pt_frame_get_unique pt_frame_to_unique pt_frame_to_shared "
				  "pt_frame_repurpose pt_frame_reset_as_unused "},
	{frames_are_refused, "pt_frame_get_unused pt_frame_get pt_frame_put pt_frame_count "
			     "pt_frame_get_unique pt_frame_to_unique pt_frame_to_shared "
			     "pt_frame_repurpose pt_frame_reset_as_unused pt_frame_storage "
			     "pt_frames_destroy "},
	{NULL, NULL},
};
