/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ledger.h"

/* Pages are larger than any level, so the low bits of the address are free. */
static uint64_t key_of(pt_pa_t pa, unsigned level)
{
	return pa | level;
}

static struct ledger_entry *probe(const struct ledger *l, uint64_t key)
{
	size_t i = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 20;

	for (;; i++) {
		struct ledger_entry *e = &l->entries[i & (l->size - 1)];

		if (!e->key || e->key == key)
			return e;
	}
}

/* Items without references are left behind. */
static void rehash(struct ledger *l)
{
	struct ledger old = *l;
	size_t i;

	l->size = l->size ? 2 * l->size : 1024;
	l->used = 0;
	l->entries = calloc(l->size, sizeof(*l->entries));
	if (!l->entries)
		abort();
	for (i = 0; i < old.size; i++) {
		if (!old.entries[i].count)
			continue;
		*probe(l, old.entries[i].key) = old.entries[i];
		l->used++;
	}
	free(old.entries);
}

static void change(struct ledger *l, pt_pa_t pa, unsigned level, int64_t by)
{
	struct ledger_entry *e;

	if (2 * l->used >= l->size)
		rehash(l);
	e = probe(l, key_of(pa, level));
	if (!e->key) {
		e->key = key_of(pa, level);
		l->used++;
	}
	e->count += by;
	l->total += by;
	if (e->count < 0 && !l->error)
		l->error = "a reference was given back that nobody held";
}

void ledger_init(struct ledger *l, const struct pt_format_info *format)
{
	*l = (struct ledger){.format = format};
	pthread_mutex_init(&l->lock, NULL);
	rehash(l);
}

void ledger_free(struct ledger *l)
{
	pthread_mutex_destroy(&l->lock);
	free(l->entries);
}

void ledger_get(struct ledger *l, pt_pa_t pa, unsigned level)
{
	pthread_mutex_lock(&l->lock);
	change(l, pa, level, 1);
	pthread_mutex_unlock(&l->lock);
}

void ledger_put(struct ledger *l, pt_pa_t pa, unsigned level)
{
	pthread_mutex_lock(&l->lock);
	change(l, pa, level, -1);
	pthread_mutex_unlock(&l->lock);
}

int64_t ledger_count(struct ledger *l, pt_pa_t pa, unsigned level)
{
	int64_t count;

	pthread_mutex_lock(&l->lock);
	count = probe(l, key_of(pa, level))->count;
	pthread_mutex_unlock(&l->lock);
	return count;
}

int64_t ledger_total(struct ledger *l)
{
	int64_t total;

	pthread_mutex_lock(&l->lock);
	total = l->total;
	pthread_mutex_unlock(&l->lock);
	return total;
}

static int on_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	struct ledger *l = ctx;

	pthread_mutex_lock(&l->lock);
	change(l, pa, level, 1);
	l->clones++;
	pthread_mutex_unlock(&l->lock);
	return 0;
}

static void on_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	struct ledger *l = ctx;

	pthread_mutex_lock(&l->lock);
	change(l, pa, level, -1);
	l->drops++;
	pthread_mutex_unlock(&l->lock);
}

static void on_split(void *ctx, pt_pa_t pa, unsigned level)
{
	struct ledger *l = ctx;
	uint64_t part = pt_page_size(l->format, level - 1);
	uint64_t i;

	pthread_mutex_lock(&l->lock);
	change(l, pa, level, -1);
	for (i = 0; i < UINT64_C(1) << l->format->index_bits; i++)
		change(l, pa + i * part, level - 1, 1);
	l->splits++;
	pthread_mutex_unlock(&l->lock);
}

static void on_merge(void *ctx, pt_pa_t pa, unsigned level)
{
	struct ledger *l = ctx;
	uint64_t part = pt_page_size(l->format, level - 1);
	uint64_t i;

	pthread_mutex_lock(&l->lock);
	for (i = 0; i < UINT64_C(1) << l->format->index_bits; i++)
		change(l, pa + i * part, level - 1, -1);
	change(l, pa, level, 1);
	l->merges++;
	pthread_mutex_unlock(&l->lock);
}

const struct pt_item_ops ledger_ops = {
	.clone = on_clone,
	.drop = on_drop,
	.split = on_split,
	.merge = on_merge,
};
