/* SPDX-License-Identifier: MIT */
/*
 * What each call does to a flat table, and what it must return: the contract of lib/pagetree.h for
 * calls that are alone.
 */
#include "flat.h"

/* Where the current cursor stands. */
static uint32_t *at(struct flat *f)
{
	return &f->at[f->cursors - 1];
}

static unsigned count_mapped(const struct flat *f, unsigned page, unsigned pages)
{
	unsigned n = 0;

	for (unsigned p = page; p < page + pages; p++)
		n += f->page[p].kind == PT_KIND_LEAF;
	return n;
}

/* The first mapped page of [page, page + pages), or page + pages. */
static unsigned first_mapped(const struct flat *f, unsigned page, unsigned pages)
{
	unsigned p = page;

	while (p < page + pages && f->page[p].kind != PT_KIND_LEAF)
		p++;
	return p;
}

static void set_pages(struct flat *f, unsigned page, unsigned pages, struct page_state state)
{
	for (unsigned p = page; p < page + pages; p++) {
		f->page[p] = state;
		if (state.kind == PT_KIND_LEAF)
			state.value += PAGE_VA(1);
	}
}

/* Map and mark: both want a range without mappings. */
static bool apply_fill(struct flat *f, const struct call *call, unsigned page,
		       struct page_state state)
{
	unsigned pages = call->step->pages;

	if (count_mapped(f, page, pages))
		return call->rc == -EEXIST;
	if (call->rc)
		return false;
	set_pages(f, page, pages, state);
	return true;
}

void flat_change(const struct step *s, struct page_state *page)
{
	if (page->kind == PT_KIND_LEAF)
		page->prop = ((page->prop & ~s->clear) | s->set) & ~HARDWARE_BITS;
}

static void change_props(struct flat *f, const struct step *s, unsigned page, unsigned pages)
{
	for (unsigned p = page; p < page + pages; p++)
		flat_change(s, &f->page[p]);
}

static bool apply_unmap(struct flat *f, const struct call *call)
{
	const struct step *s = call->step;

	if (call->rc || call->pages != count_mapped(f, s->page, s->pages))
		return false;
	set_pages(f, s->page, s->pages, (struct page_state){.kind = PT_KIND_EMPTY});
	return true;
}

static bool apply_protect(struct flat *f, const struct call *call)
{
	const struct step *s = call->step;

	if (call->rc || call->pages != count_mapped(f, s->page, s->pages))
		return false;
	change_props(f, s, s->page, s->pages);
	return true;
}

/* All pages of the range go to the other table, where nothing may be, and change in both. */
static bool apply_clone(struct flat *f, const struct call *call)
{
	const struct step *s = call->step;
	bool tracked = false, free = true;

	for (unsigned p = s->page; p < s->page + s->pages; p++) {
		free = free && f->page[OTHER_PAGE(p)].kind == PT_KIND_EMPTY;
		tracked = tracked || (f->page[p].prop & PT_TRACKED);
	}
	if (!free)
		return call->rc == -EEXIST;
	if (call->rc == -EOVERFLOW)
		return tracked;
	if (call->rc || call->pages != count_mapped(f, s->page, s->pages))
		return false;
	change_props(f, s, s->page, s->pages);
	for (unsigned p = s->page; p < s->page + s->pages; p++)
		f->page[OTHER_PAGE(p)] = f->page[p];
	return true;
}

/* Pages [page, page + 4) could be one leaf of level 2. */
static bool mergeable(const struct flat *f, unsigned page)
{
	const struct page_state *first = &f->page[page];

	if (PA_FRAME(first->value) % 4)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const struct page_state *p = &f->page[page + i];

		if (p->kind != PT_KIND_LEAF || p->prop != first->prop ||
		    p->value != first->value + PAGE_VA(i))
			return false;
	}
	return true;
}

/* A merge changes no page; some of what can be one leaf may have been one before. */
static bool apply_merge(const struct flat *f, const struct call *call)
{
	const struct step *s = call->step;
	unsigned most = 0;

	for (unsigned page = (s->page + 3u) & ~3u; page + 4 <= s->page + s->pages; page += 4)
		most += mergeable(f, page);
	return !call->rc && call->pages <= most;
}

bool flat_same_page(const struct page_state *page, const struct call *call)
{
	return page->kind == call->kind && page->value == call->value && page->prop == call->prop;
}

