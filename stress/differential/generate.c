/* SPDX-License-Identifier: MIT */
#include "generate.h"

#define FRAMES (UINT64_C(1) << 40) /* above all node memory; never touched */
#define MAX_STEPS 8                /* of a transaction */

struct generator {
	struct program *p;
	uint64_t random;
	uint64_t page, huge, root_slot;
	pt_va_t area; /* of the thread */
	uint64_t area_len;
	unsigned thread;
};

static uint64_t below(struct generator *g, uint64_t bound)
{
	uint64_t z = g->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % bound;
}

static bool one_in(struct generator *g, unsigned n)
{
	return below(g, n) == 0;
}

/* ---- where ---- */

/* Around a boundary of blocks that lies well within the lower half of all addresses. */
static pt_va_t random_centre(struct generator *g)
{
	const unsigned levels = g->p->format->levels;
	const uint64_t size = pt_page_size(g->p->format, 2 + (unsigned)below(g, levels - 1));

	if (size >= g->root_slot)
		return g->root_slot;
	return g->root_slot + size * below(g, 2);
}

/* Areas of one and a half blocks, side by side; one thread gets three blocks. */
static void choose_area(struct generator *g, pt_va_t centre)
{
	const uint64_t own = g->p->threads == 1 ? 3 * g->huge : g->huge + g->huge / 2;

	g->area = centre - g->p->threads * own / 2 + g->thread * own;
	g->area_len = own;
}

static void random_range(struct generator *g, pt_va_t *ret_va, uint64_t *ret_len)
{
	uint64_t at = g->page * below(g, g->area_len / g->page);
	uint64_t len = g->page * (1 + below(g, 8));

	/* Often at a boundary, or up to one. */
	if (one_in(g, 3))
		at = at / g->huge * g->huge + (one_in(g, 2) ? g->area % g->huge : 0);
	if (one_in(g, 3))
		len = g->huge * (1 + below(g, 2)) + (one_in(g, 4) ? g->page : 0);
	if (one_in(g, 3)) /* whole blocks */
		at = (at + g->area + g->huge - 1) / g->huge * g->huge - g->area;
	if (at >= g->area_len)
		at = 0;
	if (len > g->area_len - at || one_in(g, 16))
		len = g->area_len - at;
	*ret_va = g->area + at;
	*ret_len = len;
}

/* ---- what ---- */

static pt_prop_t random_prop(struct generator *g)
{
	const struct pt_format_info *f = g->p->format;
	pt_prop_t prop = (pt_prop_t)below(g, PT_TRACKED << 3) & f->props & ~PT_TRACKED;
	unsigned cache = (unsigned)below(g, PT_CACHE_NR);

	if (one_in(g, 2)) /* such as merge */
		prop &= PT_READ | PT_WRITE;
	if (!one_in(g, 6))
		prop |= PT_READ;
	if (one_in(g, 8) && (f->caches >> cache & 1))
		prop |= PT_CACHE(cache);
	return prop;
}

static void random_map(struct generator *g, struct call *c)
{
	c->pa = FRAMES + c->va;
	if (one_in(g, 6))
		c->pa += g->page * below(g, 16);
	c->set = random_prop(g);
	if (one_in(g, 3))
		c->set |= PT_TRACKED;
	c->level = 1 + (unsigned)below(g, g->p->format->levels);
}

static void random_change(struct generator *g, struct call *c)
{
	c->set = random_prop(g);
	c->clear = random_prop(g);
	if ((c->set | c->clear) & PT_CACHE_MASK)
		c->clear |= PT_CACHE_MASK;
	if (c->kind == CALL_CLONE) {
		c->set &= ~(PT_ACCESSED | PT_DIRTY);
		c->clear &= ~(PT_ACCESSED | PT_DIRTY);
	}
}

