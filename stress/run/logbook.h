/* SPDX-License-Identifier: MIT */
/*
 * Histories of a phase: what threads saw in pages, and made of them, with the time of each call. When
 * all stand still they are judged, and the next phase begins an empty one.
 *
 * Where there are only cursors, each value has a number, by which sweep.h judges, and each change is
 * known to have seen the value before. Where there are calls without cursor, too, properties are left
 * out, and what is left are frames, marks and emptiness, without numbers.
 */
#ifndef RUN_LOGBOOK_H
#define RUN_LOGBOOK_H

#include "history/log.h"
#include "worker.h"

/* Pages that the writes of one operation may have, at most: see logbook_has_room(). */
#define LOGBOOK_LEAST 10000u

struct logbook {
	struct log *log;
	struct space *space;
	bool numbered;       /* in this phase there are only cursors */
	value_t *first;      /* of each page, when the phase began, */
	uint64_t *number;    /* and its number */
	size_t room;         /* that an operation needs */
	uint64_t operations; /* judged so far */
	uint64_t gave_up;    /* pages of a phase that were too much for a judge */
	struct judges *judges;
};

/* @records: of each thread. Return: 0; -ENOMEM. */
int logbook_create(struct logbook *b, struct space *space, unsigned threads, size_t records,
		   enum clock_mode mode);
void logbook_destroy(struct logbook *b);

/* Pages are settled, and nobody runs. */
void logbook_open(struct logbook *b, bool numbered);
/* Nobody runs. */
void logbook_judge(struct logbook *b);

static inline bool logbook_has_room(struct worker *w)
{
	struct logbook *b = w->arena->logbook;

	return !b || log_has_room(b->log, w->index, b->room);
}

/* Before a call. */
static inline uint64_t logbook_call(struct worker *w)
{
	struct logbook *b = w->arena->logbook;

	return b ? log_call(b->log) : 0;
}

/* After a look at page @i. */
static inline void logbook_saw(struct worker *w, uint32_t i, value_t value, uint64_t call)
{
	struct logbook *b = w->arena->logbook;

	if (b)
		log_add(b->log, w->index,
			&(struct record){.call = call,
					 .ret = log_return(b->log),
					 .value = value,
					 .first = i,
					 .pages = 1,
					 .kind = HISTORY_READ,
					 .name = w->op.kind});
}

/*
 * A call that changes pages: logbook_call(), for each page logbook_makes(), the call, and
 * logbook_made(), unless it has changed nothing. @number: of the value, or 0.
 */
void logbook_makes(struct worker *w, uint32_t i, value_t value, uint64_t number, uint64_t call,
		   enum op_kind kind);
void logbook_made(struct worker *w);

#endif
