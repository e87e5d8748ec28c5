/* SPDX-License-Identifier: MIT */
/*
 * Compare a table with the trace, twice: number and checksum of its pages with the end_state line,
 * as any reader of the trace would compute them, and each page with the script, which also knows
 * what it maps to and with which permissions.
 */
#include <inttypes.h>
#include <stdio.h>

#include "worker.h"

/* What was found in a table. */
struct findings {
	uint64_t pages, checksum;
	char first[160]; /* the first page that differs; empty: none */
};

static pt_prop_t permissions(const struct worker *w, pt_prop_t prop)
{
	return prop & w->run->props;
}

/* The table has a page at @va, which is where @want (NULL: nowhere) should be. */
static void compare_page(struct worker *w, struct findings *f, uint64_t va,
			 const struct pt_mapping *m, const struct script_page *want)
{
	char *text = f->first;
	size_t size = sizeof(f->first);

	if (f->first[0])
		return;
	if (want && want->va < va)
		snprintf(text, size, "page %" PRIx64 " is not there", want->va);
	else if (!want || want->va > va)
		snprintf(text, size, "page %" PRIx64 " should not be there", va);
	else if (m->kind != PT_KIND_LEAF || m->item.level != 1 || m->va != va)
		snprintf(text, size, "page %" PRIx64 " is found as kind %d of level %u at %" PRIx64,
			 va, (int)m->kind, m->item.level, m->va);
	else if (m->item.pa != frame_of(w, want->fault))
		snprintf(text, size, "page %" PRIx64 " maps to %" PRIx64 " instead of %" PRIx64, va,
			 m->item.pa, frame_of(w, want->fault));
	else if (permissions(w, m->item.prop) != permissions(w, want->prop))
		snprintf(text, size, "page %" PRIx64 " has properties %x instead of %x", va,
			 permissions(w, m->item.prop), permissions(w, want->prop));
}

/* Return: 0, or the error of a call that must not fail. */
static int walk_table(struct worker *w, struct pt_table *table, const struct script_space *want,
		      struct findings *f)
{
	struct pt_mapping m;
	struct pt_cursor c;
	pt_va_t va, last;
	uint64_t len;
	int rc;

	pt_table_range(table, &va, &last);
	len = last - va + 1;
	rc = pt_cursor_begin(w->self, table, va, len, PT_READ_ONLY, 1, &c);
	if (rc)
		return rc;
	while (len > 0) {
		const struct script_page *page = NULL;
		pt_va_t at;

		rc = pt_cursor_find_next(&c, len, &at);
		if (rc == 0)
			rc = pt_cursor_query(&c, &m);
		if (rc)
			break;
		if (f->pages < want->nr_pages)
			page = &want->pages[f->pages];
		compare_page(w, f, at, &m, page);
		f->pages++;
		f->checksum = trace_checksum(f->checksum, at);
		len -= at + TRACE_PAGE - va;
		va = at + TRACE_PAGE;
		if (len > 0)
			rc = pt_cursor_jump(&c, va);
		if (rc)
			break;
	}
	pt_cursor_end(&c);
	if (f->pages < want->nr_pages && !f->first[0])
		snprintf(f->first, sizeof(f->first), "page %" PRIx64 " is not there",
			 want->pages[f->pages].va);
	return rc == -ENOENT ? 0 : rc;
}

void verify_space(struct worker *w, uint32_t space)
{
	const struct trace_space *says = &w->run->trace->spaces[space];
	const struct script_space *want = &w->run->config->script->spaces[space];
	struct findings f = {.checksum = TRACE_CHECKSUM_BASIS};
	struct pt_check_report report;
	struct pt_table *table = w->tables[space];
	int rc = walk_table(w, table, want, &f);

	if (rc)
		return run_fail(w->run, RUN_VIOLATION,
				"as %" PRIu32 ": walking its table failed: %s", space + 1,
				run_error_name(rc));
	if (f.pages != says->pages || f.checksum != says->checksum || f.first[0])
		return run_fail(w->run, RUN_VIOLATION,
				"as %" PRIu32 " ends with pages=%" PRIu64 " fnv1a=%016" PRIx64
				" instead of pages=%" PRIu64 " fnv1a=%016" PRIx64 "%s%s",
				space + 1, f.pages, f.checksum, says->pages, says->checksum,
				f.first[0] ? ": " : "", f.first);
	rc = pt_check(w->self, table, &report);
	if (rc)
		return run_fail(w->run, RUN_VIOLATION, "as %" PRIu32 ": pt_check returned %s",
				space + 1, run_error_name(rc));
	if (report.violation)
		return run_fail(w->run, RUN_VIOLATION,
				"as %" PRIu32 ": wrong shape: %s at %" PRIx64 ", level %u",
				space + 1, report.violation, report.va, report.level);
}
