/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flatmap.h"

void flat_init(struct flatmap *m, const struct pt_format_info *format)
{
	*m = (struct flatmap){.format = format};
}

void flat_free(struct flatmap *m)
{
	free(m->extents);
}

static void reserve(struct flatmap *m, size_t n)
{
	if (n <= m->capacity)
		return;
	m->capacity = 2 * n + 64;
	m->extents = realloc(m->extents, m->capacity * sizeof(*m->extents));
	if (!m->extents)
		abort();
}

void flat_copy(struct flatmap *to, const struct flatmap *from)
{
	reserve(to, from->n);
	if (from->n)
		memcpy(to->extents, from->extents, from->n * sizeof(*from->extents));
	to->n = from->n;
	to->format = from->format;
}

size_t flat_lower(const struct flatmap *m, pt_va_t va)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (m->extents[mid].last < va)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct extent *flat_at(const struct flatmap *m, pt_va_t va)
{
	size_t i = flat_lower(m, va);

	return i < m->n && m->extents[i].first <= va ? &m->extents[i] : NULL;
}

static uint64_t leaf_bytes(const struct flatmap *m, const struct extent *e)
{
	return pt_page_size(m->format, e->level);
}

pt_va_t flat_leaf_va(const struct flatmap *m, const struct extent *e, pt_va_t va)
{
	return va & ~(leaf_bytes(m, e) - 1);
}

bool flat_next(const struct flatmap *m, pt_va_t first, pt_va_t last, pt_va_t *ret_va)
{
	size_t i;

	for (i = flat_lower(m, first); i < m->n && m->extents[i].first <= last; i++) {
		const struct extent *e = &m->extents[i];

		if (e->kind != PT_KIND_LEAF)
			continue;
		*ret_va = e->first > first ? e->first : first;
		return true;
	}
	return false;
}

bool flat_any_leaf(const struct flatmap *m, pt_va_t first, pt_va_t last)
{
	pt_va_t va;

	return flat_next(m, first, last, &va);
}

uint64_t flat_pages(const struct flatmap *m, pt_va_t first, pt_va_t last)
{
	uint64_t pages = 0;
	size_t i;

	for (i = flat_lower(m, first); i < m->n && m->extents[i].first <= last; i++) {
		const struct extent *e = &m->extents[i];
		pt_va_t from = e->first > first ? e->first : first;
		pt_va_t to = e->last < last ? e->last : last;

		if (e->kind == PT_KIND_LEAF)
			pages += ((to - from) >> m->format->page_shift) + 1;
	}
	return pages;
}

static void insert_at(struct flatmap *m, size_t i, struct extent e)
{
	reserve(m, m->n + 1);
	memmove(&m->extents[i + 1], &m->extents[i], (m->n - i) * sizeof(e));
	m->extents[i] = e;
	m->n++;
}

/* The part of @e from @va on. */
static struct extent tail_of(const struct extent *e, pt_va_t va)
{
	struct extent tail = *e;

	tail.first = va;
	tail.pa += va - e->first;
	return tail;
}

/* Cut between leaves. */
static void cut_extent(struct flatmap *m, pt_va_t va)
{
	size_t i = flat_lower(m, va);
	struct extent tail;

	if (i == m->n || m->extents[i].first >= va)
		return;
	tail = tail_of(&m->extents[i], va);
	m->extents[i].last = va - 1;
	insert_at(m, i + 1, tail);
}

bool flat_cuts_leaf(const struct flatmap *m, pt_va_t va)
{
	const struct extent *e = flat_at(m, va);

	return e && e->kind == PT_KIND_LEAF && flat_leaf_va(m, e, va) != va;
}

/* Make the leaf that covers @va an extent of its own. */
static struct extent *isolate_leaf(struct flatmap *m, pt_va_t va)
{
	const struct extent *e = flat_at(m, va);
	pt_va_t leaf = flat_leaf_va(m, e, va);
	pt_va_t last = leaf + (leaf_bytes(m, e) - 1);

	cut_extent(m, leaf);
	if (last != UINT64_MAX)
		cut_extent(m, last + 1);
	return &m->extents[flat_lower(m, va)];
}

void flat_split_leaf(struct flatmap *m, pt_va_t va)
{
	isolate_leaf(m, va)->level--;
}

void flat_cut(struct flatmap *m, pt_va_t va)
{
	while (flat_cuts_leaf(m, va))
		flat_split_leaf(m, va);
	cut_extent(m, va);
}

void flat_cut_range(struct flatmap *m, pt_va_t first, pt_va_t last)
{
	flat_cut(m, first);
	if (last != UINT64_MAX)
		flat_cut(m, last + 1);
}

void flat_clear(struct flatmap *m, pt_va_t first, pt_va_t last)
{
	size_t from, to;

	flat_cut_range(m, first, last);
	from = flat_lower(m, first);
	for (to = from; to < m->n && m->extents[to].first <= last; to++)
		;
	if (to == from)
		return;
	memmove(&m->extents[from], &m->extents[to], (m->n - to) * sizeof(*m->extents));
	m->n -= to - from;
}

