/* SPDX-License-Identifier: MIT */
/*
 * Counted frames.
 *
 *   unused --get_unused--> busy -> 1 <-get/put-> n        n = 1 <-to_unique/to_shared-> unique
 *      ^------ free hook <- busy <--put (last)-- 1        unique --reset--> unused
 *
 * Every change is one read-modify-write of `refs`, so two of them never both succeed from the same
 * state. A reference is only made from unused, or from a count that is not zero: once the last put
 * has made a frame busy, a get finds that and fails, and cannot bring it back. Busy and unique
 * frames have one owner, who alone leaves these states, by stores.
 *
 * A huge item holds one reference of each base frame in it. So splitting and merging items change
 * nothing and cannot fail, and parts of a huge item may outlive one another in any order.
 *
 * The count saturates: a reference that would be above the bound is refused. An addition goes above
 * it for an instant, before it is taken back; the room between bound and unique is 2^62, more than
 * there can be threads.
 *
 * Source: Asterinas ostd::mm::frame::meta; its Segment for more than one frame.
 */
#include "frame.h"

#include <errno.h>
#include <string.h>

#define MOST_COUNT (UINT64_C(1) << 62)

static struct frame *frame_of(const struct pt_frames *frames, pt_pa_t pa)
{
	return (struct frame *)(frames->meta_off + (pa >> frames->shift) * FRAME_META_BYTES);
}

static uint64_t frame_bytes(const struct pt_frames *frames)
{
	return UINT64_C(1) << frames->shift;
}

static int check_range(const struct pt_frames *frames, pt_pa_t pa, uint64_t bytes)
{
	if (!bytes || ((pa | bytes) & (frame_bytes(frames) - 1)))
		return -EINVAL;
	if (pa < frames->first || pa > frames->last || bytes - 1 > frames->last - pa)
		return -ERANGE;
	return 0;
}

/* Why a frame in this state cannot be what the caller wants. */
static int state_error(uint64_t refs)
{
	switch (refs) {
	case FRAME_UNUSED:
		return -ENOENT;
	case FRAME_BUSY:
		return -EAGAIN;
	case FRAME_UNIQUE:
		return -EBUSY;
	default:
		return -EEXIST;
	}
}

/* From a state that nobody owns to one that the caller owns. Return: 0 or the state's error. */
static int frame_claim(struct frame *frame, uint64_t from, uint64_t to)
{
	uint64_t refs = from;

	/* [ORD-frame] acq: whatever earlier owners did with the frame; pairs with frame_leave() */
	if (atomic_compare_exchange_strong_explicit(&frame->refs, &refs, to, memory_order_acquire,
						    memory_order_relaxed))
		return 0;
	return state_error(refs);
}

/* From a state that the caller owns to any other. */
static void frame_leave(struct frame *frame, uint64_t to)
{
	/* [ORD-frame] rel: metadata is complete, or done with; pairs with the acquiring sides */
	atomic_store_explicit(&frame->refs, to, memory_order_release);
}

/*
 * The end of a frame's use; the caller has made it busy. When no frame is in use any more, @frames may
 * be destroyed by somebody else: nothing is read there after the last one has been left.
 */
static void frame_release(struct pt_frames *frames, struct frame *frame, pt_pa_t pa)
{
	void (*const freed)(void *ctx, pt_pa_t pa) = frames->ops.free;
	void *const ctx = frames->ctx;

	if (frames->ops.on_drop)
		frames->ops.on_drop(frames->ctx, pa, frame->storage);
	memset(frame->storage, 0, sizeof(frame->storage));
	frame_leave(frame, FRAME_UNUSED);
	if (freed)
		freed(ctx, pa);
}

static void frame_put(struct pt_frames *frames, pt_pa_t pa)
{
	struct frame *frame = frame_of(frames, pa);

	/* [ORD-frame] rel: this holder is done; pairs with the load by the last one */
	if (atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_release) != FRAME_BUSY + 1)
		return;
	/* [ORD-frame] acq: what all other holders did; their releases precede the value read */
	(void)atomic_load_explicit(&frame->refs, memory_order_acquire);
	frame_release(frames, frame, pa);
}

/* A reference for whoever may hold none. */
static int frame_get(struct pt_frames *frames, pt_pa_t pa)
{
	struct frame *frame = frame_of(frames, pa);
	uint64_t refs = atomic_load_explicit(&frame->refs, memory_order_relaxed);

	do {
		if (refs <= FRAME_BUSY || refs == FRAME_UNIQUE)
			return state_error(refs);
		if (refs >= frames->most)
			return -EOVERFLOW;
		/* [ORD-frame] acq: the metadata behind the count; pairs with frame_leave() */
	} while (!atomic_compare_exchange_weak_explicit(
		&frame->refs, &refs, refs + 1, memory_order_acquire, memory_order_relaxed));
	return 0;
}

