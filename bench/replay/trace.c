/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "source.h"
#include "xalloc.h"

uint64_t trace_checksum(uint64_t checksum, uint64_t va)
{
	for (unsigned i = 0; i < 8; i++)
		checksum = (checksum ^ (va >> (8 * i) & 255)) * 0x100000001b3ull;
	return checksum;
}

int reader_refuse(struct reader *r, const char *format, ...)
{
	size_t size = sizeof(r->error->text);
	int n;
	va_list args;

	if (r->line)
		n = snprintf(r->error->text, size, "%s:%" PRIu32 ": ", r->t->path, r->line);
	else
		n = snprintf(r->error->text, size, "%s: ", r->t->path);
	if (n < 0 || (size_t)n >= size)
		return -1;
	va_start(args, format);
	vsnprintf(r->error->text + n, size - (size_t)n, format, args);
	va_end(args);
	/* A hostile file must not reach the terminal with control characters. */
	for (char *c = r->error->text; *c; c++) {
		if (!isprint((unsigned char)*c))
			*c = '?';
	}
	return -1;
}

static int check_end(struct reader *r)
{
	struct trace *t = r->t;

	if (t->nr_events != r->want_events)
		return reader_refuse(r, "cut short: %" PRIu32 " events, the header says %" PRIu64,
				     t->nr_events, r->want_events);
	r->line = 0;
	if (r->nr_seen < r->nr_listed)
		return reader_refuse(r,
				     "the header has an end_state line for as %" PRIu32
				     ", which no event names",
				     r->nr_seen + 1);
	for (uint32_t i = 0; i < t->nr_spaces; i++) {
		r->line = t->spaces[i].end_line;
		if (t->spaces[i].exits != t->spaces[i].gone)
			return reader_refuse(
				r, "end_state says that as %" PRIu32 " %s, the events do not",
				i + 1, t->spaces[i].exits ? "exits" : "stays live");
	}
	return 0;
}

static int read_lines(struct reader *r, struct source *source)
{
	struct source_error error;
	bool in_events = false;
	char *line;
	int more;

	while ((more = source_line(source, &line, &error)) > 0) {
		r->line++;
		if (line[0] == '#' || r->line == 1) {
			if (reader_header(r, line))
				return -1;
			continue;
		}
		if (!in_events && reader_header_end(r))
			return -1;
		in_events = true;
		if (reader_event(r, line))
			return -1;
	}
	if (more < 0) {
		r->line++;
		return reader_refuse(r, "%s", error.text);
	}
	if (!in_events && reader_header_end(r))
		return -1;
	return check_end(r);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Recorded thread numbers have gaps; number those that have events from 0. */
static void number_threads(struct trace *t)
{
	uint32_t *ids = xcalloc(t->nr_events, sizeof(*ids));
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->nr_events; i++)
		ids[i] = t->events[i].thread;
	qsort(ids, t->nr_events, sizeof(*ids), compare_u32);
	for (uint32_t i = 0; i < t->nr_events; i++) {
		if (n == 0 || ids[n - 1] != ids[i])
			ids[n++] = ids[i];
	}
	for (uint32_t i = 0; i < t->nr_events; i++) {
		uint32_t *found = bsearch(&t->events[i].thread, ids, n, sizeof(*ids), compare_u32);

		t->events[i].thread = (uint32_t)(found - ids);
	}
	t->nr_threads = n;
	free(ids);
}

static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = must(strdup(slash ? slash + 1 : path));
	static const char *const suffixes[] = {".zst", ".ptt"};

	for (unsigned i = 0; i < 2; i++) {
		size_t len = strlen(name), cut = strlen(suffixes[i]);

		if (len > cut && strcmp(name + len - cut, suffixes[i]) == 0)
			name[len - cut] = '\0';
	}
	return name;
}

int trace_read(const char *path, struct trace *ret, struct trace_error *error)
{
	struct source_error source_error;
	struct source *source = source_open(path, &source_error);
	struct trace t = {.path = must(strdup(path)), .name = base_name(path)};
	struct reader r = {.t = &t, .error = error};
	int rc;

	rc = source ? read_lines(&r, source) : reader_refuse(&r, "%s", source_error.text);
	source_close(source);
	if (rc) {
		trace_free(&t);
		return rc;
	}
	number_threads(&t);
	*ret = t;
	return 0;
}

void trace_free(struct trace *t)
{
	free(t->path);
	free(t->name);
	free(t->events);
	free(t->spaces);
	*t = (struct trace){0};
}
