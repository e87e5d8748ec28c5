/* SPDX-License-Identifier: MIT */
#include "player.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

static uint64_t digest_item(pt_va_t va, const struct pt_item *item)
{
	return mix(mix(mix(mix(1, va), item->pa), item->prop), item->level);
}

static uint64_t digest_mapping(const struct player *p, const struct pt_mapping *m)
{
	uint64_t hash = p->loose ? m->kind : mix(mix(mix(2, m->va), m->len), m->kind);

	if (m->kind == PT_KIND_LEAF)
		return mix(hash, digest_item(m->va, &m->item));
	return m->kind == PT_KIND_MARK ? mix(hash, m->mark) : hash;
}

/* ---- tracked items ---- */

static int64_t pages_of(const struct subject *s, unsigned level)
{
	return INT64_C(1) << (level - 1) * s->format->index_bits;
}

static void count(struct subject *s, int64_t pages)
{
	atomic_fetch_add_explicit(&s->references, pages, memory_order_relaxed);
}

static int on_clone(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)pa;
	count(ctx, pages_of(ctx, level));
	return 0;
}

static void on_drop(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)pa;
	count(ctx, -pages_of(ctx, level));
}

/* References are of pages, so the parts have what the whole had. */
static void on_split(void *ctx, pt_pa_t pa, unsigned level)
{
	(void)ctx;
	(void)pa;
	(void)level;
}

const struct pt_item_ops player_item_ops = {
	.clone = on_clone,
	.drop = on_drop,
	.split = on_split,
	.merge = on_split,
};

/* ---- what the library calls ---- */

static void on_removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct player *p = ctx;

	p->digest += digest_item(va, item);
}

static void on_used(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct player *p = ctx;

	p->digest = mix(p->digest, digest_item(va, item));
}

static pt_prop_t on_protect(void *ctx, pt_va_t va, const struct pt_item *old)
{
	const struct call *c = ctx;

	(void)va;
	return (old->prop & ~c->clear) | c->set;
}

/* ---- calls without a cursor ---- */

static int map(struct player *p, struct pt_table *table, const struct call *c)
{
	const int64_t pages = (int64_t)(c->len >> p->subject->format->page_shift);
	int rc;

	if (c->set & PT_TRACKED)
		count(p->subject, pages);
	rc = pt_map(p->self, table, c->va, c->len, c->pa, c->set, c->level);
	if (rc && (c->set & PT_TRACKED))
		count(p->subject, -pages);
	return rc;
}

static int query(struct player *p, struct pt_table *table, const struct call *c)
{
	const bool get = c->kind == CALL_QUERY_GET;
	struct pt_mapping m;
	int rc =
		get ? pt_query_get(p->self, table, c->va, &m) : pt_query(p->self, table, c->va, &m);

	if (rc)
		return rc;
	p->digest += digest_mapping(p, &m);
	if (get && m.kind == PT_KIND_LEAF && (m.item.prop & PT_TRACKED))
		count(p->subject, -pages_of(p->subject, m.item.level));
	return 0;
}

static int change(struct player *p, struct pt_table *table, const struct call *c,
		  struct pt_gather *gather, struct result *r)
{
	struct pt_thread *self = p->self;

	switch (c->kind) {
	case CALL_UNMAP:
		return pt_unmap(self, table, c->va, c->len, gather, &r->first);
	case CALL_PROTECT:
		return pt_protect(self, table, c->va, c->len, c->set, c->clear, gather, &r->first);
	case CALL_PRUNE:
		return pt_prune(self, table, c->va, c->len, gather, &r->first);
	case CALL_MERGE:
		return pt_merge(self, table, c->va, c->len, c->level, &r->first);
	case CALL_HARVEST:
		return pt_harvest(self, table, c->va, c->len, c->clear, on_used, p, gather,
				  &r->first);
	case CALL_CLONE:
		return pt_clone(self, table, p->subject->tables[1], c->va, c->len, c->set, c->clear,
				gather, &r->first);
	default:
		return pt_mark(self, table, c->va, c->len, c->mark);
	}
}