static bool continues(const struct extent *a, const struct extent *b)
{
	if (a->last + 1 != b->first || a->kind != b->kind)
		return false;
	if (a->kind == PT_KIND_MARK)
		return a->mark == b->mark;
	return a->level == b->level && a->prop == b->prop && a->pa + (b->first - a->first) == b->pa;
}

/* One extent instead of two, to keep the list short. */
static void try_merge(struct flatmap *m, size_t i)
{
	if (i + 1 >= m->n || !continues(&m->extents[i], &m->extents[i + 1]))
		return;
	m->extents[i].last = m->extents[i + 1].last;
	memmove(&m->extents[i + 1], &m->extents[i + 2], (m->n - i - 2) * sizeof(*m->extents));
	m->n--;
}

static void merge_around(struct flatmap *m, pt_va_t first, pt_va_t last)
{
	size_t i = flat_lower(m, first);

	if (i)
		i--;
	while (i + 1 < m->n && m->extents[i].first <= last) {
		size_t n = m->n;

		try_merge(m, i);
		i += n == m->n;
	}
}

void flat_insert(struct flatmap *m, const struct extent *e)
{
	insert_at(m, flat_lower(m, e->first), *e);
	merge_around(m, e->first, e->last);
}

void flat_protect(struct flatmap *m, pt_va_t first, pt_va_t last, pt_prop_t set, pt_prop_t clear)
{
	size_t i;

	flat_cut_range(m, first, last);
	for (i = flat_lower(m, first); i < m->n && m->extents[i].first <= last; i++)
		if (m->extents[i].kind == PT_KIND_LEAF)
			m->extents[i].prop = (m->extents[i].prop & ~clear) | set;
	merge_around(m, first, last);
}

void flat_protect_leaf(struct flatmap *m, pt_va_t va, pt_prop_t set, pt_prop_t clear)
{
	struct extent *e = isolate_leaf(m, va);

	e->prop = (e->prop & ~clear) | set;
	merge_around(m, e->first, e->last);
}

unsigned flat_largest(const struct flatmap *m, pt_va_t va, pt_pa_t pa, uint64_t pages,
		      unsigned max_level)
{
	unsigned level;

	for (level = max_level; level > 1; level--) {
		uint64_t size = pt_page_size(m->format, level);

		if ((m->format->leaf_levels >> level & 1) && !((va | pa) & (size - 1)) &&
		    size >> m->format->page_shift <= pages)
			break;
	}
	return level;
}

void flat_map(struct flatmap *m, pt_va_t first, pt_va_t last, pt_pa_t pa, pt_prop_t prop,
	      unsigned max_level)
{
	uint64_t pages = ((last - first) >> m->format->page_shift) + 1;

	while (pages) {
		unsigned level = flat_largest(m, first, pa, pages, max_level);
		uint64_t size = pt_page_size(m->format, level);
		struct extent e = {
			.first = first,
			.last = first + (size - 1),
			.kind = PT_KIND_LEAF,
			.level = level,
			.pa = pa,
			.prop = prop,
		};

		flat_insert(m, &e);
		first += size;
		pa += size;
		pages -= size >> m->format->page_shift;
	}
}

#define USED (PT_ACCESSED | PT_DIRTY)

/* One leaf of @level for the block at @va, if it can be. */
static bool merge_block(struct flatmap *m, pt_va_t va, unsigned level)
{
	const uint64_t size = pt_page_size(m->format, level);
	size_t i = flat_lower(m, va);
	struct extent huge = tail_of(&m->extents[i], va);
	pt_va_t at = va;

	if (huge.pa & (size - 1))
		return false;
	for (;; i++) {
		const struct extent *e = &m->extents[i];

		if (i == m->n || e->first > at || e->kind != PT_KIND_LEAF ||
		    e->level != level - 1 || ((e->prop ^ huge.prop) & ~USED) ||
		    e->pa + (at - e->first) != huge.pa + (at - va))
			return false;
		huge.prop |= e->prop & USED;
		if (e->last - va >= size - 1)
			break;
		at = e->last + 1;
	}
	huge.last = va + (size - 1);
	huge.level = level;
	flat_clear(m, va, huge.last);
	flat_insert(m, &huge);
	return true;
}

uint64_t flat_merge(struct flatmap *m, pt_va_t first, pt_va_t last, unsigned max_level)
{
	uint64_t merged = 0;
	unsigned level;

	for (level = 2; level <= max_level; level++) {
		const uint64_t size = pt_page_size(m->format, level);
		pt_va_t va = first;

		if (!(m->format->leaf_levels >> level & 1))
			continue;
		while (flat_next(m, va, last, &va)) {
			pt_va_t block = va & ~(size - 1), end = block + (size - 1);
			const struct extent *e = flat_at(m, va);

			if (e->level != level - 1)
				end = e->last;
			else if (block >= first && end <= last)
				merged += merge_block(m, block, level);
			if (end >= last)
				break;
			va = end + 1;
		}
	}
	return merged;
}

void flat_mark(struct flatmap *m, pt_va_t first, pt_va_t last, uint64_t mark)
{
	struct extent e = {
		.first = first,
		.last = last,
		.kind = PT_KIND_MARK,
		.mark = mark,
	};

	flat_clear(m, first, last);
	flat_insert(m, &e);
}