bool flat_read_fits(const struct page_state *page, const struct call *read)
{
	bool leaf = page->kind == PT_KIND_LEAF;
	pt_prop_t need = read->step->mode == PT_ACCESS_WRITE ? PT_WRITE : PT_READ;

	switch (read->step->kind) {
	case STEP_QUERY:
	case STEP_QUERY_GET:
		return !read->rc && flat_same_page(page, read);
	case STEP_WALK:
		if (!leaf || !(page->prop & PT_READ))
			return read->rc == -ENOENT;
		return !read->rc && read->value == page->value && read->prop == page->prop;
	default:
		if (!leaf || !(page->prop & PT_READ))
			return read->rc == -ENOENT;
		if (!(page->prop & need))
			return read->rc == -EACCES;
		return !read->rc && read->value == page->value;
	}
}

/* Take next: the next leaf, or a table with what is below, and the marks on the way. */
static bool apply_take(struct flat *f, const struct call *call)
{
	unsigned end = *at(f) + call->step->pages;
	unsigned first = first_mapped(f, *at(f), call->step->pages);
	unsigned begin = *at(f);

	if (first == end) {
		set_pages(f, begin, end - begin, (struct page_state){.kind = PT_KIND_EMPTY});
		*at(f) = end;
		return call->rc == -ENOENT;
	}
	if (call->rc || first < call->page || first >= call->page + call->pages ||
	    call->page + call->pages > end || call->page < begin ||
	    call->value != count_mapped(f, call->page, call->pages))
		return false;
	*at(f) = call->page + call->pages;
	set_pages(f, begin, *at(f) - begin, (struct page_state){.kind = PT_KIND_EMPTY});
	return true;
}

static bool apply_protect_next(struct flat *f, const struct call *call)
{
	unsigned end = *at(f) + call->step->pages;
	unsigned first = first_mapped(f, *at(f), call->step->pages);

	if (first == end) {
		*at(f) = end;
		return call->rc == -ENOENT;
	}
	if (call->rc || call->page != first || call->page + call->pages > end ||
	    count_mapped(f, call->page, call->pages) != call->pages)
		return false;
	change_props(f, call->step, call->page, call->pages);
	*at(f) = call->page + call->pages;
	return true;
}

static bool apply_find(struct flat *f, const struct call *call)
{
	unsigned end = *at(f) + call->step->pages;

	*at(f) = first_mapped(f, *at(f), call->step->pages);
	return *at(f) == end ? call->rc == -ENOENT : !call->rc && call->page == *at(f);
}

struct page_state flat_filled(const struct step *s)
{
	if (s->kind == STEP_MARK || s->kind == STEP_CURSOR_MARK)
		return (struct page_state){.kind = PT_KIND_MARK, .value = s->value};
	return (struct page_state){
		.kind = PT_KIND_LEAF,
		.value = FRAME_PA(s->frame),
		.prop = s->set & ~HARDWARE_BITS,
	};
}

bool flat_apply(struct flat *f, const struct call *call)
{
	const struct step *s = call->step;
	bool fits;

	if (call->rc == -ENOMEM)
		return call->may_fail; /* and nothing has changed (C2) */
	if (call->rc == -EBUSY) /* whether it had to: see the oracle, which knows the times */
		return s->kind == STEP_TRY;
	switch (s->kind) {
	case STEP_MAP:
	case STEP_MARK:
		return apply_fill(f, call, s->page, flat_filled(s));
	case STEP_UNMAP:
		return apply_unmap(f, call);
	case STEP_PROTECT:
		return apply_protect(f, call);
	case STEP_MERGE:
		return apply_merge(f, call);
	case STEP_CLONE:
		return apply_clone(f, call);
	case STEP_HARVEST: /* how many depends on what the hardware did: the dirty bits are judged apart */
		return !call->rc && call->pages <= count_mapped(f, s->page, s->pages);
	case STEP_PRUNE:
		return !call->rc;
	case STEP_BEGIN:
	case STEP_TRY:
		f->at[f->cursors++] = s->page;
		return !call->rc;
	case STEP_END:
		f->cursors--;
		return true;
	case STEP_CURSOR_QUERY:
		return !call->rc && flat_same_page(&f->page[*at(f)], call);
	case STEP_CURSOR_FIND:
		return apply_find(f, call);
	case STEP_CURSOR_JUMP:
		*at(f) = s->page;
		return !call->rc;
	case STEP_CURSOR_MAP:
	case STEP_CURSOR_MARK:
		fits = apply_fill(f, call, *at(f), flat_filled(s));
		*at(f) += call->rc ? 0 : s->pages;
		return fits;
	case STEP_CURSOR_TAKE:
		return apply_take(f, call);
	case STEP_CURSOR_PROTECT:
		return apply_protect_next(f, call);
	default:
		return true;
	}
}
