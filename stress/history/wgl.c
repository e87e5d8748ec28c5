/* SPDX-License-Identifier: MIT */
#include "wgl.h"

#include <stdlib.h>
#include <string.h>

#include "shrink.h"

/* How far a thread has come. */
struct line {
	const struct operation *next, *end;
};

/* Where a write was chosen. */
struct choice {
	size_t taken;    /* operations before it, see wgl.trail */
	uint64_t value;  /* before it */
	unsigned thread; /* chosen; threads below it have been tried */
};

struct wgl {
	size_t max_states;
	struct line lines[WGL_THREADS];
	unsigned nr_lines;
	size_t left; /* operations not taken */
	uint64_t value;
	uint8_t *trail; /* threads whose operations were taken, in order */
	size_t nr_trail, trail_room;
	struct choice *choices;
	size_t nr_choices, choices_room;
	/* Configurations seen: nr_lines positions of 32 bits, then the value. */
	uint32_t *states;
	size_t nr_states, states_room, state_words;
	uint32_t *table; /* index + 1 */
	unsigned table_bits;
	const struct operation *ops;
	size_t deepest; /* most operations ever taken */
};

struct wgl *wgl_create(size_t max_states)
{
	struct wgl *w = calloc(1, sizeof(*w));

	if (w)
		w->max_states = max_states;
	return w;
}

void wgl_destroy(struct wgl *w)
{
	if (!w)
		return;
	free(w->trail);
	free(w->choices);
	free(w->states);
	free(w->table);
	free(w);
}

/* ---- what was seen ---- */

