/* SPDX-License-Identifier: MIT */
/*
 * All four operations on random pages. With low contention each thread has an area of its own, with
 * high contention all work on one, so that they meet in the same tables and on the same pages.
 */
#include "all.h"
#include "private.h"
#include "shared.h"

static void needs(const struct settings *settings, struct area_needs *ret)
{
	*ret = (struct area_needs){
		.shared_bytes = settings->shared ? settings->working_set : 0,
		.private_bytes = settings->shared ? 0 : settings->working_set,
	};
}

static void prepare(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	if (trial->settings->shared)
		shared_prepare(trial, self, finding);
	else
		private_prepare(trial, self, finding);
}

static void enter(struct worker *worker)
{
	if (worker->trial->settings->shared)
		shared_fill_half(worker);
	else
		private_fill_half(worker);
}

/* Which operation is next: a table of one entry per cent, drawn from evenly. */
struct lottery {
	unsigned char operation[100];
};

static void make_lottery(struct lottery *lottery, const unsigned mix[OP_NR])
{
	unsigned at = 0, op, i;

	for (op = 0; op < OP_NR; op++)
		for (i = 0; i < mix[op]; i++)
			lottery->operation[at++] = (unsigned char)op;
}

/* In its own area a thread maps what is not mapped and unmaps what is, or has nothing to do. */
static inline bool do_private(struct worker *worker, struct private_pages *pages, enum operation op,
			      uint32_t i, bool *ret_effective)
{
	bool mapped = pages->entries[i];
	pt_va_t va = area_va(&pages->area, i);
	uint64_t count;
	int error;

	*ret_effective = mapped == (op != OP_MAP);
	switch (op) {
	case OP_MAP:
		if (!mapped)
			return private_map(worker, pages, i);
		error = pt_map(worker->self, worker->table, va, pages->area.page, 0,
			       worker->trial->prop, 1);
		if (error == -EEXIST)
			return true;
		worker_fail_call(worker, va, "pt_map of a mapped page, not EEXIST", error);
		return false;
	case OP_UNMAP:
		if (mapped)
			return private_unmap(worker, pages, i);
		error = pt_unmap(worker->self, worker->table, va, pages->area.page, NULL, &count);
		if (!error && !count)
			return true;
		worker_fail_call(worker, va, "pt_unmap of an unmapped page", error);
		return false;
	case OP_QUERY:
		return private_query(worker, pages, i);
	default:
		return private_protect(worker, pages, i);
	}
}

static inline bool do_shared(struct worker *worker, struct ledger *ledger, enum operation op,
			     uint32_t i, pt_prop_t clear, bool *ret_effective)
{
	switch (op) {
	case OP_MAP:
		return shared_map(worker, ledger, i, ret_effective);
	case OP_UNMAP:
		return shared_unmap(worker, ledger, i, ret_effective);
	case OP_QUERY:
		return shared_query(worker, i, ret_effective);
	default:
		return shared_protect(worker, i, clear, ret_effective);
	}
}

static inline __attribute__((always_inline)) void run_mix(struct worker *worker, bool shared)
{
	struct private_pages *pages = shared ? NULL : private_of(worker);
	struct ledger *ledger = shared ? shared_ledger(worker) : NULL;
	struct keys keys = shared ? worker->shared_keys : worker->private_keys;
	struct rng rng = worker->rng;
	struct lottery lottery;
	uint64_t done = 0;
	unsigned i;

	make_lottery(&lottery, worker->trial->settings->mix);
	while (worker_continues(worker, done)) {
		for (i = 0; i < BATCH; i++) {
			enum operation op = lottery.operation[rng_below(&rng, 100)];
			uint32_t page = keys_next(&keys);
			bool effective, good;

			good = shared ? do_shared(worker, ledger, op, page, i & 1 ? PT_WRITE : 0,
						  &effective)
				      : do_private(worker, pages, op, page, &effective);
			if (!good)
				return;
			worker->tally.done[op]++;
			worker->tally.effective[op] += effective;
		}
		done += BATCH;
	}
}

static void run(struct worker *worker)
{
	if (worker->trial->settings->shared)
		run_mix(worker, true);
	else
		run_mix(worker, false);
}

static uint64_t verify(struct trial *trial, struct pt_thread *self, struct finding *finding)
{
	if (trial->settings->shared)
		return shared_verify(trial, self, finding);
	return private_verify(trial, self, finding);
}

static void release(struct trial *trial)
{
	if (trial->settings->shared)
		shared_release(trial);
	else
		private_release(trial);
}

const struct workload workload_mixed = {
	.name = "mixed",
	.summary = "random operations on random pages of own areas or of one for all",
	.operation = "one call, whether it found something to do or not",
	.settings = SETTING_WORKING_SET | SETTING_MIX | SETTING_CONTENTION | SETTING_DIST,
	.defaults =
		{
			.working_set = 2 << 20,
			.mix = {[OP_MAP] = 20, [OP_UNMAP] = 20, [OP_QUERY] = 55, [OP_PROTECT] = 5},
		},
	.needs = needs,
	.prepare = prepare,
	.enter = enter,
	.run = run,
	.verify = verify,
	.release = release,
};
