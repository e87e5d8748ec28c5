/* SPDX-License-Identifier: MIT */
/* The model test, with all its choices made by bytes. */
#include <stdlib.h>

#include "model.h"
#include "program.h"

#define MOST_CALLS 2000 /* of one table: a program ends soon, or nothing is learnt from it */

/* ---- tables ---- */

struct pair {
	const struct pt_format_info *format;
	const struct pt_strategy_info *strategy;
};

/* The one that is chosen among the pairs that are built. */
static struct pair choose_pair(struct world *w)
{
	struct pair pairs[64];
	unsigned n = 0;

	for (unsigned f = 0; pt_format_at(f); f++)
		for (unsigned s = 0; pt_strategy_at(s) && n < 64; s++)
			if (pt_pair_exists(pt_format_at(f)->name, pt_strategy_at(s)->name))
				pairs[n++] = (struct pair){pt_format_at(f), pt_strategy_at(s)};
	return pairs[random_below(w, n)];
}

/* Some root slots; of one half, where there are two. */
static void choose_slots(struct world *w)
{
	const struct pt_format_info *f = w->fx->format;
	struct pt_config *config = &w->fx->config;
	unsigned slots = 1u << f->index_bits, first = 0;

	if (f->sign_extended) {
		slots /= 2;
		first = one_in(w, 2) ? slots : 0;
	} else if (one_in(w, 2)) {
		config->leading = ~UINT64_C(0) << f->va_bits;
	}
	config->top_first = first;
	config->top_end = first + slots;
	if (one_in(w, 2))
		config->top_first += (unsigned)random_below(w, slots);
	if (one_in(w, 2))
		config->top_end -= (unsigned)random_below(w, config->top_end - config->top_first);
}

/* Where changes end, a few pages or tables below where the table does. */
static void choose_bound(struct world *w)
{
	struct pt_config *config = &w->fx->config;
	pt_va_t first, last, off;

	expect_ok(pt_index_range(w->fx->format, config->top_first, config->top_end, config->leading,
				 &first, &last));
	off = w->fx->page * random_below(w, 8);
	if (one_in(w, 2))
		off += w->fx->huge * random_below(w, 4);
	config->bound = last - off % (last - first + 1);
}

static void choose_config(struct world *w, const struct pt_config *plain)
{
	struct pt_config *config = &w->fx->config;
	unsigned lock = (unsigned)random_below(w, 4);

	*config = *plain;
	config->stats = one_in(w, 2);
	config->node_lock = pt_node_lock_at(lock);
	switch (random_below(w, 6)) {
	case 0:
		config->role = PT_ROLE_KERNEL;
		break;
	case 1:
		choose_slots(w);
		choose_bound(w);
		break;
	case 2:
		choose_slots(w);
		config->top_pinned = one_in(w, 2);
		break;
	case 3:
		use_frames(w);
		break;
	case 4:
		config->role = PT_ROLE_DEVICE;
		break;
	default:
		break;
	}
}

/* ---- calls ---- */

static void call_sync(struct world *w)
{
	if (w->gather_open)
		sync_gather(w);
}

static void call_home(struct world *w)
{
	expect_ok(pt_thread_set_home(w->fx->self, (unsigned)random_below(w, 2)));
}

/* Cheap. That the table is what the model says is seen when it ends, which may be at once. */
static void call_check(struct world *w)
{
	check(w->fx);
	pt_thread_quiescent(w->fx->self);
}

/* Calls that the model test makes more seldom, each in its own way. */
static const model_call more_calls[] = {
	call_nonsense, call_user, call_clone, call_sync, call_home, call_check,
};
#define NR_MORE_CALLS (sizeof(more_calls) / sizeof(more_calls[0]))

/* False: that was the last one of this table. */
static bool next_call(struct world *w)
{
	uint64_t which = random_below(w, nr_model_calls + NR_MORE_CALLS + 1);

	if (which < nr_model_calls) {
		if (model_calls[which] != random_transaction)
			random_failure(w);
		model_calls[which](w);
		end_failure(w);
		return true;
	}
	which -= nr_model_calls;
	if (which == NR_MORE_CALLS)
		return false;
	more_calls[which](w);
	return true;
}

/* A pool of its own, so that nothing is left of other programs; cheap, because its chunks are small. */
static void open_pair(struct fixture *fx, const struct pair *pair, bool callbacks)
{
	const unsigned nodes =
		pair->format->node_shift < 6 ? 128 : 64; /* a chunk is a page at least */
	const struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = pair->format->node_shift,
		.chunk_bytes = (size_t)nodes << pair->format->node_shift,
		.max_bytes = 64 << 20,
		.retired_bound = 8 << 20,
		.reclaim = callbacks ? PT_RECLAIM_CALLBACK : PT_RECLAIM_SYNC,
		.homes = 2,
	};

	fixture_open_pool(fx, pair->format, pair->strategy, &pool);
}

void fuzz_program(const uint8_t *bytes, size_t size)
{
	struct fixture fx;
	struct world w = {.fx = &fx, .bytes = bytes, .nr_bytes = size};
	struct pair pair = choose_pair(&w);
	struct pt_config plain;

	open_pair(&fx, &pair, random_below(&w, 16) == 15);
	w.frames_span = 8 * fx.huge;
	plain = fx.config;
	do {
		unsigned left = MOST_CALLS;

		choose_config(&w, &plain);
		open_world(&w);
		while (w.nr_bytes && left-- && next_call(&w))
			continue;
		close_world(&w);
		fx.config = plain;
		fixture_new_table(&fx);
		end_frames(&w);
	} while (w.nr_bytes);
	fixture_close(&fx);
	free(w.expected.of);
	free(w.reported.of);
}
