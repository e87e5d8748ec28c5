/* SPDX-License-Identifier: MIT */
/*
 * One operation of a thread, as oracles, reports and histories see it. Whatever is done to the table
 * happens between op_begin() and op_end(), and there is no other place.
 */
#ifndef RUN_OP_H
#define RUN_OP_H

#include "space.h"

enum op_kind {
	OP_NONE,
	/* looking at a page */
	OP_QUERY,
	OP_QUERY_GET,
	OP_WALK,
	OP_ACCESS,
	OP_READ,  /* by the hardware, */
	OP_WRITE, /* through its caches */
	/* a cursor over pages, and what is done with it */
	OP_CURSOR,
	/* shots: calls on pages without a cursor */
	OP_MAP,
	OP_UNMAP,
	OP_PROTECT,
	OP_MARK,
	OP_MERGE,
	OP_PRUNE,
	OP_HARVEST,
	OP_RECLAIM,
	OP_KINDS,
};

struct op {
	enum op_kind kind;
	const char *step;          /* of a cursor: what it is doing */
	uint32_t from, to;         /* pages, `to` inclusive */
	uint64_t number;           /* of the thread */
	int rc;                    /* what the call returned, and */
	value_t value;             /* OP_QUERY..OP_ACCESS: what it found */
	struct window window;      /* before it */
	enum window_result judged; /* after it */
};

extern const char *const op_names[OP_KINDS];

#endif