/* One more reference for a holder of one. */
static int frame_again(struct pt_frames *frames, pt_pa_t pa)
{
	struct frame *frame = frame_of(frames, pa);

	if (atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed) < frames->most)
		return 0;
	atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_relaxed);
	return -EOVERFLOW;
}

static int get_each(struct pt_frames *frames, pt_pa_t pa, uint64_t bytes,
		    int (*get)(struct pt_frames *frames, pt_pa_t pa))
{
	for (uint64_t at = 0; at < bytes; at += frame_bytes(frames)) {
		int rc = get(frames, pa + at);

		if (!rc)
			continue;
		while (at) {
			at -= frame_bytes(frames);
			frame_put(frames, pa + at);
		}
		return rc;
	}
	return 0;
}

/* ---- the public calls ---- */

int pt_frame_get_unused(struct pt_frames *frames, pt_pa_t pa, uint64_t bytes)
{
	int rc = check_range(frames, pa, bytes);
	uint64_t at;

	for (at = 0; !rc && at < bytes; at += frame_bytes(frames)) {
		rc = frame_claim(frame_of(frames, pa + at), FRAME_UNUSED, FRAME_BUSY);
		if (rc)
			break;
	}
	if (rc == -EINVAL || rc == -ERANGE)
		return rc;
	/* On error frames that were claimed have not been seen in use. */
	while (at) {
		at -= frame_bytes(frames);
		frame_leave(frame_of(frames, pa + at), rc ? FRAME_UNUSED : FRAME_BUSY + 1);
	}
	return rc;
}

int pt_frame_get(struct pt_frames *frames, pt_pa_t pa, uint64_t bytes)
{
	int rc = check_range(frames, pa, bytes);

	return rc ? rc : get_each(frames, pa, bytes, frame_get);
}

int pt_frame_put(struct pt_frames *frames, pt_pa_t pa, uint64_t bytes)
{
	const uint64_t step = frame_bytes(frames); /* see frame_release() */
	int rc = check_range(frames, pa, bytes);

	for (uint64_t at = 0; !rc && at < bytes; at += step)
		frame_put(frames, pa + at);
	return rc;
}

int pt_frame_count(struct pt_frames *frames, pt_pa_t pa, uint64_t *ret_count)
{
	int rc = check_range(frames, pa, frame_bytes(frames));
	uint64_t refs;

	if (rc)
		return rc;
	refs = atomic_load_explicit(&frame_of(frames, pa)->refs, memory_order_relaxed);
	if (refs <= FRAME_BUSY || refs == FRAME_UNIQUE)
		return state_error(refs);
	*ret_count = refs - FRAME_BUSY;
	return 0;
}

int pt_frame_get_unique(struct pt_frames *frames, pt_pa_t pa)
{
	int rc = check_range(frames, pa, frame_bytes(frames));

	return rc ? rc : frame_claim(frame_of(frames, pa), FRAME_UNUSED, FRAME_UNIQUE);
}

int pt_frame_to_unique(struct pt_frames *frames, pt_pa_t pa)
{
	int rc = check_range(frames, pa, frame_bytes(frames));

	return rc ? rc : frame_claim(frame_of(frames, pa), FRAME_BUSY + 1, FRAME_UNIQUE);
}

/* The frame of @pa if it is unique. Only its owner asks, so it stays so. */
static int find_unique(struct pt_frames *frames, pt_pa_t pa, struct frame **ret_frame)
{
	int rc = check_range(frames, pa, frame_bytes(frames));
	uint64_t refs;

	if (rc)
		return rc;
	refs = atomic_load_explicit(&frame_of(frames, pa)->refs, memory_order_relaxed);
	if (refs != FRAME_UNIQUE)
		return state_error(refs);
	*ret_frame = frame_of(frames, pa);
	return 0;
}

int pt_frame_to_shared(struct pt_frames *frames, pt_pa_t pa)
{
	struct frame *frame;
	int rc = find_unique(frames, pa, &frame);

	if (!rc)
		frame_leave(frame, FRAME_BUSY + 1);
	return rc;
}

int pt_frame_repurpose(struct pt_frames *frames, pt_pa_t pa)
{
	struct frame *frame;
	int rc = find_unique(frames, pa, &frame);

	if (rc)
		return rc;
	if (frames->ops.on_drop)
		frames->ops.on_drop(frames->ctx, pa, frame->storage);
	memset(frame->storage, 0, sizeof(frame->storage));
	return 0;
}

