/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared.h"
#include "verify.h"

static void destroy(struct ledger *ledgers, unsigned threads)
{
	unsigned i;

	for (i = 0; ledgers && i < threads; i++) {
		free(ledgers[i].net);
		free(ledgers[i].last);
	}
	free(ledgers);
}

void shared_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	uint32_t pages = trial->shared_area.pages;
	size_t bytes = trial->threads * sizeof(struct ledger);
	struct ledger *ledgers = aligned_alloc(alignof(struct ledger), bytes);
	bool good = ledgers;
	unsigned i;

	(void)self;
	if (ledgers)
		memset(ledgers, 0, bytes);
	for (i = 0; good && i < trial->threads; i++) {
		ledgers[i].net = calloc(pages, sizeof(*ledgers[i].net));
		ledgers[i].last = calloc(pages, sizeof(*ledgers[i].last));
		good = ledgers[i].net && ledgers[i].last;
	}
	if (!good) {
		destroy(ledgers, trial->threads);
		finding_set_call(finding, -1, 0, "preparing", -ENOMEM);
		return;
	}
	trial->state = ledgers;
}

void shared_release(struct trial *trial)
{
	destroy(trial->state, trial->threads);
	trial->state = NULL;
}

void shared_fill_half(struct worker *worker)
{
	const struct trial *trial = worker->trial;
	struct ledger *ledger = shared_ledger(worker);
	bool effective;
	uint32_t i;

	for (i = 0; i < trial->shared_area.pages; i += 2)
		if (i / 2 % trial->threads == worker->index &&
		    !shared_map(worker, ledger, i, &effective))
			return;
}

/* What the ledgers say is at page `i`, apart from PT_WRITE; in doubt the finding is set. */
static uint64_t expected_entry(const struct trial *trial, uint32_t i, uint64_t found,
			       struct finding *finding)
{
	const struct ledger *ledgers = trial->state;
	pt_va_t va = area_va(&trial->shared_area, i);
	uint64_t mapper = frame_thread(&trial->frames, found);
	int64_t net = 0;
	unsigned t;
	char text[64];

	for (t = 0; t < trial->threads; t++)
		net += ledgers[t].net[i];
	if (net != 0 && net != 1) {
		snprintf(text, sizeof(text), "%lld", (long long)net);
		finding_set(finding, EXIT_VIOLATION, -1, va, "successful maps less unmaps",
			    "0 or 1", text);
	}
	if (net != 1)
		return 0;
	/* Whoever mapped it must have done so last. If nobody could have, say what thread 0 did. */
	t = found && mapper < trial->threads ? (unsigned)mapper : 0;
	return entry_make(ledgers[t].last[i], trial->prop & ~PT_WRITE);
}

uint64_t shared_verify(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	const struct area *area = &trial->shared_area;
	uint64_t mapped = 0;
	uint32_t i;

	for (i = 0; i < area->pages && !finding->code; i++) {
		pt_va_t va = area_va(area, i);
		uint64_t expected, found = verify_read(trial, self, va, finding);

		found &= ~(uint64_t)PT_WRITE;
		expected = expected_entry(trial, i, found, finding);
		if (found != expected)
			finding_set_entry(finding, -1, va, "pt_query after the run", expected,
					  found);
		mapped += expected ? area->page : 0;
	}
	return mapped;
}
