/* SPDX-License-Identifier: MIT */
/*
 * What a page holds, in one word: frame and properties of a leaf, or a mark, or nothing. Accessed and
 * dirty bits are kept apart, because hardware changes them: see frames.h.
 */
#ifndef RUN_VALUE_H
#define RUN_VALUE_H

#include <pagetree.h>

typedef uint64_t value_t;

#define VALUE_EMPTY UINT64_C(0)
#define VALUE_PROPS (PT_READ | PT_WRITE | PT_USER | PT_EXEC | PT_SOFT0 | PT_SOFT1)
#define VALUE_MARK UINT64_C(0x10) /* no property has this bit */
#define VALUE_SHIFT 12
/* What a CPU keeps of it. Software bits may change without a flush. */
#define VALUE_CACHED (~(value_t)0xfff | PT_WRITE)

static inline value_t value_leaf(pt_pa_t pa, pt_prop_t prop)
{
	return (pa >> 12 << VALUE_SHIFT) | (prop & VALUE_PROPS);
}

static inline value_t value_mark(uint64_t mark)
{
	return mark << VALUE_SHIFT | VALUE_MARK;
}

static inline bool value_is_leaf(value_t value)
{
	return value & PT_READ;
}

static inline pt_pa_t value_pa(value_t value)
{
	return value >> VALUE_SHIFT << 12;
}

/* Of the page at @va, which @m covers. */
static inline value_t value_of(const struct pt_mapping *m, pt_va_t va)
{
	if (m->kind == PT_KIND_LEAF)
		return value_leaf(m->item.pa + (va - m->va), m->item.prop);
	return m->kind == PT_KIND_MARK ? value_mark(m->mark) : VALUE_EMPTY;
}

#define VALUE_TEXT 96

/* In words. Returns `text`. */
const char *value_text(char text[VALUE_TEXT], value_t value);

#endif