static int one_shot(struct player *p, const struct call *c, struct result *r)
{
	struct pt_table *table = p->subject->tables[c->table];
	struct pt_gather gather;
	pt_prop_t prop = 0;
	int rc, synced;

	switch (c->kind) {
	case CALL_MAP:
		return map(p, table, c);
	case CALL_QUERY:
	case CALL_QUERY_GET:
		return query(p, table, c);
	case CALL_WALK:
		rc = pt_walk(p->self, table, c->va, &r->first, &prop);
		r->second = prop;
		return rc;
	case CALL_ACCESS:
		return pt_access(p->self, table, c->va, c->access, c->user, &r->first);
	default:
		break;
	}
	if (!c->gather)
		return change(p, table, c, NULL, r);
	pt_gather_init(&gather, p->self, table, on_removed, p);
	rc = change(p, table, c, &gather, r);
	synced = pt_gather_sync(&gather);
	return rc ? rc : synced;
}

/* ---- calls with a cursor ---- */

static int begin(struct player *p, const struct call *c)
{
	struct pt_table *table = p->subject->tables[c->table];
	int rc = (c->kind == CALL_BEGIN ? pt_cursor_begin : pt_cursor_try_begin)(
		p->self, table, c->va, c->len, c->mode, c->level, &p->cursor);

	if (rc)
		return rc;
	p->open = true;
	pt_gather_init(&p->gather, p->self, table, on_removed, p);
	return 0;
}

static int cursor_map(struct player *p, const struct call *c)
{
	const struct pt_item item = {.pa = c->pa, .prop = c->set, .level = c->level};
	const int64_t pages = pages_of(p->subject, c->level);
	int rc;

	if (c->set & PT_TRACKED)
		count(p->subject, pages);
	rc = pt_cursor_map(&p->cursor, &item);
	if (rc && (c->set & PT_TRACKED))
		count(p->subject, -pages);
	return rc;
}

static int cursor_take(struct player *p, const struct call *c, struct result *r)
{
	struct pt_taken taken;
	int rc = pt_cursor_take_next(&p->cursor, c->len, &p->gather, &taken);

	if (rc)
		return rc;
	r->second = taken.pages;
	p->digest += mix(mix(taken.va, taken.len), taken.subtree);
	if (!taken.subtree)
		p->digest += digest_item(taken.va, &taken.item);
	return 0;
}

static int cursor_step(struct player *p, const struct call *c, struct result *r)
{
	struct pt_mapping m;
	uint64_t len;
	int rc;

	switch (c->kind) {
	case CALL_CURSOR_QUERY:
		rc = pt_cursor_query(&p->cursor, &m);
		p->digest += rc ? 0 : digest_mapping(p, &m);
		return rc;
	case CALL_CURSOR_FIND:
		return pt_cursor_find_next(&p->cursor, c->len, &r->second);
	case CALL_CURSOR_JUMP:
		return pt_cursor_jump(&p->cursor, c->va);
	case CALL_CURSOR_MAP:
		return cursor_map(p, c);
	case CALL_CURSOR_TAKE:
		return cursor_take(p, c, r);
	case CALL_CURSOR_PROTECT:
		rc = pt_cursor_protect_next(&p->cursor, c->len, on_protect, (void *)c, &p->gather,
					    &r->second, &len);
		p->digest += rc ? 0 : mix(3, len);
		return rc;
	default:
		return pt_cursor_mark(&p->cursor, c->len, c->mark);
	}
}

void player_end(struct player *p)
{
	if (!p->open)
		return;
	pt_cursor_end(&p->cursor);
	p->open = false;
	if (pt_gather_sync(&p->gather))
		p->digest++; /* cannot be; whoever does it differs */
}

void player_play(struct player *p, const struct call *c, struct result *r)
{
	const bool of_cursor = c->kind >= CALL_CURSOR_QUERY;

	*r = (struct result){.made = !of_cursor || p->open};
	p->digest = 0;
	if (!r->made)
		return;
	if (!of_cursor || c->kind == CALL_END)
		player_end(p);
	if (c->nodes != UINT64_MAX)
		pt_thread_fail_alloc(p->self, c->nodes);
	if (c->kind == CALL_BEGIN || c->kind == CALL_TRY_BEGIN)
		r->rc = begin(p, c);
	else if (!of_cursor)
		r->rc = one_shot(p, c, r);
	else if (c->kind != CALL_END)
		r->rc = cursor_step(p, c, r);
	if (c->nodes != UINT64_MAX)
		pt_thread_fail_alloc(p->self, UINT64_MAX);
	if (p->open)
		r->first = pt_cursor_va(&p->cursor);
	r->digest = p->digest;
	/* Of what others do meanwhile it may find anything, or come to the end. */
	if (c->foreign)
		*r = (struct result){
			.made = true,
			.rc = r->rc == -ENOENT || (of_cursor && r->rc == -ERANGE) ? 0 : r->rc,
		};
}
