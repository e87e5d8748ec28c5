/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <stdlib.h>

#define NONE UINT32_MAX

/* What is known of one version; operations by index. */
struct version {
	uint64_t f, b; /* earliest return, latest call */
	uint32_t earliest, latest, write;
};

struct sweep {
	struct version *versions;
	size_t room;
};

struct sweep *sweep_create(void)
{
	return calloc(1, sizeof(struct sweep));
}

void sweep_destroy(struct sweep *s)
{
	if (!s)
		return;
	free(s->versions);
	free(s);
}

/* The versions of the history are [least, least + the result); 0: too many, or no memory. */
static size_t reserve(struct sweep *s, const struct operation *ops, size_t n, uint64_t *ret_least)
{
	uint64_t least = UINT64_MAX, most = 0;
	size_t span;

	for (size_t i = 0; i < n; i++) {
		uint64_t low = ops[i].kind == HISTORY_CHANGE && ops[i].before < ops[i].value
				       ? ops[i].before
				       : ops[i].value;

		least = low < least ? low : least;
		most = ops[i].value > most ? ops[i].value : most;
	}
	if (most - least >= 4 * (uint64_t)n + 64)
		return 0;
	span = (size_t)(most - least) + 1;
	if (span > s->room) {
		free(s->versions);
		s->room = 2 * span;
		s->versions = malloc(s->room * sizeof(*s->versions));
		if (!s->versions) {
			s->room = 0;
			return 0;
		}
	}
	for (size_t i = 0; i < span; i++)
		s->versions[i] = (struct version){.f = UINT64_MAX, .write = NONE, .latest = NONE};
	*ret_least = least;
	return span;
}

static void note(struct version *v, const struct operation *o, uint32_t op)
{
	if (o->ret < v->f) {
		v->f = o->ret;
		v->earliest = op;
	}
	if (v->latest == NONE || o->call > v->b) {
		v->b = o->call;
		v->latest = op;
	}
}

static enum verdict wrong(struct violation *ret, const char *what, const struct operation *a,
			  const struct operation *b, const struct operation *c)
{
	ret->what = what;
	ret->nr_shown = 0;
	ret->all_shown = true;
	if (a)
		ret->shown[ret->nr_shown++] = *a;
	if (b && b != a)
		ret->shown[ret->nr_shown++] = *b;
	if (c && c != a && c != b)
		ret->shown[ret->nr_shown++] = *c;
	return HISTORY_WRONG;
}

static const struct operation *write_of(const struct operation *ops, const struct version *v)
{
	return v->write == NONE ? NULL : &ops[v->write];
}

/* One after the other: none may have been there before one that is earlier has gone. */
static enum verdict check_order(const struct sweep *s, const struct operation *ops, size_t span,
				struct violation *ret)
{
	const struct version *newest = NULL; /* call of those below */

	for (size_t i = 0; i < span; i++) {
		const struct version *v = &s->versions[i];

		if (v->latest == NONE)
			continue;
		if (newest && v->f < newest->b)
			return wrong(ret,
				     "a version was there after a later one had been there already",
				     write_of(ops, v), &ops[v->earliest], &ops[newest->latest]);
		if (v->write == NONE && newest)
			return wrong(ret, "nobody has ever written what was read",
				     &ops[v->earliest], NULL, NULL);
		if (v->write != NONE && v->f < ops[v->write].call)
			return wrong(ret, "it was read before the call that writes it had begun",
				     &ops[v->write], &ops[v->earliest], NULL);
		if (!newest || v->b > newest->b)
			newest = v;
	}
	return HISTORY_RIGHT;
}

enum verdict sweep_check(struct sweep *s, const struct operation *ops, size_t n,
			 struct violation *ret)
{
	uint64_t least;
	size_t span;

	if (!n)
		return HISTORY_RIGHT;
	span = n < NONE ? reserve(s, ops, n, &least) : 0;
	if (!span)
		return HISTORY_GAVE_UP;
	for (size_t i = 0; i < n; i++) {
		struct version *v = &s->versions[ops[i].value - least];

		note(v, &ops[i], (uint32_t)i);
		if (!op_writes(&ops[i]))
			continue;
		if (v->write != NONE)
			return wrong(ret, "two calls have written the same version", &ops[v->write],
				     &ops[i], NULL);
		v->write = (uint32_t)i;
	}
	for (size_t i = 0; i < n; i++) /* what a change saw, it saw at that moment */
		if (ops[i].kind == HISTORY_CHANGE)
			note(&s->versions[ops[i].before - least], &ops[i], (uint32_t)i);
	return check_order(s, ops, span, ret);
}
