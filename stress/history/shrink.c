/* SPDX-License-Identifier: MIT */
#include "shrink.h"

#include <stdlib.h>
#include <string.h>

#define MAX_JUDGED 4000

struct shrinker {
	judge_fn judge;
	void *ctx;
	struct operation *ops, *candidate;
	uint64_t *values; /* scratch */
	bool *out;        /* of ops: to be left out */
	size_t n;
	unsigned judged;
};

static int compare_values(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* The values that those operations read which stay. */
static size_t values_read(struct shrinker *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!s->out[i] && s->ops[i].kind != HISTORY_WRITE)
			s->values[n++] =
				s->ops[i].kind == HISTORY_READ ? s->ops[i].value : s->ops[i].before;
	qsort(s->values, n, sizeof(*s->values), compare_values);
	return n;
}

/* A write somebody reads from stays. A change that stays reads, too: look again then. */
static void keep_what_is_read(struct shrinker *s)
{
	bool again = true;

	while (again) {
		size_t n = values_read(s);

		again = false;
		for (size_t i = 0; i < s->n; i++) {
			const struct operation *o = &s->ops[i];

			if (!s->out[i] || !op_writes(o) ||
			    !bsearch(&o->value, s->values, n, sizeof(o->value), compare_values))
				continue;
			s->out[i] = false;
			again |= o->kind == HISTORY_CHANGE;
		}
	}
}

/* Without those marked, if that is still wrong. */
static bool leave_out(struct shrinker *s)
{
	struct operation *swap = s->ops;
	size_t n = 0;

	keep_what_is_read(s);
	for (size_t i = 0; i < s->n; i++)
		if (!s->out[i])
			s->candidate[n++] = s->ops[i];
	if (n == s->n || s->judged++ >= MAX_JUDGED)
		return false;
	if (s->judge(s->ctx, s->candidate, n) != HISTORY_WRONG)
		return false;
	s->ops = s->candidate;
	s->candidate = swap;
	s->n = n;
	return true;
}

static bool leave_out_late(struct shrinker *s, uint64_t time)
{
	for (size_t i = 0; i < s->n; i++)
		s->out[i] = s->ops[i].call > time;
	return leave_out(s);
}

static bool leave_out_early(struct shrinker *s, uint64_t time)
{
	for (size_t i = 0; i < s->n; i++)
		s->out[i] = s->ops[i].ret < time;
	return leave_out(s);
}

/* Halve the time that matters, from either side. */
static void cut_time(struct shrinker *s)
{
	uint64_t low = UINT64_MAX, high = 0, first, last;

	for (size_t i = 0; i < s->n; i++) {
		low = s->ops[i].call < low ? s->ops[i].call : low;
		high = s->ops[i].ret > high ? s->ops[i].ret : high;
	}
	first = low;
	last = high;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (leave_out_late(s, middle))
			high = middle;
		else
			low = middle + 1;
	}
	last = high;
	low = first;
	high = last;
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (leave_out_early(s, middle))
			low = middle;
		else
			high = middle - 1;
	}
}

/* Pieces of @length operations, one after the other. */
static bool cut_pieces(struct shrinker *s, size_t length)
{
	bool any = false;
	size_t at = 0;

	while (at < s->n) {
		for (size_t i = 0; i < s->n; i++)
			s->out[i] = i >= at && i - at < length;
		if (leave_out(s))
			any = true;
		else
			at += length;
	}
	return any;
}

static void run(struct shrinker *s)
{
	bool again = true;

	cut_time(s);
	for (size_t length = s->n / 2; length > 1; length /= 2)
		cut_pieces(s, length);
	while (again && s->judged < MAX_JUDGED)
		again = cut_pieces(s, 1);
}

void shrink(judge_fn judge, void *ctx, const struct operation *ops, size_t n, struct violation *ret)
{
	struct shrinker s = {.judge = judge, .ctx = ctx, .n = n};

	s.ops = malloc(n * sizeof(*ops));
	s.candidate = malloc(n * sizeof(*ops));
	s.values = malloc(n * sizeof(*s.values));
	s.out = malloc(n * sizeof(*s.out));
	ret->what = "no order of these operations gives what was read";
	if (s.ops && s.candidate && s.values && s.out) {
		memcpy(s.ops, ops, n * sizeof(*ops));
		run(&s);
		ops = s.ops;
		n = s.n;
	}
	ret->all_shown = n <= HISTORY_SHOWN;
	ret->nr_shown = n <= HISTORY_SHOWN ? (unsigned)n : HISTORY_SHOWN;
	memcpy(ret->shown, ops, ret->nr_shown * sizeof(*ops));
	free(s.ops);
	free(s.candidate);
	free(s.values);
	free(s.out);
}
