/* SPDX-License-Identifier: MIT */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

#define MAX_CALLS 6 /* of a program: each maps frames of its own */
#define FRAMES_OF_CALL 8

/*
 * Two neighbours in a leaf table, that table, the next one, and the subtree over both. The names of
 * programs are positions here: add at the end.
 */
static const struct step alphabet[] = {
	MAP_AS(0, 1, 0, TRACKED_RW, 1),
	MAP(1, 1, 0),
	MAP(3, 2, 0),
	MAP_AS(0, 4, 0, TRACKED_RW, 2),
	MARK(0, 4, 7),
	UNMAP(0, 1),
	UNMAP(0, 4),
	UNMAP(1, 4),
	UNMAP(0, 16),
	PROTECT(1, 1, 0, PT_WRITE),
	PROTECT(0, 8, PT_SOFT0, 0),
	QUERY(0),
	QUERY(1),
	WALK(0),
	PRUNE(0, 16),
	MERGE(0, 16),
	LOAD(0),
	STORE(0),
	STORE(1),
	QUERY_GET(0),
	UNMAP_LATER(0, 1),
	UNMAP_LATER(0, 16),
	SYNC,
	HARVEST(0, 4, PT_DIRTY),
	RECLAIM,
};

static const struct step trees[][MAX_STEPS] = {
	{{.kind = STEP_NONE}},
	{MAP_AS(0, 1, 56, TRACKED_RW, 1), MAP(4, 1, 57)},
	{MAP_AS(0, 4, 56, TRACKED_RW, 2)},
	{MARK(0, 16, 3)},
	{MAP(0, 8, 56)},
};

#define NR_CALLS (sizeof(alphabet) / sizeof(alphabet[0]))
#define NR_TREES (sizeof(trees) / sizeof(trees[0]))

const unsigned generate_calls = NR_CALLS, generate_trees = NR_TREES;

static bool read_number(const char **text, unsigned limit, unsigned *ret)
{
	char *end;
	unsigned long value = strtoul(*text, &end, 10);

	if (end == *text || **text < '0' || **text > '9' || value >= limit)
		return false;
	*text = end;
	*ret = (unsigned)value;
	return true;
}

bool generate_begin(struct generator *g, const char *shape)
{
	unsigned calls = 0;

	*g = (struct generator){.slices = 1};
	for (;;) {
		unsigned *length = &g->length[g->threads++];

		if (!read_number(&shape, MAX_CALLS + 1, length) || !*length)
			return false;
		calls += *length;
		if (!*shape)
			return calls <= MAX_CALLS;
		if (*shape++ != ',' || g->threads == MAX_THREADS)
			return false;
	}
}

/* A gather is synced at the end of its thread, if not before. */
static void sync_in_the_end(struct step *steps, unsigned length)
{
	bool gathered = false;

	for (unsigned i = 0; i < length; i++)
		gathered = steps[i].gather || (gathered && steps[i].kind != STEP_SYNC);
	if (gathered)
		steps[length].kind = STEP_SYNC;
}

static void fill_in(struct generator *g)
{
	struct scenario *s = &g->scenario;
	unsigned calls = 0;
	size_t n = (size_t)snprintf(g->name, sizeof(g->name), "gen-%u", g->tree), m = 0;

	*s = (struct scenario){
		.name = g->name,
		.about = g->about,
		.hardware = true,
		.memory_may_fail = true,
	};
	memcpy(s->initial, trees[g->tree], sizeof(s->initial));
	for (unsigned t = 0; t < g->threads; t++) {
		for (unsigned i = 0; i < g->length[t]; i++) {
			struct step *step = &s->threads[t][i];
			char text[64];

			*step = alphabet[g->call[t][i]];
			step->frame = (uint8_t)(FRAMES_OF_CALL * ++calls);
			step_text(step, text, sizeof(text));
			n += (size_t)snprintf(g->name + n, sizeof(g->name) - n, "%c%u",
					      i ? '.' : '-', g->call[t][i]);
			if (m < sizeof(g->about))
				m += (size_t)snprintf(g->about + m, sizeof(g->about) - m, "%s%s",
						      i   ? ", "
						      : t ? " | "
							  : "",
						      text);
		}
		sync_in_the_end(s->threads[t], g->length[t]);
	}
}

/* Of threads of the same length only one order: calls of the first not behind the second's. */
static bool in_order(const struct generator *g)
{
	for (unsigned t = 1; t < g->threads; t++)
		if (g->length[t] == g->length[t - 1] &&
		    memcmp(g->call[t - 1], g->call[t], g->length[t] * sizeof(g->call[t][0])) > 0)
			return false;
	return true;
}

/* A sync of nothing: the same program is there without it. */
static bool syncs_nothing(const struct generator *g)
{
	for (unsigned t = 0; t < g->threads; t++) {
		bool gathered = false;

		for (unsigned i = 0; i < g->length[t]; i++) {
			const struct step *s = &alphabet[g->call[t][i]];

			if (s->kind == STEP_SYNC && !gathered)
				return true;
			gathered = s->gather || (gathered && s->kind != STEP_SYNC);
		}
	}
	return false;
}

/* Count one up. Return: false when it has gone round. */
static bool advance(struct generator *g)
{
	for (unsigned t = g->threads; t-- > 0;)
		for (unsigned i = g->length[t]; i-- > 0;) {
			if (++g->call[t][i] < NR_CALLS)
				return true;
			g->call[t][i] = 0;
		}
	return ++g->tree < NR_TREES;
}

/* Programs that are alike are neighbours: spread them, so that each slice has some of all. */
static bool in_slice(const struct generator *g, uint64_t number)
{
	return (number * UINT64_C(0x9e3779b97f4a7c15) >> 32) % g->slices == g->slice;
}

const struct scenario *generate_next(struct generator *g)
{
	for (;;) {
		if (g->started && !advance(g))
			return NULL;
		g->started = true;
		if (!in_order(g))
			g->swapped++;
		else if (syncs_nothing(g))
			g->idle++;
		else if (in_slice(g, g->number++))
			break;
	}
	fill_in(g);
	return &g->scenario;
}

const struct scenario *generate_named(struct generator *g, const char *name)
{
	unsigned calls = 0;

	*g = (struct generator){0};
	if (strncmp(name, "gen-", 4))
		return NULL;
	name += 4;
	if (!read_number(&name, NR_TREES, &g->tree))
		return NULL;
	while (*name) {
		bool next_thread = *name++ == '-';

		g->threads += next_thread;
		if (!g->threads || g->threads > MAX_THREADS || calls++ == MAX_CALLS ||
		    (!next_thread && name[-1] != '.') ||
		    !read_number(&name, NR_CALLS,
				 &g->call[g->threads - 1][g->length[g->threads - 1]++]))
			return NULL;
	}
	if (!g->threads)
		return NULL;
	fill_in(g);
	return &g->scenario;
}
