/* SPDX-License-Identifier: MIT */
#include "zones.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* A write and the reads of its value; operations by index. */
struct cluster {
	uint64_t value;
	uint64_t f, b;             /* earliest return, latest call */
	uint32_t write;            /* NONE: read only */
	uint32_t earliest, latest; /* whose return, and call, these are */
	bool ambiguous;            /* written more than once */
};

/* Of a cluster that surely is the value from f to b. */
struct zone {
	uint64_t f, b;
	uint32_t cluster;
};

struct zones {
	struct cluster *clusters;
	size_t nr_clusters, room;
	uint32_t *table; /* from value to cluster + 1; 0: none */
	unsigned table_shift;
	size_t table_room;
	struct zone *forward;
	size_t nr_forward, forward_room;
	const struct operation *ops;
	struct violation *ret;
};

struct zones *zones_create(void)
{
	return calloc(1, sizeof(struct zones));
}

void zones_destroy(struct zones *z)
{
	if (!z)
		return;
	free(z->clusters);
	free(z->table);
	free(z->forward);
	free(z);
}

/* ---- values and their clusters ---- */

static bool reserve(void **array, size_t *room, size_t need, size_t size)
{
	void *grown;

	if (need <= *room)
		return true;
	grown = realloc(*array, need * 2 * size);
	if (!grown)
		return false;
	*array = grown;
	*room = need * 2;
	return true;
}

static bool reserve_for(struct zones *z, size_t writes)
{
	unsigned bits = 4;
	size_t need;

	while (((size_t)1 << bits) < 2 * writes)
		bits++;
	need = (size_t)1 << bits;
	if (!reserve((void **)&z->table, &z->table_room, need, sizeof(*z->table)) ||
	    !reserve((void **)&z->clusters, &z->room, writes + 1, sizeof(*z->clusters)) ||
	    !reserve((void **)&z->forward, &z->forward_room, writes + 1, sizeof(*z->forward)))
		return false;
	memset(z->table, 0, need * sizeof(*z->table));
	z->table_shift = 64 - bits;
	z->nr_clusters = 0;
	z->nr_forward = 0;
	return true;
}

/* Where @value is, or should be, in the table. */
static uint32_t *table_at(struct zones *z, uint64_t value)
{
	const size_t mask = ((size_t)1 << (64 - z->table_shift)) - 1;
	size_t i = value * UINT64_C(0x9e3779b97f4a7c15) >> z->table_shift;

	while (z->table[i] && z->clusters[z->table[i] - 1].value != value)
		i = (i + 1) & mask;
	return &z->table[i];
}

static void add_write(struct zones *z, uint32_t op)
{
	const struct operation *o = &z->ops[op];
	uint32_t *at = table_at(z, o->value);

	if (*at) {
		z->clusters[*at - 1].ambiguous = true;
		return;
	}
	z->clusters[z->nr_clusters] = (struct cluster){
		.value = o->value,
		.f = o->ret,
		.b = o->call,
		.write = op,
		.earliest = op,
		.latest = op,
	};
	*at = (uint32_t)++z->nr_clusters;
}

/* ---- what is wrong ---- */

static void show(struct zones *z, uint32_t op)
{
	struct violation *v = z->ret;

	for (unsigned i = 0; i < v->nr_shown; i++)
		if (!memcmp(&v->shown[i], &z->ops[op], sizeof(v->shown[i])))
			return;
	v->shown[v->nr_shown++] = z->ops[op];
}

static void show_cluster(struct zones *z, const struct cluster *c)
{
	show(z, c->write);
	show(z, c->earliest);
	show(z, c->latest);
}

static enum verdict wrong(struct zones *z, const char *what)
{
	z->ret->what = what;
	z->ret->all_shown = true;
	return HISTORY_WRONG;
}

static enum verdict begin_wrong(struct zones *z)
{
	z->ret->nr_shown = 0;
	return HISTORY_WRONG;
}

/* ---- reads ---- */

static bool add_read(struct zones *z, uint32_t op, uint64_t value)
{
	const struct operation *o = &z->ops[op];
	uint32_t at = *table_at(z, value);
	struct cluster *c;

	if (!at) {
		begin_wrong(z);
		show(z, op);
		wrong(z, "nobody has ever written what was read");
		return false;
	}
	c = &z->clusters[at - 1];
	if (c->ambiguous)
		return true;
	if (op_before(o, &z->ops[c->write])) {
		begin_wrong(z);
		show(z, c->write);
		show(z, op);
		wrong(z, "it was read before the call that writes it had begun");
		return false;
	}
	if (o->ret < c->f) {
		c->f = o->ret;
		c->earliest = op;
	}
	if (o->call > c->b) {
		c->b = o->call;
		c->latest = op;
	}
	return true;
}

