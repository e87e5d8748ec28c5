/* SPDX-License-Identifier: MIT */
/* Opening, moving and closing a cursor. */
#ifndef PT_OPS_CURSOR_H
#define PT_OPS_CURSOR_H

#include "ops_protect.h"

static inline int check_begin(const struct pt_table *t, pt_va_t va, uint64_t len, enum pt_mode mode,
			      unsigned top, pt_va_t *ret_last)
{
	int rc = check_range(t, va, len, ret_last);

	if (!rc && (top < 1 || top > FMT_LEVELS ||
		    (mode != PT_READ_ONLY && mode != PT_CHANGE && mode != PT_BUILD)))
		rc = -EINVAL;
	return rc;
}

static int op_cursor_begin(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			   enum pt_mode mode, unsigned top, struct pt_cursor *storage)
{
	pt_va_t last;
	int rc = check_begin(t, va, len, mode, top, &last);

	return rc ? rc : range_open((struct cursor *)storage, self, t, va, last, mode, top);
}

static int op_cursor_try_begin(struct pt_thread *self, struct pt_table *t, pt_va_t va, uint64_t len,
			       enum pt_mode mode, unsigned top, struct pt_cursor *storage)
{
	pt_va_t last;
	int rc = check_begin(t, va, len, mode, top, &last);

	return rc ? rc : range_try_open((struct cursor *)storage, self, t, va, last, mode, top);
}

static void op_cursor_end(struct pt_cursor *storage)
{
	range_close((struct cursor *)storage);
}

static int op_cursor_jump(struct pt_cursor *storage, pt_va_t va)
{
	struct cursor *c = (struct cursor *)storage;

	if (va & PAGE_MASK)
		return -EINVAL;
	if (va < c->first || va > c->last)
		return -ERANGE;
	c->va = va;
	return 0;
}

#endif
