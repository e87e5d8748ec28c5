/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "private.h"
#include "verify.h"

/* A model of its own cache lines, so that threads do not disturb each other through it. */
static uint64_t *allocate_entries(uint32_t count)
{
	size_t bytes = ((size_t)count * sizeof(uint64_t) + 127) & ~(size_t)127;
	uint64_t *entries = aligned_alloc(128, bytes);

	return entries ? memset(entries, 0, bytes) : NULL;
}

struct private_pages *private_create(const struct trial *trial)
{
	struct private_pages *pages;
	unsigned i;

	pages = aligned_alloc(alignof(struct private_pages), trial->threads * sizeof(*pages));
	if (!pages)
		return NULL;
	memset(pages, 0, trial->threads * sizeof(*pages));
	for (i = 0; i < trial->threads; i++) {
		pages[i].area = trial->private_areas[i];
		pages[i].thread = i;
		pages[i].entries = allocate_entries(pages[i].area.pages);
		if (!pages[i].entries) {
			private_destroy(pages, i);
			return NULL;
		}
	}
	return pages;
}

void private_destroy(struct private_pages *pages, unsigned threads)
{
	unsigned i;

	for (i = 0; pages && i < threads; i++)
		free(pages[i].entries);
	free(pages);
}

void private_needs(const struct settings *settings, struct area_needs *ret)
{
	*ret = (struct area_needs){.private_bytes = settings->working_set};
}

void private_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	(void)self;
	trial->state = private_create(trial);
	if (!trial->state)
		finding_set_call(finding, -1, 0, "preparing", -ENOMEM);
}

void private_release(struct trial *trial)
{
	private_destroy(trial->state, trial->threads);
	trial->state = NULL;
}

uint64_t private_verify(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	const struct private_pages *pages = trial->state;
	uint64_t mapped = 0;
	unsigned t;
	uint32_t i;

	for (t = 0; t < trial->threads; t++, pages++) {
		for (i = 0; i < pages->area.pages && !finding->code; i++) {
			verify_page(trial, self, area_va(&pages->area, i), pages->entries[i],
				    finding);
			mapped += pages->entries[i] ? pages->area.page : 0;
		}
	}
	return mapped;
}

void private_fill(struct worker *worker)
{
	struct private_pages *pages = private_of(worker);
	uint32_t i;

	for (i = 0; i < pages->area.pages; i++)
		if (!private_map(worker, pages, i))
			return;
}

void private_fill_half(struct worker *worker)
{
	struct private_pages *pages = private_of(worker);
	uint32_t i;

	for (i = 0; i < pages->area.pages; i++)
		if (rng_below(&worker->rng, 2) && !private_map(worker, pages, i))
			return;
}

void private_run_toggle(struct worker *worker)
{
	private_run(worker, private_toggle);
}
