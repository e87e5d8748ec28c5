/* SPDX-License-Identifier: MIT */
/*
 * What a trace asks of page tables. The mappings of a program are not page-table state, so they are
 * followed here, once and in file order: workers then make page-table calls only, and what each
 * space must end in is known page by page, independently of any page table.
 */
#ifndef REPLAY_SCRIPT_H
#define REPLAY_SCRIPT_H

#include <pagetree.h>

#include "trace.h"

enum call_kind {
	CALL_NONE,    /* nothing to do for a page table */
	CALL_MAP,     /* the page was not resident */
	CALL_PROTECT, /* also a fault on a resident page: its permissions grow */
	CALL_UNMAP,
	CALL_MOVE,
	CALL_FORK,   /* new table, a copy of all resident pages */
	CALL_CREATE, /* new, empty table */
	CALL_NR,
};

struct script_call {
	enum call_kind kind;
	pt_prop_t set;   /* CALL_MAP: the properties */
	pt_prop_t clear; /* CALL_PROTECT */
};

/* A page that is resident at the end, `fault` being the event that brought it in. */
struct script_page {
	uint64_t va;
	uint32_t fault;
	pt_prop_t prop;
};

struct script_space {
	struct script_page *pages; /* ascending */
	uint64_t nr_pages, max_pages, checksum;
};

struct script {
	const struct trace *trace;
	struct script_call *calls; /* one for each event */
	struct script_space *spaces;
	uint64_t nr_calls;    /* events that are not CALL_NONE */
	uint64_t max_carried; /* most pages that one fork or move takes along */
};

void script_build(const struct trace *t, struct script *ret);
void script_free(struct script *s);

/*
 * Do the events lead to the state that the header of the trace promises?
 * Return: 0, or -1 with *@error filled in.
 */
int script_check(const struct script *s, struct trace_error *error);

#endif
