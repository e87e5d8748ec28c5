/* SPDX-License-Identifier: MIT */
/* A trace while it is being read: shared by the files that read its header and its events. */
#ifndef REPLAY_READER_H
#define REPLAY_READER_H

#include "trace.h"

struct reader {
	struct trace *t;
	struct trace_error *error;
	uint32_t line;
	size_t room_events, room_spaces;
	bool have_page_size, have_columns, have_events;
	uint64_t want_events;
	uint32_t nr_listed; /* end_state lines: spaces that may occur */
	uint32_t nr_seen;   /* spaces that have occurred */
};

/* Say why the file is refused; return -1. */
__attribute__((format(printf, 2, 3))) int reader_refuse(struct reader *r, const char *format, ...);

/* One line each; they take it apart. */
int reader_header(struct reader *r, const char *line);
int reader_event(struct reader *r, char *line);

/* Is the header complete, behind its last line? */
int reader_header_end(struct reader *r);

#endif