int pt_frame_reset_as_unused(struct pt_frames *frames, pt_pa_t pa)
{
	struct frame *frame;
	int rc = pt_frame_repurpose(frames, pa);

	if (rc)
		return rc;
	frame = frame_of(frames, pa);
	frame_leave(frame, FRAME_UNUSED);
	return 0;
}

void *pt_frame_storage(struct pt_frames *frames, pt_pa_t pa)
{
	return check_range(frames, pa, frame_bytes(frames)) ? NULL : frame_of(frames, pa)->storage;
}

/* ---- items ---- */

static uint64_t item_bytes(const struct pt_frames *frames, unsigned level)
{
	return frame_bytes(frames) << (level - 1) * frames->index_bits;
}

static int item_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	struct pt_frames *frames = ctx;
	uint64_t bytes = item_bytes(frames, level);
	int rc = check_range(frames, pa, bytes);

	return rc ? rc : get_each(frames, pa, bytes, frame_again);
}

static void item_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	struct pt_frames *frames = ctx;

	(void)pt_frame_put(frames, pa, item_bytes(frames, level));
}

/* A whole and its parts hold the same references of the same frames: splitting and merging need nothing. */
static void item_keep(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
}

const struct pt_item_ops *pt_frame_item_ops(void)
{
	static const struct pt_item_ops ops = {
		.clone = item_clone,
		.drop = item_drop,
		.split = item_keep,
		.merge = item_keep,
	};

	return &ops;
}

/* ---- creation ---- */

static int frames_configure(struct pt_frames *frames, const struct pt_frames_config *config)
{
	uint64_t page;

	frames->shift = config->page_shift ? config->page_shift : 12;
	frames->index_bits = config->index_bits ? config->index_bits : 9;
	if (frames->shift < 4 || frames->shift > 30 || frames->index_bits > 16 ||
	    config->max_count > MOST_COUNT || ((uintptr_t)config->meta & (FRAME_META_BYTES - 1)))
		return -EINVAL;
	page = frame_bytes(frames);
	if (!config->bytes || ((config->first | config->bytes) & (page - 1)) ||
	    config->bytes - 1 > UINT64_MAX - config->first)
		return -EINVAL;
	frames->first = config->first;
	frames->last = config->first + (config->bytes - 1);
	frames->most = FRAME_BUSY + (config->max_count ? config->max_count : MOST_COUNT);
	frames->ops = config->ops ? *config->ops : (struct pt_frame_ops){0};
	frames->ctx = config->ctx;
	return 0;
}

/* Metadata that the embedder gave, or our own: address space, backed where it is touched. */
static int frames_back(struct pt_frames *frames, const struct pt_frames_config *config)
{
	uint64_t nr = config->bytes >> frames->shift;
	size_t page = port_page_bytes();
	size_t bytes;

	if (nr > (SIZE_MAX / 2) / FRAME_META_BYTES)
		return -ENOMEM;
	bytes = (size_t)nr * FRAME_META_BYTES;
	if (config->meta) {
		frames->meta = memset(config->meta, 0, bytes);
	} else {
		frames->own_bytes = (bytes + page - 1) & ~(page - 1);
		frames->meta = port_reserve(frames->own_bytes, page);
		if (!frames->meta)
			return -ENOMEM;
		if (port_commit(frames->meta, frames->own_bytes)) {
			port_unreserve(frames->meta, frames->own_bytes);
			return -ENOMEM;
		}
	}
	frames->meta_off = (uintptr_t)frames->meta -
			   (uintptr_t)(frames->first >> frames->shift) * FRAME_META_BYTES;
	port_describe("frame", frames->meta, FRAME_META_BYTES, (size_t)nr);
	return 0;
}

int pt_frames_create(const struct pt_frames_config *config, struct pt_frames **ret_frames)
{
	struct pt_frames *frames;
	int rc;

	if (!config || config->size != sizeof(*config))
		return -EINVAL;
	frames = port_alloc(sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	rc = frames_configure(frames, config);
	if (!rc)
		rc = frames_back(frames, config);
	if (rc) {
		port_free(frames);
		return rc;
	}
	*ret_frames = frames;
	return 0;
}

int pt_frames_destroy(struct pt_frames *frames)
{
	uint64_t nr = ((frames->last - frames->first) >> frames->shift) + 1;

	for (uint64_t i = 0; i < nr; i++)
		/* [ORD-frame] acq: hooks of the last put are over; pairs with frame_leave() */
		if (atomic_load_explicit(&frames->meta[i].refs, memory_order_acquire) !=
		    FRAME_UNUSED)
			return -EBUSY;
	if (frames->own_bytes) {
		port_decommit(frames->meta, frames->own_bytes);
		port_unreserve(frames->meta, frames->own_bytes);
	}
	port_free(frames);
	return 0;
}
