/* SPDX-License-Identifier: MIT */
/* A program: calls on two tables, with all their arguments; and what each of them returned. */
#ifndef DIFFERENTIAL_CALL_H
#define DIFFERENTIAL_CALL_H

#include <stdio.h>

#include "pagetree.h"

#define MAX_THREADS 8
#define MAX_CALLS 4096 /* of a program */
#define NR_TABLES 2

enum call_kind {
	CALL_MAP,
	CALL_UNMAP,
	CALL_PROTECT,
	CALL_MARK,
	CALL_PRUNE,
	CALL_MERGE,
	CALL_HARVEST,
	CALL_CLONE, /* from the first table into the second one */
	CALL_QUERY,
	CALL_QUERY_GET,
	CALL_WALK,
	CALL_ACCESS,
	CALL_BEGIN,
	CALL_TRY_BEGIN,
	/* of the cursor, if one is open; all others end it first */
	CALL_CURSOR_QUERY,
	CALL_CURSOR_FIND,
	CALL_CURSOR_JUMP,
	CALL_CURSOR_MAP,
	CALL_CURSOR_TAKE,
	CALL_CURSOR_PROTECT,
	CALL_CURSOR_MARK,
	CALL_END,
	CALL_KINDS,
};

struct call {
	enum call_kind kind;
	unsigned thread, table;
	pt_va_t va;
	uint64_t len;
	pt_pa_t pa;
	pt_prop_t set, clear; /* of a map, `set` is all */
	uint64_t mark;
	unsigned level; /* the highest, or top */
	enum pt_mode mode;
	enum pt_access access;
	bool user, gather;
	bool foreign;   /* meets other threads' pages: changes no page, and what it finds is open */
	uint64_t nodes; /* it may take; UINT64_MAX: no limit */
};

struct program {
	const struct pt_format_info *format;
	unsigned threads;
	size_t n;
	struct call calls[MAX_CALLS];
};

/* All that a call tells. */
struct result {
	bool made; /* false: of a cursor, and none was open */
	int rc;
	uint64_t first, second; /* its ret_ arguments, or where the cursor stands */
	uint64_t digest;        /* of what was found, and of the leaves it reported */
};

static inline bool result_equal(const struct result *a, const struct result *b)
{
	return a->made == b->made && a->rc == b->rc && a->first == b->first &&
	       a->second == b->second && a->digest == b->digest;
}

/* One line, without its end. */
void call_print(FILE *out, const struct call *call);
void result_print(FILE *out, const struct result *result);

#endif
