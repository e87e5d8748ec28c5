/* SPDX-License-Identifier: MIT */
/*
 * What threads did, in memory of a fixed size: each writes to a part of its own. When all have
 * stopped, the operations are put together by page, judged, and the memory is used again.
 */
#ifndef HISTORY_LOG_H
#define HISTORY_LOG_H

#include "clock.h"
#include "operation.h"

/* One call on a range. Page first + i has the value value + i * step (and before + i * step). */
struct record {
	uint64_t call, ret;
	uint64_t value, before;
	uint32_t first, pages;
	uint16_t step; /* frames follow one another, marks do not */
	uint8_t kind, name;
};

struct log_part {
	struct record *records;
	size_t n, room;
	uint64_t operations; /* pages of the records */
} __attribute__((aligned(64)));

struct log {
	struct history_clock clock;
	unsigned threads;
	uint32_t pages;
	struct log_part *parts;
	struct operation *ops; /* by page; of one page by thread */
	size_t ops_room;
	size_t *starts; /* of each page, and the end */
};

/*
 * @threads: their numbers are below it. @records: of each thread. Return: NULL: no memory.
 */
struct log *log_create(unsigned threads, uint32_t pages, size_t records, enum clock_mode mode);
void log_destroy(struct log *log);

/* Before a call. */
static inline uint64_t log_call(struct log *log)
{
	return clock_call(&log->clock);
}

/* After a call. */
static inline uint64_t log_return(struct log *log)
{
	return clock_return(&log->clock);
}

/* Can @thread log @records more? Else it must wait until the log has been emptied. */
static inline bool log_has_room(const struct log *log, unsigned thread, size_t records)
{
	const struct log_part *p = &log->parts[thread];

	return p->room - p->n >= records;
}

/* There is room. */
static inline void log_add(struct log *log, unsigned thread, const struct record *record)
{
	struct log_part *p = &log->parts[thread];

	p->records[p->n++] = *record;
	p->operations += record->pages;
}

/* ---- while nobody logs ---- */

/* Operations logged since the log was emptied. */
uint64_t log_operations(const struct log *log);

/* Put the operations together by page. Return: 0; -ENOMEM. */
int log_group(struct log *log);

/* Those of one page, after log_group(): of each thread together and in its order. */
static inline const struct operation *log_page(const struct log *log, uint32_t page, size_t *ret_n)
{
	*ret_n = log->starts[page + 1] - log->starts[page];
	return log->ops + log->starts[page];
}

void log_empty(struct log *log);

#endif
