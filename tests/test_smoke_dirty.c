/* SPDX-License-Identifier: MIT */
/*
 * T2: what the hardware sets is never lost. One thread writes through pt_access() as a processor
 * would and keeps a record; two others map, protect, split, harvest and unmap the same pages. Each
 * write since the last harvest must show in the next harvest, or in what the gather reports.
 *
 * test_smoke_dirty [milliseconds]
 */
#include "smoke.h"

#define PAGES 8
#define PLACE_BITS 24
#define KEYS 8 /* mappings of a page that are remembered */

/*
 * Writes fall between harvests. `begun` and `done` count these; a write that saw the same number in
 * `done` before and in `begun` after belongs to that epoch for certain.
 */
struct page {
	pt_va_t va;
	_Atomic uint32_t begun, done;
	_Atomic uint64_t written[KEYS]; /* key << 32 | epoch, by key */
};

struct dirty {
	struct fixture *fx;
	struct page pages[PAGES];
	pt_va_t base; /* of two blocks of level 2, the pages at their common boundary */
	uint64_t len;
	uint64_t rounds[SMOKE_THREADS];
	_Atomic uint32_t accesses; /* odd: one is in progress */
};

static struct dirty *test_of(struct smoke_thread *t)
{
	return t->smoke->test;
}

static uint64_t key_of(pt_pa_t pa)
{
	return (pa >> PLACE_BITS) & 0xffffff;
}

/* Must a leaf with @prop, the page's mapping @pa until epoch @epoch ended, be dirty? */
static void expect_dirty(struct smoke_thread *t, struct page *p, pt_pa_t pa, pt_prop_t prop,
			 uint32_t epoch)
{
	uint64_t key = key_of(pa);

	if (atomic_load(&p->written[key % KEYS]) != (key << 32 | epoch))
		return;
	require(t, prop & PT_DIRTY);
	require(t, prop & PT_ACCESSED);
	atomic_fetch_add(&t->smoke->seen, 1); /* one more write was found again */
}

/* ---- the hardware ---- */

static void access_pages(struct smoke_thread *t)
{
	struct dirty *d = test_of(t);
	struct page *p = &d->pages[smoke_random(t, PAGES)];
	bool write = smoke_random(t, 4) != 0;
	uint32_t epoch;
	pt_pa_t pa;
	int rc;

	atomic_fetch_add(&d->accesses, 1);
	epoch = atomic_load(&p->done);
	rc = pt_access(t->self, d->fx->table, p->va, write ? PT_ACCESS_WRITE : PT_ACCESS_READ, true,
		       &pa);
	require(t, rc == 0 || rc == -ENOENT || rc == -EACCES);
	if (!rc && write && atomic_load(&p->begun) == epoch)
		atomic_store(&p->written[key_of(pa) % KEYS], key_of(pa) << 32 | epoch);
	atomic_fetch_add(&d->accesses, 1);
}

/*
 * The acknowledgement: whatever was going on by old entries has ended, and is on record. By a
 * read-modify-write, or this thread could find nobody busy while its store of the new entry is still
 * on its way, and an access that begins now could use the old one.
 */
static void wait_for_accesses(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct dirty *d = ctx;
	uint32_t now = atomic_fetch_add(&d->accesses, 0);

	(void)va;
	(void)len;
	(void)tables;
	while ((now & 1) && atomic_load(&d->accesses) == now)
		;
}

/* ---- the kernel ---- */

struct transaction {
	struct smoke_thread *t;
	struct pt_cursor c;
	struct pt_gather g;
	uint32_t epochs[PAGES]; /* when the leaves were removed */
};

static void removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct transaction *r = ctx;
	struct dirty *d = test_of(r->t);
	uint64_t size = pt_page_size(d->fx->format, item->level);
	unsigned i;

	for (i = 0; i < PAGES; i++)
		if (d->pages[i].va - va < size)
			expect_dirty(r->t, &d->pages[i], item->pa, item->prop, r->epochs[i]);
}

static void begin(struct transaction *r, struct smoke_thread *t, pt_va_t va, uint64_t len,
		  enum pt_mode mode)
{
	struct dirty *d = test_of(t);
	unsigned i;

	r->t = t;
	pt_gather_init(&r->g, t->self, d->fx->table, removed, r);
	require(t, pt_cursor_begin(t->self, d->fx->table, va, len, mode, 2, &r->c) == 0);
	for (i = 0; i < PAGES; i++)
		r->epochs[i] = atomic_load(&d->pages[i].done);
}

static void end(struct transaction *r)
{
	pt_cursor_end(&r->c);
	require(r->t, pt_gather_sync(&r->g) == 0);
}

