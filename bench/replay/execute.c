/* SPDX-License-Identifier: MIT */
/*
 * One event, as page-table calls. No two conflicting events run at once (plan.h), so no call here
 * may find anything but what the script says: any error is a violation, memory aside.
 */
#include <inttypes.h>

#include "worker.h"

static void fail_call(struct worker *w, const struct trace_event *e, const char *call, int rc)
{
	enum run_status status = rc == -ENOMEM ? RUN_NO_RESOURCES : RUN_VIOLATION;

	run_fail(w->run, status,
		 "%s:%" PRIu32 ": %s of as %" PRIu32 " at %" PRIx64 ": %s returned %s",
		 w->run->trace->path, e->line, trace_op_name(e->op), e->space + 1, e->va, call,
		 run_error_name(rc));
}

static int carry(struct worker *w, uint64_t va, const struct pt_item *item)
{
	if (w->nr_carried == w->run->config->script->max_carried) {
		w->overflow = true;
		return -EOVERFLOW;
	}
	w->carried[w->nr_carried++] = (struct carried){va, item->pa, item->prop};
	return 0;
}

/* Map what is carried, @by further up, through one cursor on [va, va + len). */
static int put_down(struct worker *w, struct pt_table *table, uint64_t va, uint64_t len,
		    uint64_t by)
{
	struct pt_cursor c;
	int rc;

	if (w->nr_carried == 0)
		return 0;
	rc = pt_cursor_begin(w->self, table, va, len, PT_BUILD, 1, &c);
	if (rc)
		return rc;
	for (uint64_t i = 0; i < w->nr_carried && rc == 0; i++) {
		struct pt_item item = {w->carried[i].pa, w->carried[i].prop, 1};

		rc = pt_cursor_jump(&c, w->carried[i].va + by);
		if (rc == 0)
			rc = pt_cursor_map(&c, &item);
	}
	pt_cursor_end(&c);
	return rc;
}

/* Copy all pages of @table to where they are carried. */
static int pick_up_copies(struct worker *w, struct pt_table *table, uint64_t va, uint64_t len)
{
	struct pt_mapping m;
	struct pt_cursor c;
	uint64_t at;
	int rc;

	w->nr_carried = 0;
	rc = pt_cursor_begin(w->self, table, va, len, PT_READ_ONLY, 1, &c);
	if (rc)
		return rc;
	while (len > 0) {
		rc = pt_cursor_find_next(&c, len, &at);
		if (rc)
			break;
		rc = pt_cursor_query(&c, &m);
		if (rc == 0)
			rc = carry(w, at, &m.item);
		if (rc)
			break;
		len -= at + TRACE_PAGE - va;
		va = at + TRACE_PAGE;
		if (len > 0)
			rc = pt_cursor_jump(&c, va);
		if (rc)
			break;
	}
	pt_cursor_end(&c);
	return rc == -ENOENT ? 0 : rc;
}

static void execute_fork(struct worker *w, const struct trace_event *e)
{
	struct pt_table **child = &w->tables[e->arg];
	pt_va_t first, last;
	int rc = pt_table_create(w->self, &w->run->table, child);

	if (rc)
		return fail_call(w, e, "pt_table_create", rc);
	pt_table_range(w->tables[e->space], &first, &last);
	rc = pick_up_copies(w, w->tables[e->space], first, last - first + 1);
	if (rc)
		return fail_call(w, e, "reading the parent", rc);
	rc = put_down(w, *child, first, last - first + 1, 0);
	if (rc)
		return fail_call(w, e, "filling the child", rc);
}

struct moving {
	struct worker *w;
	uint64_t end; /* pages from here on do not fit the new range */
};

static void pick_up_removed(void *ctx, pt_va_t va, const struct pt_item *item)
{
	struct moving *m = ctx;

	/* What does not fit shows in m->w->overflow. */
	if (va < m->end)
		(void)carry(m->w, va, item);
}

static void execute_move(struct worker *w, const struct trace_event *e)
{
	struct pt_table *table = w->tables[e->space];
	struct moving m = {w, e->va + e->new_len};
	struct pt_gather gather;
	int rc;

	if (e->new_len >= e->len)
		m.end = UINT64_MAX;
	w->nr_carried = 0;
	pt_gather_init(&gather, w->self, table, pick_up_removed, &m);
	rc = pt_unmap(w->self, table, e->va, e->len, &gather, NULL);
	pt_gather_sync(&gather);
	if (rc)
		return fail_call(w, e, "pt_unmap of the old range", rc);
	rc = pt_unmap(w->self, table, e->new_va, e->new_len, NULL, NULL);
	if (rc)
		return fail_call(w, e, "pt_unmap of the new range", rc);
	rc = w->overflow ? -EOVERFLOW
			 : put_down(w, table, e->new_va, e->new_len, e->new_va - e->va);
	if (rc)
		return fail_call(w, e, "mapping the moved pages", rc);
}

void execute_event(struct worker *w, uint32_t event)
{
	const struct trace_event *e = &w->run->trace->events[event];
	const struct script_call *call = &w->run->config->script->calls[event];
	struct pt_table *table = w->tables[e->space];
	pt_prop_t props = w->run->props;
	int rc = 0;

	switch (call->kind) {
	case CALL_MAP:
		rc = pt_map(w->self, table, e->va, e->len, frame_of(w, event), call->set & props,
			    1);
		if (rc)
			fail_call(w, e, "pt_map", rc);
		break;
	case CALL_PROTECT:
		rc = pt_protect(w->self, table, e->va, e->len, call->set & props,
				call->clear & props, NULL, NULL);
		if (rc)
			fail_call(w, e, "pt_protect", rc);
		break;
	case CALL_UNMAP:
		rc = pt_unmap(w->self, table, e->va, e->len, NULL, NULL);
		if (rc)
			fail_call(w, e, "pt_unmap", rc);
		break;
	case CALL_MOVE:
		execute_move(w, e);
		break;
	case CALL_FORK:
		execute_fork(w, e);
		break;
	case CALL_CREATE:
		rc = pt_table_create(w->self, &w->run->table, &w->tables[e->arg]);
		if (rc)
			fail_call(w, e, "pt_table_create", rc);
		break;
	default:
		if (e->op == OP_EXIT)
			w->exited[w->nr_exited++] = e->space;
		break;
	}
}

void execute_start(struct worker *w, uint32_t space)
{
	int rc = pt_table_create(w->self, &w->run->table, &w->tables[space]);

	if (rc)
		run_fail(w->run, rc == -ENOMEM ? RUN_NO_RESOURCES : RUN_VIOLATION,
			 "as %" PRIu32 ": pt_table_create returned %s", space + 1,
			 run_error_name(rc));
}
