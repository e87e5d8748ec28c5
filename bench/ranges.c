/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ranges.h"
#include "verify.h"

/* A round should take a hundred times as long as reading the clocks, also if a range is 2 MiB. */
#define ROUND_BYTES (UINT64_C(512) << 20)

/* Frames differ from round to round, so that a leaf left over from an earlier one is noticed. */
#define ROUNDS_DISTINCT 16u

struct ranges {
	alignas(128) struct area area; /* of all ranges */
	uint64_t range;
	uint64_t round;
	bool mapped; /* all ranges, as round `round` did it, or none */
};

void ranges_needs(const struct settings *settings, struct area_needs *ret)
{
	uint64_t count = settings->range < ROUND_BYTES ? ROUND_BYTES / settings->range : 1;

	*ret = (struct area_needs){.private_bytes = count * settings->range};
}

void ranges_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	struct ranges *ranges =
		aligned_alloc(alignof(struct ranges), trial->threads * sizeof(*ranges));
	unsigned i;

	(void)self;
	if (!ranges) {
		finding_set_call(finding, -1, 0, "preparing", -ENOMEM);
		return;
	}
	for (i = 0; i < trial->threads; i++)
		ranges[i] = (struct ranges){
			.area = trial->private_areas[i],
			.range = trial->settings->range,
		};
	trial->state = ranges;
}

void ranges_release(struct trial *trial)
{
	free(trial->state);
	trial->state = NULL;
}

/* The frame of the byte at `offset` into the area. */
static pt_pa_t frame_at(const struct ranges *ranges, uint64_t offset)
{
	return ranges->area.base + ranges->round % ROUNDS_DISTINCT * ranges->area.page + offset;
}

static bool map_all(struct worker *worker, struct ranges *ranges)
{
	pt_prop_t prop = worker->trial->prop;
	uint64_t at;

	ranges->round++;
	for (at = 0; at < ranges->area.bytes; at += ranges->range) {
		pt_va_t va = ranges->area.base + at;
		int error = pt_map(worker->self, worker->table, va, ranges->range,
				   frame_at(ranges, at), prop, 1);

		if (error) {
			worker_fail_call(worker, va, "pt_map of an unmapped range", error);
			return false;
		}
	}
	ranges->mapped = true;
	return true;
}

static bool unmap_all(struct worker *worker, struct ranges *ranges)
{
	uint64_t pages = ranges->range / ranges->area.page, at;

	for (at = 0; at < ranges->area.bytes; at += ranges->range) {
		pt_va_t va = ranges->area.base + at;
		uint64_t count;
		int error = pt_unmap(worker->self, worker->table, va, ranges->range, NULL, &count);

		if (error || count != pages) {
			worker_fail_call(worker, va, "pt_unmap of a mapped range", error);
			return false;
		}
	}
	ranges->mapped = false;
	return true;
}

static struct ranges *ranges_of(struct worker *worker)
{
	return &((struct ranges *)worker->trial->state)[worker->index];
}

void ranges_run_map(struct worker *worker)
{
	struct ranges *ranges = ranges_of(worker);
	uint64_t pages = ranges->area.bytes / ranges->area.page;
	bool good = true;

	worker->times_itself = true;
	while (good && worker_continues(worker, 0)) {
		good = !ranges->mapped || unmap_all(worker, ranges);
		worker_resume(worker);
		good = good && map_all(worker, ranges);
		worker_pause(worker, pages);
	}
}

void ranges_run_unmap(struct worker *worker)
{
	struct ranges *ranges = ranges_of(worker);
	uint64_t pages = ranges->area.bytes / ranges->area.page;
	bool good = true;

	worker->times_itself = true;
	while (good && worker_continues(worker, 0)) {
		good = map_all(worker, ranges);
		worker_resume(worker);
		good = good && unmap_all(worker, ranges);
		worker_pause(worker, pages);
	}
}

uint64_t ranges_verify(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	const struct ranges *ranges = trial->state;
	uint64_t mapped = 0, at;
	unsigned t;

	for (t = 0; t < trial->threads; t++, ranges++) {
		const struct area *area = &ranges->area;

		mapped += ranges->mapped ? area->bytes : 0;
		for (at = 0; at < area->bytes && !finding->code; at += area->page)
			verify_page(trial, self, area->base + at,
				    ranges->mapped ? entry_make(frame_at(ranges, at), trial->prop)
						   : 0,
				    finding);
	}
	return mapped;
}
