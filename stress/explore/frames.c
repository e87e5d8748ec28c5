/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include "trace.h"

#define NR_FRAMES 16 /* of SCENARIO_FRAMES: few, so that set-up is quick */
#define ALIVE UINT64_C(0x600d)

static struct pt_frames *frames;
static unsigned most; /* references of a frame */

static struct hands {
	uint8_t held[MAX_THREADS][NR_FRAMES];
	uint8_t owned[NR_FRAMES]; /* by one alone, who is this thread plus one */
	bool dead[NR_FRAMES];     /* dropped, and not made anew */
	uint8_t drops, frees;
} hands, snapshot;

/* Who looks into these notes, or changes them, in any step. */
static void notes_effect(void)
{
	sched_effect(pseudo_cell(CELL_FRAMES), true);
}

static unsigned index_of(pt_pa_t pa)
{
	return PA_FRAME(pa);
}

/* Whoever uses the storage does so in plain accesses: the frames must order them. */
static void touch_storage(unsigned f, bool write)
{
	uint64_t *word = pt_frame_storage(frames, FRAME_PA(f));

	access_plain(word, sizeof(*word), write, __builtin_return_address(0));
	if (write)
		*word = ALIVE;
	else if (*word != ALIVE)
		rt_fail("R2", "%s holds frame %u, whose storage is wiped", trace_thread(rt.me), f);
}

static void on_drop(void *ctx, pt_pa_t pa, void *storage)
{
	unsigned f = index_of(pa);

	(void)ctx;
	notes_effect();
	access_plain(storage, sizeof(uint64_t), true, __builtin_return_address(0));
	for (unsigned t = 0; t < MAX_THREADS; t++)
		if (hands.held[t][f])
			rt_fail("R2", "frame %u is torn down while %s holds it", f,
				trace_thread(t));
	if (hands.dead[f])
		rt_fail("R2", "frame %u is torn down twice", f);
	hands.dead[f] = true;
	hands.drops++;
}

static void on_free(void *ctx, pt_pa_t pa)
{
	(void)ctx;
	(void)pa;
	hands.frees++;
}

void frames_setup(struct program *p, struct pt_config *config)
{
	static const struct pt_frame_ops ops = {.on_drop = on_drop, .free = on_free};
	struct pt_frames_config frames_config = {
		.size = sizeof(frames_config),
		.first = FRAME_BASE,
		.bytes = (uint64_t)NR_FRAMES << 12,
		.index_bits = pt_format_find("toy")->index_bits,
		.max_count = p->scenario->frames,
		.ops = &ops,
	};

	hands = (struct hands){0};
	most = p->scenario->frames;
	if (pt_frames_create(&frames_config, &frames))
		rt_fail("-", "set-up: the frames cannot be created");
	config->item_ops = pt_frame_item_ops();
	config->item_ctx = frames;
}

void frames_snapshot(void)
{
	snapshot = hands;
}

void frames_restore(void)
{
	hands = snapshot;
}

/* ---- steps ---- */

/* While it is held, the count says so; and others may run before that is read. */
static void use(unsigned f, unsigned t)
{
	uint64_t count = 0;

	if (pt_frame_count(frames, FRAME_PA(f), &count) || count < hands.held[t][f])
		rt_fail("R2", "%s holds frame %u, whose count is %llu", trace_thread(t), f,
			(unsigned long long)count);
	touch_storage(f, false);
}

/* The caller has got a reference, of a frame that must be in use. */
static void hold(unsigned f, unsigned t)
{
	unsigned holders = 1;

	notes_effect();
	for (unsigned other = 0; other < MAX_THREADS; other++)
		holders += hands.held[other][f];
	if (holders > most)
		rt_fail("S1", "frame %u has %u holders", f, holders);
	if (hands.dead[f])
		rt_fail("R2", "%s gets a reference of frame %u, which was torn down",
			trace_thread(t), f);
	if (hands.owned[f])
		rt_fail("R2", "%s gets a reference of frame %u, which %s has alone",
			trace_thread(t), f, trace_thread(hands.owned[f] - 1u));
	hands.held[t][f]++;
}

static void give_up(unsigned f, unsigned t)
{
	notes_effect();
	hands.held[t][f]--;
	(void)pt_frame_put(frames, FRAME_PA(f), PAGE_VA(1));
}