static void map_page_or_block(struct smoke_thread *t)
{
	struct dirty *d = test_of(t);
	unsigned level = smoke_random(t, 3) ? 1 : 2;
	uint64_t size = pt_page_size(d->fx->format, level);
	pt_va_t va = d->pages[smoke_random(t, PAGES)].va & ~(size - 1);
	uint64_t key = (d->rounds[t->index]++ & 0xffff) | (uint64_t)t->index << 16;
	pt_pa_t pa = FRAMES << 2 | key << PLACE_BITS | (va - d->base);
	int rc = pt_map(t->self, d->fx->table, va, size, pa, RWU, level);

	require(t, rc == 0 || rc == -EEXIST);
}

static void take_page_or_all(struct smoke_thread *t)
{
	struct dirty *d = test_of(t);
	bool all = smoke_random(t, 4) == 0;
	pt_va_t va = all ? d->base : d->pages[smoke_random(t, PAGES)].va;
	pt_va_t end_va = va + (all ? d->len : d->fx->page);
	struct transaction r;
	struct pt_taken taken;

	begin(&r, t, va, end_va - va, PT_CHANGE);
	while (pt_cursor_va(&r.c) != end_va &&
	       pt_cursor_take_next(&r.c, end_va - pt_cursor_va(&r.c), &r.g, &taken) == 0)
		;
	end(&r);
}

static void protect_page_or_all(struct smoke_thread *t)
{
	struct dirty *d = test_of(t);
	bool all = smoke_random(t, 4) == 0;
	pt_va_t va = all ? d->base : d->pages[smoke_random(t, PAGES)].va;
	pt_prop_t bit = smoke_random(t, 2) ? PT_WRITE : PT_READ;
	bool grant = smoke_random(t, 2);

	require(t, pt_protect(t->self, d->fx->table, va, all ? d->len : d->fx->page,
			      grant ? RWU : PT_SOFT0, grant ? PT_SOFT0 : bit, NULL, NULL) == 0);
}

struct harvest {
	struct pt_item old;
};

static pt_prop_t clear_dirty(void *ctx, pt_va_t va, const struct pt_item *old)
{
	struct harvest *h = ctx;

	(void)va;
	h->old = *old;
	return old->prop & ~(PT_ACCESSED | PT_DIRTY);
}

static void harvest_page(struct smoke_thread *t)
{
	struct dirty *d = test_of(t);
	struct page *p = &d->pages[smoke_random(t, PAGES)];
	struct transaction r;
	struct harvest h;
	uint32_t epoch;
	uint64_t len;
	pt_va_t va;
	int rc;

	begin(&r, t, p->va, d->fx->page, PT_CHANGE);
	epoch = atomic_fetch_add(&p->begun, 1);
	rc = pt_cursor_protect_next(&r.c, d->fx->page, clear_dirty, &h, &r.g, &va, &len);
	require(t, rc == 0 || rc == -ENOENT);
	if (!rc)
		expect_dirty(t, p, h.old.pa, h.old.prop, epoch);
	atomic_fetch_add(&p->done, 1);
	end(&r);
}

static void change_pages(struct smoke_thread *t)
{
	static const smoke_fn kinds[] = {
		map_page_or_block,   map_page_or_block, map_page_or_block,
		take_page_or_all,    take_page_or_all,  protect_page_or_all,
		protect_page_or_all, harvest_page,      harvest_page};

	kinds[smoke_random(t, sizeof(kinds) / sizeof(kinds[0]))](t);
}

/* ---- the case ---- */

static void no_write_is_lost(struct fixture *fx)
{
	struct dirty d = {.fx = fx};
	struct smoke s = {
		.fx = fx,
		.test = &d,
		.functions = {change_pages, change_pages, access_pages},
		.seen_at_least = 20,
	};
	unsigned i;

	/* Without range isolation two harvests of a page could overlap, and prove nothing. */
	if (fx->strategy->isolation != PT_ISOLATION_RANGE)
		skip();
	fx->config.flush = wait_for_accesses;
	fx->config.flush_ctx = &d;
	fixture_new_table(fx);
	d.base = fx->base;
	d.len = 2 * fx->huge;
	for (i = 0; i < PAGES; i++)
		d.pages[i].va = d.base + fx->huge + i * fx->page - PAGES / 2 * fx->page;
	smoke_run(&s);
	check(fx);
	fx->config.flush = NULL;
	fixture_new_table(fx);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		TEST(no_write_is_lost),
		TEST_SYNC(no_write_is_lost),
	};

	smoke_arguments(argc, argv);
	return run_on_all_pairs("smoke dirty", cases, sizeof(cases) / sizeof(cases[0]));
}