static void random_arguments(struct generator *g, struct call *c)
{
	switch (c->kind) {
	case CALL_MAP:
	case CALL_CURSOR_MAP:
		random_map(g, c);
		break;
	case CALL_PROTECT:
	case CALL_CLONE:
	case CALL_CURSOR_PROTECT:
		random_change(g, c);
		break;
	case CALL_MARK:
	case CALL_CURSOR_MARK:
		c->mark = below(g, 4);
		break;
	case CALL_MERGE:
		c->level = g->p->format->levels;
		break;
	case CALL_HARVEST:
		c->clear = (pt_prop_t)below(g, 4) * PT_ACCESSED; /* and PT_DIRTY is next to it */
		break;
	case CALL_QUERY:
	case CALL_QUERY_GET:
	case CALL_WALK:
	case CALL_ACCESS:
		c->va += below(g, g->page);
		c->access = (enum pt_access)below(g, 3);
		c->user = one_in(g, 2);
		break;
	default:
		break;
	}
}

static struct call *add(struct generator *g, enum call_kind kind)
{
	struct call *c = &g->p->calls[g->p->n++];

	*c = (struct call){.kind = kind, .thread = g->thread, .nodes = UINT64_MAX};
	random_range(g, &c->va, &c->len);
	random_arguments(g, c);
	c->gather = kind < CALL_CLONE && one_in(g, 2);
	if (kind != CALL_CLONE && kind < CALL_CURSOR_QUERY && one_in(g, 10))
		c->table = 1;
	/* Who finds an empty table first removes it. */
	c->foreign = kind == CALL_PRUNE && g->p->threads > 1;
	return c;
}

static void add_transaction(struct generator *g)
{
	static const enum call_kind steps[] = {
		CALL_CURSOR_QUERY, CALL_CURSOR_FIND, CALL_CURSOR_JUMP,    CALL_CURSOR_MAP,
		CALL_CURSOR_MAP,   CALL_CURSOR_TAKE, CALL_CURSOR_PROTECT, CALL_CURSOR_MARK,
	};
	const struct call begin =
		*add(g, one_in(g, 4) && g->p->threads == 1 ? CALL_TRY_BEGIN : CALL_BEGIN);
	struct call *c = &g->p->calls[g->p->n - 1];

	c->mode = one_in(g, 2) ? PT_BUILD : (enum pt_mode)below(g, 3);
	c->level = 1 + (unsigned)below(g, g->p->format->levels);
	for (uint64_t left = 1 + below(g, MAX_STEPS); left; left--) {
		c = add(g, steps[below(g, sizeof(steps) / sizeof(steps[0]))]);
		if (!one_in(g, 8)) /* else it may lie outside */
			c->va = begin.va + g->page * below(g, begin.len / g->page);
		if (c->kind == CALL_CURSOR_MAP)
			c->level = one_in(g, 3) ? 2 : 1;
	}
	add(g, CALL_END);
}

/* Random calls seldom fill a table with what can be merged, or leave an empty one. */
static void add_block(struct generator *g)
{
	const pt_va_t va = (g->area + g->huge - 1) & ~(g->huge - 1);
	struct call *c;

	if (va + g->huge > g->area + g->area_len)
		return;
	c = add(g, CALL_UNMAP);
	c->va = va;
	c->len = g->huge;
	c->table = 0;
	c = add(g, CALL_MAP);
	*c = (struct call){.kind = CALL_MAP, .thread = g->thread, .va = va, .len = g->huge};
	random_map(g, c);
	c->pa = FRAMES + va;
	c->level = 1;
	c->nodes = UINT64_MAX;
	c = add(g, one_in(g, 2) ? CALL_MERGE : CALL_PROTECT);
	c->va = va;
	c->len = g->huge;
	c->table = 0;
	if (c->kind == CALL_MERGE)
		return;
	for (unsigned i = 0; i < 2; i++) {
		c = add(g, CALL_UNMAP);
		c->va = va + i * g->huge / 2;
		c->len = g->huge / 2;
		c->table = 0;
	}
	c = add(g, CALL_PRUNE);
	c->va = va;
	c->len = g->huge;
	c->table = 0;
}