static bool add_reads(struct zones *z, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct operation *o = &z->ops[i];

		if (o->kind != HISTORY_WRITE &&
		    !add_read(z, (uint32_t)i, o->kind == HISTORY_READ ? o->value : o->before))
			return false;
	}
	return true;
}

/* ---- zones ---- */

static int compare_zones(const void *left, const void *right)
{
	const struct zone *a = left, *b = right;

	return a->f < b->f ? -1 : a->f > b->f;
}

static enum verdict clash(struct zones *z, const struct cluster *a, const struct cluster *b)
{
	begin_wrong(z);
	show_cluster(z, a);
	show_cluster(z, b);
	return wrong(z, "each of two values was there before the other one was, and after");
}

/* Zones in order, without overlap. */
static enum verdict sort_forward(struct zones *z)
{
	for (size_t i = 0; i < z->nr_clusters; i++) {
		const struct cluster *c = &z->clusters[i];

		if (!c->ambiguous && c->f < c->b)
			z->forward[z->nr_forward++] = (struct zone){c->f, c->b, (uint32_t)i};
	}
	qsort(z->forward, z->nr_forward, sizeof(*z->forward), compare_zones);
	for (size_t i = 1; i < z->nr_forward; i++)
		if (z->forward[i].f < z->forward[i - 1].b)
			return clash(z, &z->clusters[z->forward[i - 1].cluster],
				     &z->clusters[z->forward[i].cluster]);
	return HISTORY_RIGHT;
}

/* The forward zone around [b, f], or NULL. */
static const struct zone *zone_around(const struct zones *z, uint64_t b, uint64_t f)
{
	size_t low = 0, high = z->nr_forward;

	/* The last one that begins before b; of those before it, all end earlier. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->forward[middle].f < b)
			low = middle + 1;
		else
			high = middle;
	}
	return low && f < z->forward[low - 1].b ? &z->forward[low - 1] : NULL;
}

static enum verdict check_backward(struct zones *z)
{
	for (size_t i = 0; i < z->nr_clusters; i++) {
		const struct cluster *c = &z->clusters[i];
		const struct zone *around;

		if (c->ambiguous || c->f < c->b)
			continue;
		around = zone_around(z, c->b, c->f);
		if (around)
			return clash(z, &z->clusters[around->cluster], c);
	}
	return HISTORY_RIGHT;
}

static bool is_ambiguous(struct zones *z, uint64_t value)
{
	uint32_t at = *table_at(z, value);

	return at && z->clusters[at - 1].ambiguous;
}

/* Operations on values written more than once: each for itself. */
static enum verdict check_ambiguous(struct zones *z, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct operation *o = &z->ops[i];
		const struct zone *around;

		if (!is_ambiguous(z, o->value) &&
		    !(o->kind == HISTORY_CHANGE && is_ambiguous(z, o->before)))
			continue;
		around = zone_around(z, o->call, o->ret);
		/* a change is part of the clusters of both its values */
		if (!around || o->kind == HISTORY_CHANGE)
			continue;
		begin_wrong(z);
		show_cluster(z, &z->clusters[around->cluster]);
		show(z, (uint32_t)i);
		return wrong(z, "another value was there all the time");
	}
	return HISTORY_RIGHT;
}

enum verdict zones_check(struct zones *z, const struct operation *ops, size_t n,
			 struct violation *ret)
{
	bool ambiguous = false;
	size_t writes = 0;

	if (n >= NONE)
		return HISTORY_GAVE_UP;
	for (size_t i = 0; i < n; i++)
		writes += op_writes(&ops[i]);
	if (!reserve_for(z, writes))
		return HISTORY_GAVE_UP;
	z->ops = ops;
	z->ret = ret;
	for (size_t i = 0; i < n; i++)
		if (op_writes(&ops[i]))
			add_write(z, (uint32_t)i);
	if (!add_reads(z, n) || sort_forward(z) == HISTORY_WRONG ||
	    check_backward(z) == HISTORY_WRONG)
		return HISTORY_WRONG;
	for (size_t i = 0; i < z->nr_clusters && !ambiguous; i++)
		ambiguous = z->clusters[i].ambiguous;
	return ambiguous ? check_ambiguous(z, n) : HISTORY_RIGHT;
}