/* Alone with it: fill it, and share it. */
static void fill_and_share(unsigned f, unsigned t)
{
	notes_effect();
	hands.owned[f] = (uint8_t)(t + 1);
	touch_storage(f, true);
	hands.owned[f] = 0;
	hands.held[t][f] = 1;
	if (pt_frame_to_shared(frames, FRAME_PA(f)))
		rt_fail("R2", "frame %u is not its owner's", f);
}

static int make(unsigned f, unsigned t)
{
	int rc = pt_frame_get_unique(frames, FRAME_PA(f));

	if (rc)
		return rc;
	notes_effect();
	hands.dead[f] = false;
	fill_and_share(f, t);
	return 0;
}

static int get(unsigned f, unsigned t)
{
	bool had = hands.held[t][f];
	int rc = pt_frame_get(frames, FRAME_PA(f), PAGE_VA(1));

	if (!rc)
		hold(f, t);
	else if (had && rc != -EOVERFLOW)
		rt_fail("R2", "%s holds frame %u and cannot get it again: %d", trace_thread(t), f,
			rc);
	return rc;
}

static int own(unsigned f, unsigned t)
{
	int rc = pt_frame_to_unique(frames, FRAME_PA(f));

	if (rc == -EEXIST)
		return rc;
	if (rc)
		rt_fail("R2", "%s holds frame %u and cannot have it alone: %d", trace_thread(t), f,
			rc);
	notes_effect();
	for (unsigned other = 0; other < MAX_THREADS; other++)
		if (hands.held[other][f] > (other == t))
			rt_fail("R2", "%s has frame %u alone, but %s holds it", trace_thread(t), f,
				trace_thread(other));
	fill_and_share(f, t);
	return 0;
}

void frames_run(struct call *call, unsigned t)
{
	unsigned f = call->step->frame;

	if (call->step->kind == STEP_FRAME_MAKE)
		call->rc = make(f, t);
	else if (call->step->kind == STEP_FRAME_GET)
		call->rc = get(f, t);
	else if (!hands.held[t][f])
		call->rc = -ENOENT;
	else if (call->step->kind == STEP_FRAME_USE)
		use(f, t);
	else if (call->step->kind == STEP_FRAME_OWN)
		call->rc = own(f, t);
	else
		give_up(f, t);
}

void frames_take(const struct step *s)
{
	if (!(s->set & PT_TRACKED))
		return;
	if (pt_frame_get_unused(frames, FRAME_PA(s->frame), PAGE_VA(s->pages)))
		rt_fail("-", "the frames of a mapping are not unused");
	notes_effect();
	for (unsigned f = s->frame; f < s->frame + s->pages; f++)
		hands.dead[f] = false;
}

void frames_give(const struct step *s)
{
	if (s->set & PT_TRACKED)
		(void)pt_frame_put(frames, FRAME_PA(s->frame), PAGE_VA(s->pages));
}

void frames_drop(pt_pa_t pa, unsigned level)
{
	pt_frame_item_ops()->drop(frames, pa, level);
}

/* ---- the end ---- */

void frames_judge(const struct page_state *final)
{
	for (unsigned f = 0; f < NR_FRAMES; f++) {
		uint64_t holders = 0, count = 0;
		int rc = pt_frame_count(frames, FRAME_PA(f), &count);

		for (unsigned t = 0; t < MAX_THREADS; t++)
			holders += hands.held[t][f];
		for (unsigned page = 0; page < SCENARIO_PAGES; page++)
			holders += final[page].kind == PT_KIND_LEAF &&
				   (final[page].prop & PT_TRACKED) &&
				   PA_FRAME(final[page].value) == f;
		if (rc != (holders ? 0 : -ENOENT) || count != holders)
			rt_fail("S1", "frame %u: %d, count %llu, but %llu hold or map it", f, rc,
				(unsigned long long)count, (unsigned long long)holders);
	}
}

void frames_tear_down(void)
{
	for (unsigned t = 0; t < MAX_THREADS; t++)
		for (unsigned f = 0; f < NR_FRAMES; f++)
			while (hands.held[t][f])
				give_up(f, t);
	if (hands.drops != hands.frees)
		rt_fail("R2", "%u frames were torn down, %u freed", hands.drops, hands.frees);
	if (pt_frames_destroy(frames))
		rt_fail("S1", "a frame is still in use");
}
