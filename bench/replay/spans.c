/* SPDX-License-Identifier: MIT */
/*
 * A treap: a search tree by start that is a heap by random priority, and therefore shallow whatever
 * the order of insertion. Priorities come from a fixed sequence, so that runs repeat.
 */
#include "spans.h"
#include "xalloc.h"

static uint32_t next_random(struct spans *s)
{
	uint32_t x = s->random ? s->random : 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return s->random = x;
}

static struct span *merge(struct span *a, struct span *b)
{
	if (!a)
		return b;
	if (!b)
		return a;
	if (a->priority > b->priority) {
		a->right = merge(a->right, b);
		return a;
	}
	b->left = merge(a, b->left);
	return b;
}

/* Ranges that start below @at go to *@low, the others to *@high. */
static void split(struct span *t, uint64_t at, struct span **low, struct span **high)
{
	if (!t) {
		*low = *high = NULL;
	} else if (t->start < at) {
		split(t->right, at, &t->right, high);
		*low = t;
	} else {
		split(t->left, at, low, &t->left);
		*high = t;
	}
}

static struct span *new_span(struct spans *s, uint64_t start, uint64_t end, uint64_t value)
{
	struct span *n = xcalloc(1, sizeof(*n));

	n->start = start;
	n->end = end;
	n->value = value;
	n->priority = next_random(s);
	s->covered += end - start;
	return n;
}

static void free_tree(struct spans *s, struct span *t)
{
	if (!t)
		return;
	free_tree(s, t->left);
	free_tree(s, t->right);
	s->covered -= t->end - t->start;
	free(t);
}

static struct span *copy_tree(const struct span *t)
{
	struct span *n;

	if (!t)
		return NULL;
	n = xcalloc(1, sizeof(*n));
	*n = *t;
	n->left = copy_tree(t->left);
	n->right = copy_tree(t->right);
	return n;
}

struct span *spans_next(const struct spans *s, uint64_t from)
{
	struct span *t = s->root, *found = NULL;

	while (t) {
		if (t->end > from) {
			found = t;
			t = t->left;
		} else {
			t = t->right;
		}
	}
	return found;
}

void spans_cut(struct spans *s, uint64_t at)
{
	struct span *t = spans_next(s, at), *low, *high;
	uint64_t end;

	if (!t || t->start >= at)
		return;
	end = t->end;
	t->end = at;
	s->covered -= end - at;
	split(s->root, at, &low, &high);
	s->root = merge(merge(low, new_span(s, at, end, t->value)), high);
}

void spans_erase(struct spans *s, uint64_t start, uint64_t end)
{
	struct span *low, *middle, *high;

	spans_cut(s, start);
	spans_cut(s, end);
	split(s->root, start, &low, &high);
	split(high, end, &middle, &high);
	free_tree(s, middle);
	s->root = merge(low, high);
}

void spans_assign(struct spans *s, uint64_t start, uint64_t end, uint64_t value)
{
	struct span *low, *high;

	spans_erase(s, start, end);
	split(s->root, start, &low, &high);
	s->root = merge(merge(low, new_span(s, start, end, value)), high);
}

void spans_copy(struct spans *to, const struct spans *from)
{
	*to = *from;
	to->root = copy_tree(from->root);
}

void spans_clear(struct spans *s)
{
	free_tree(s, s->root);
	*s = (struct spans){0};
}
