/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "fields.h"
#include "reader.h"
#include "xalloc.h"

#define COLUMNS "t_ns as tid op addr len arg"

static struct trace_space *append_space(struct reader *r)
{
	struct trace *t = r->t;

	t->spaces = xgrow(t->spaces, t->nr_spaces, &r->room_spaces, sizeof(*t->spaces));
	t->spaces[t->nr_spaces] = (struct trace_space){0};
	return &t->spaces[t->nr_spaces++];
}

static int read_end_state(struct reader *r, const char *value)
{
	struct trace_space s = {.listed = true, .end_line = r->line};
	uint64_t as;

	if (!field_after(&value, "as=", FIELD_DECIMAL, &as) || !field_word(&value, " state="))
		return reader_refuse(r, "end_state must begin with as=A state=exit|live, not '%s'",
				     value);
	s.exits = field_word(&value, "exit");
	if (!s.exits && !field_word(&value, "live"))
		return reader_refuse(r, "state must be exit or live, not '%s'", value);
	if (!field_after(&value, " pages=", FIELD_DECIMAL, &s.pages) ||
	    !field_after(&value, " maxpages=", FIELD_DECIMAL, &s.max_pages) ||
	    !field_after(&value, " fnv1a=", FIELD_HEX, &s.checksum) || *value)
		return reader_refuse(r, "expected ' pages=P maxpages=M fnv1a=HEX' at '%s'", value);
	if (as != r->nr_listed + 1ull)
		return reader_refuse(
			r, "end_state of as %" PRIu64 " where that of as %" PRIu32 " is due", as,
			r->nr_listed + 1);
	r->nr_listed++;
	*append_space(r) = s;
	return 0;
}

int reader_header(struct reader *r, const char *line)
{
	uint64_t n;

	if (r->t->nr_events > 0)
		return reader_refuse(r, "header line behind the first event: '%s'", line);
	if (r->line == 1) {
		if (strcmp(line, "# ptt 1") == 0)
			return 0;
		return reader_refuse(r, "the first line must be '# ptt 1', not '%s'", line);
	}
	if (field_word(&line, "# page_size: ")) {
		r->have_page_size = true;
		if (!field_number(line, FIELD_DECIMAL, &n) || n != TRACE_PAGE)
			return reader_refuse(r, "page_size must be %llu, not '%s'", TRACE_PAGE,
					     line);
	} else if (field_word(&line, "# columns: ")) {
		r->have_columns = true;
		if (strcmp(line, COLUMNS) != 0)
			return reader_refuse(r, "columns must be '" COLUMNS "', not '%s'", line);
	} else if (field_word(&line, "# events: ")) {
		r->have_events = true;
		if (!field_number(line, FIELD_DECIMAL, &r->want_events) ||
		    r->want_events >= UINT32_MAX)
			return reader_refuse(r, "events must be a number below 2^32 - 1, not '%s'",
					     line);
	} else if (field_word(&line, "# end_state: ")) {
		return read_end_state(r, line);
	}
	return 0;
}

int reader_header_end(struct reader *r)
{
	if (r->line == 0)
		return reader_refuse(r, "the file is empty");
	if (!r->have_page_size)
		return reader_refuse(r, "the header has no page_size line");
	if (!r->have_columns)
		return reader_refuse(r, "the header has no columns line");
	if (!r->have_events)
		return reader_refuse(r, "the header has no events line");
	if (r->nr_listed == 0)
		return reader_refuse(
			r, "the header has no end_state lines: what a replay ends in could "
			   "not be compared with anything");
	return 0;
}
