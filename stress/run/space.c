/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "say.h"
#include "space.h"
#include "units.h"

#define WIDE_BLOCKS 64u
#define HOT_DEFAULT 16u
#define HOT_PER_BLOCK 4u
#define HOT_MOST 64u

const char *value_text(char text[VALUE_TEXT], value_t value)
{
	if (value == VALUE_EMPTY)
		return strcpy(text, "nothing");
	if (value & VALUE_MARK)
		snprintf(text, VALUE_TEXT, "mark %" PRIu64, value >> VALUE_SHIFT);
	else
		snprintf(text, VALUE_TEXT, "frame %#" PRIx64 " (life %" PRIu64 ") %s%s%s",
			 FRAME_OF(value_pa(value)), LIFE_OF(value_pa(value)),
			 value & PT_WRITE ? "rw" : "r-", value & PT_SOFT0 ? " soft0" : "",
			 value & PT_SOFT1 ? " soft1" : "");
	return text;
}

int space_parse(const char *what, const char *text, bool *ret_wide, uint64_t *ret_hot)
{
	*ret_wide = !strcmp(text, "wide");
	*ret_hot = HOT_DEFAULT;
	if (*ret_wide || !strcmp(text, "hot"))
		return 0;
	if (strncmp(text, "hot:", 4)) {
		complain("%s: '%s' is neither wide, hot nor hot:PAGES", what, text);
		return -EINVAL;
	}
	if (parse_number(what, text + 4, HOT_PER_BLOCK, HOT_MOST, ret_hot))
		return -EINVAL;
	if (*ret_hot % HOT_PER_BLOCK) {
		complain("%s: %s is not a multiple of %u", what, text + 4, HOT_PER_BLOCK);
		return -EINVAL;
	}
	return 0;
}

static void add_page(struct space *s, uint32_t block, uint32_t at, uint32_t pages)
{
	struct page *p = &s->pages[s->nr_pages++];

	p->va = s->base + block * s->block_bytes + at * s->page_bytes;
	p->pages = pages;
	p->block = block;
}

/* A block's pages: all of them, or two at each edge and the rest as one. */
static void add_block(struct space *s, uint32_t block, bool wide)
{
	const uint32_t edge = HOT_PER_BLOCK / 2, n = s->block_pages;

	s->first[block] = s->nr_pages;
	if (wide || n <= HOT_PER_BLOCK) {
		for (uint32_t i = 0; i < n; i++)
			add_page(s, block, i, 1);
		return;
	}
	for (uint32_t i = 0; i < edge; i++)
		add_page(s, block, i, 1);
	add_page(s, block, edge, n - 2 * edge);
	for (uint32_t i = n - edge; i < n; i++)
		add_page(s, block, i, 1);
}

int space_create(const struct pt_format_info *format, const char *text, struct space *ret)
{
	struct space s = {.format = format, .page_bytes = pt_page_size(format, 1)};
	uint64_t blocks, hot, all;
	bool wide;

	if (space_parse("--pages", text, &wide, &hot))
		return -EINVAL;
	s.block_bytes = pt_page_size(format, 2);
	s.block_pages = (uint32_t)(s.block_bytes / s.page_bytes);
	s.outer_bytes = s.block_bytes * s.block_pages;
	/* The first half of what addresses there are, so that it is the same for all formats. */
	all = (UINT64_C(1) << (format->va_bits - format->sign_extended)) / s.block_bytes;
	blocks = wide ? WIDE_BLOCKS : hot / HOT_PER_BLOCK;
	if (blocks > all)
		blocks = all;
	s.nr_blocks = (uint32_t)blocks;
	/* On both sides of a boundary of level 3, if there is more than one entry of it. */
	s.base = (all / 2 - blocks / 2) * s.block_bytes;
	s.first = calloc(blocks + 1, sizeof(*s.first));
	s.pages = aligned_alloc(64, blocks * s.block_pages * ((sizeof(*s.pages) + 63) & ~63ul));
	if (!s.first || !s.pages) {
		space_destroy(&s);
		return -ENOMEM;
	}
	for (uint32_t b = 0; b < blocks; b++)
		add_block(&s, b, wide);
	s.first[blocks] = s.nr_pages;
	space_clear(&s);
	*ret = s;
	return 0;
}

void space_destroy(struct space *s)
{
	free(s->first);
	free(s->pages);
}

void space_clear(struct space *s)
{
	for (uint32_t i = 0; i < s->nr_pages; i++) {
		struct page *p = &s->pages[i];

		memset((char *)p + offsetof(struct page, begun), 0,
		       sizeof(*p) - offsetof(struct page, begun));
	}
}

static bool matches(value_t held, value_t found, bool cached)
{
	if (!cached)
		return held == found;
	return value_is_leaf(held) && !((held ^ found) & VALUE_CACHED & ~(value_t)PT_WRITE) &&
	       (!(found & PT_WRITE) || (held & PT_WRITE));
}

enum window_result window_judge(struct page *p, const struct window *w, value_t value, bool cached)
{
	uint64_t last = load64(&p->begun);

	if (load64(&p->shots_begun) != w->settled || last - w->first >= RING)
		return WINDOW_UNKNOWN;
	for (uint64_t at = w->first; at <= last; at++)
		if (matches(load64(&p->ring[at % RING]), value, cached))
			return WINDOW_RIGHT;
	/* A writer may have been faster than the loop. */
	if (load64(&p->begun) + 1 - w->first >= RING || load64(&p->shots_begun) != w->settled)
		return WINDOW_UNKNOWN;
	return WINDOW_WRONG;
}