static uint64_t hash_state(const uint32_t *state, size_t words)
{
	uint64_t h = 0;

	for (size_t i = 0; i < words; i++) {
		h = (h ^ state[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static uint32_t *slot_of(const struct wgl *w, const uint32_t *state)
{
	const size_t mask = ((size_t)1 << w->table_bits) - 1;
	size_t i = hash_state(state, w->state_words) & mask;

	while (w->table[i] && memcmp(w->states + (w->table[i] - 1) * w->state_words, state,
				     w->state_words * sizeof(*state)))
		i = (i + 1) & mask;
	return &w->table[i];
}

/* Twice as large. */
static bool grow_table(struct wgl *w)
{
	unsigned bits = w->table_bits ? w->table_bits + 1 : 10;
	uint32_t *table = calloc((size_t)1 << bits, sizeof(*table));

	if (!table)
		return false;
	free(w->table);
	w->table = table;
	w->table_bits = bits;
	for (size_t i = 0; i < w->nr_states; i++)
		*slot_of(w, w->states + i * w->state_words) = (uint32_t)i + 1;
	return true;
}

enum seen { SEEN, NEW, FULL };

static enum seen remember(struct wgl *w)
{
	uint32_t *state, *at;

	if (w->nr_states >= w->max_states)
		return FULL;
	if ((w->nr_states + 1) * w->state_words > w->states_room) {
		size_t room = 2 * (w->states_room + 512 * w->state_words);
		uint32_t *states = realloc(w->states, room * sizeof(*states));

		if (!states)
			return FULL;
		w->states = states;
		w->states_room = room;
	}
	if (2 * (w->nr_states + 1) > (size_t)1 << w->table_bits && !grow_table(w))
		return FULL;
	state = w->states + w->nr_states * w->state_words;
	for (unsigned i = 0; i < w->nr_lines; i++)
		state[i] = (uint32_t)(w->lines[i].end - w->lines[i].next);
	memcpy(state + w->nr_lines, &w->value, sizeof(w->value));
	at = slot_of(w, state);
	if (*at)
		return SEEN;
	*at = (uint32_t)++w->nr_states;
	return NEW;
}

/* ---- taking operations, and taking them back ---- */

/* The next operation must be one that is called before this. */
static uint64_t horizon(const struct wgl *w)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < w->nr_lines; i++)
		if (w->lines[i].next != w->lines[i].end && w->lines[i].next->ret < least)
			least = w->lines[i].next->ret;
	return least;
}

static void take(struct wgl *w, unsigned thread)
{
	const struct operation *o = w->lines[thread].next++;

	if (op_writes(o))
		w->value = o->value;
	w->trail[w->nr_trail++] = (uint8_t)thread;
	w->left--;
}

/* All reads that can come now. */
static void take_reads(struct wgl *w)
{
	bool again = true;

	while (again) {
		uint64_t end = horizon(w);

		again = false;
		for (unsigned i = 0; i < w->nr_lines; i++) {
			struct line *l = &w->lines[i];

			while (l->next != l->end && l->next->kind == HISTORY_READ &&
			       l->next->value == w->value && l->next->call <= end) {
				take(w, i);
				again = true;
			}
		}
	}
}

static void take_back(struct wgl *w, const struct choice *c)
{
	while (w->nr_trail > c->taken) {
		w->lines[w->trail[--w->nr_trail]].next--;
		w->left++;
	}
	w->value = c->value;
}

/* ---- the search ---- */

/* The first thread from @from on whose next operation is a write that can come now. */
static unsigned next_write(const struct wgl *w, unsigned from)
{
	uint64_t end = horizon(w);

	for (unsigned i = from; i < w->nr_lines; i++) {
		const struct operation *o = w->lines[i].next;

		if (o == w->lines[i].end || o->call > end)
			continue;
		if (o->kind == HISTORY_WRITE ||
		    (o->kind == HISTORY_CHANGE && o->before == w->value))
			return i;
	}
	return w->nr_lines;
}

static void choose(struct wgl *w, unsigned thread)
{
	w->choices[w->nr_choices++] =
		(struct choice){.taken = w->nr_trail, .value = w->value, .thread = thread};
	take(w, thread);
	take_reads(w);
	if (w->nr_trail > w->deepest)
		w->deepest = w->nr_trail;
}

/* To the latest choice that has another one left. */
static bool go_back(struct wgl *w)
{
	while (w->nr_choices) {
		struct choice c = w->choices[--w->nr_choices];
		unsigned thread;

		take_back(w, &c);
		thread = next_write(w, c.thread + 1);
		if (thread < w->nr_lines) {
			choose(w, thread);
			return true;
		}
	}
	return false;
}

static enum verdict search(struct wgl *w)
{
	for (;;) {
		enum seen seen;
		unsigned thread;

		if (!w->left)
			return HISTORY_RIGHT;
		seen = remember(w);
		if (seen == FULL)
			return HISTORY_GAVE_UP;
		thread = seen == NEW ? next_write(w, 0) : w->nr_lines;
		if (thread < w->nr_lines)
			choose(w, thread);
		else if (!go_back(w))
			return HISTORY_WRONG;
	}
}

/* ---- beginning ---- */

static bool reserve(struct wgl *w, size_t n)
{
	if (n > w->trail_room) {
		free(w->trail);
		w->trail = malloc(2 * n);
		w->trail_room = w->trail ? 2 * n : 0;
	}
	if (n > w->choices_room) {
		free(w->choices);
		w->choices = malloc(2 * n * sizeof(*w->choices));
		w->choices_room = w->choices ? 2 * n : 0;
	}
	return w->trail && w->choices;
}

static bool find_lines(struct wgl *w, const struct operation *ops, size_t n)
{
	w->nr_lines = 0;
	for (size_t i = 0; i < n;) {
		struct line *l;

		if (w->nr_lines == WGL_THREADS)
			return false;
		l = &w->lines[w->nr_lines++];
		l->next = &ops[i];
		while (i < n && ops[i].thread == l->next->thread)
			i++;
		l->end = &ops[i];
	}
	return true;
}

static enum verdict decide(struct wgl *w, const struct operation *ops, size_t n)
{
	if (!n)
		return HISTORY_RIGHT;
	if (n >= UINT32_MAX || !reserve(w, n) || !find_lines(w, ops, n))
		return HISTORY_GAVE_UP;
	w->left = n;
	w->value = HISTORY_NOTHING;
	w->nr_trail = 0;
	w->nr_choices = 0;
	w->nr_states = 0;
	w->deepest = 0;
	w->state_words = w->nr_lines + sizeof(w->value) / sizeof(uint32_t);
	if (w->table)
		memset(w->table, 0, sizeof(*w->table) << w->table_bits);
	take_reads(w);
	return search(w);
}

static enum verdict decide_again(void *ctx, const struct operation *ops, size_t n)
{
	return decide(ctx, ops, n);
}

enum verdict wgl_check(struct wgl *w, const struct operation *ops, size_t n, struct violation *ret)
{
	enum verdict verdict = decide(w, ops, n);

	if (verdict == HISTORY_WRONG)
		shrink(decide_again, w, ops, n, ret);
	return verdict;
}