/*
 * A call that meets other threads' pages without changing any: looking, and removing empty tables,
 * which others may be about to fill.
 */
static void add_foreign(struct generator *g, pt_va_t centre)
{
	static const enum call_kind kinds[] = {
		CALL_PRUNE, CALL_PRUNE, CALL_PRUNE, CALL_QUERY, CALL_WALK, CALL_BEGIN,
	};
	enum call_kind kind = kinds[below(g, sizeof(kinds) / sizeof(kinds[0]))];
	const size_t from = g->p->n;
	struct call *c;

	choose_area(g, centre);
	g->area -= g->thread * g->area_len;
	g->area_len *= g->p->threads;
	c = add(g, kind);
	if (kind == CALL_PRUNE && one_in(g, 2)) {
		c->va = g->area / g->huge * g->huge;
		c->len = (g->area_len + 2 * g->huge - 1) / g->huge * g->huge;
	}
	if (kind == CALL_BEGIN) {
		c->mode = PT_READ_ONLY;
		c->level = 1 + (unsigned)below(g, g->p->format->levels);
		add(g, CALL_CURSOR_FIND);
		add(g, CALL_CURSOR_QUERY);
		add(g, CALL_END);
	}
	for (size_t i = from; i < g->p->n; i++)
		g->p->calls[i].foreign = true;
	choose_area(g, centre);
}

/* What one thread does; leaves room for a transaction. */
static void add_calls(struct generator *g, pt_va_t centre, size_t end)
{
	static const enum call_kind kinds[] = {
		CALL_MAP,   CALL_MAP,       CALL_MAP,     CALL_MAP,    CALL_UNMAP,
		CALL_UNMAP, CALL_UNMAP,     CALL_PROTECT, CALL_MARK,   CALL_PRUNE,
		CALL_MERGE, CALL_HARVEST,   CALL_CLONE,   CALL_QUERY,  CALL_QUERY,
		CALL_WALK,  CALL_QUERY_GET, CALL_ACCESS,  CALL_ACCESS,
	};

	while (g->p->n + MAX_STEPS + 2 < end) {
		struct call *c;

		if (one_in(g, 8)) {
			add_transaction(g);
			continue;
		}
		if (one_in(g, 16)) {
			add_block(g);
			continue;
		}
		if (g->p->threads > 1 && one_in(g, 5)) {
			add_foreign(g, centre);
			continue;
		}
		c = add(g, kinds[below(g, sizeof(kinds) / sizeof(kinds[0]))]);
		/* Only calls that are alone know how many nodes they will need. */
		if (g->p->threads == 1 && c->kind <= CALL_CLONE && one_in(g, 12))
			c->nodes = below(g, 4);
	}
}

void generate(struct program *p, const struct pt_format_info *format, unsigned threads,
	      unsigned calls, uint64_t seed, uint64_t number)
{
	struct generator g = {
		.p = p,
		.random = seed * UINT64_C(0xd1342543de82ef95) + number,
		.page = pt_page_size(format, 1),
		.huge = pt_page_size(format, 2),
		.root_slot = pt_page_size(format, format->levels),
	};
	pt_va_t centre;

	p->format = format;
	p->threads = threads;
	p->n = 0;
	g.random = below(&g, UINT64_MAX);
	centre = random_centre(&g);
	/* All areas lie in three root slots; shift them, so that edges are anywhere. */
	if (threads * 3 / 2 * g.huge > centre)
		centre = 2 * g.root_slot;
	if (one_in(&g, 2))
		centre += g.page * below(&g, g.huge / g.page);
	for (g.thread = 0; g.thread < threads; g.thread++) {
		choose_area(&g, centre);
		add_calls(&g, centre, (size_t)calls * (g.thread + 1));
	}
}
