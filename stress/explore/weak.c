/* SPDX-License-Identifier: MIT */
#include "weak.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "search.h"

#define MAX_MESSAGES 32768
#define MAX_CANDIDATES 8 /* a load reads none of more than so many messages */

struct message {
	uint64_t value;
	/* For each thread from when on it, or who is ordered after it, knows of this message. */
	union clock known;
	union clock release; /* if it releases */
	uint16_t previous;   /* 0: there is none */
	bool releases;
	bool seq_cst; /* stored or read by a seq_cst operation */
	bool rmw;     /* of a read-modify-write, which read the previous one */
};

/* What lies in a cell, by the first byte of each object. Counts if `run` is this execution. */
struct place {
	uint32_t run;
	uint8_t bytes[8]; /* 0: no object begins here */
	uint16_t last[8]; /* message */
};

static struct place *places;
static struct message *messages;
static uint32_t messages_run;
static unsigned nr_messages;

int weak_setup(void)
{
	places = calloc(ARENA_CELLS, sizeof(*places));
	messages = calloc(MAX_MESSAGES, sizeof(*messages));
	return places && messages ? 0 : -ENOMEM;
}

void weak_clear(void)
{
	memset(places, 0, ARENA_CELLS * sizeof(*places));
	messages_run = 0;
}

static struct place *place_of(const struct cell *cell)
{
	return &places[cell - rt.cells];
}

static void place_clear(struct place *place)
{
	*place = (struct place){.run = rt.run};
}

void weak_forget(struct cell *cell)
{
	struct place *place = place_of(cell);

	if (place->run == rt.run)
		place_clear(place);
}

/* The object that consists of just these bytes; NULL: it has no messages. */
static uint16_t *find(struct cell *cell, uintptr_t addr, size_t bytes)
{
	struct place *place = place_of(cell);

	if (place->run != rt.run || place->bytes[addr & 7] != bytes)
		return NULL;
	return &place->last[addr & 7];
}

static struct message *add_message(uint16_t *last, uint64_t value)
{
	struct message *m;

	if (messages_run != rt.run) {
		messages_run = rt.run;
		nr_messages = 1; /* 0 stands for none */
	}
	if (nr_messages == MAX_MESSAGES)
		rt_fail("-", "more than %d atomic stores in one execution", MAX_MESSAGES);
	m = &messages[nr_messages];
	*m = (struct message){.value = value, .previous = *last};
	for (unsigned t = 0; t < CLOCK_THREADS; t++)
		m->known.of[t] = CLOCK_MAX;
	*last = (uint16_t)nr_messages++;
	return m;
}

/* Does an object of other bytes overlap these? */
static bool overlaps(const struct place *place, unsigned first, size_t bytes)
{
	for (unsigned i = 0; i < 8; i++)
		if (place->bytes[i] && (i != first || place->bytes[i] != bytes) &&
		    i < first + bytes && first < i + place->bytes[i])
			return true;
	return false;
}

static uint16_t *find_or_begin(struct cell *cell, uintptr_t addr, size_t bytes, uint64_t old)
{
	struct place *place = place_of(cell);
	unsigned first = addr & 7;

	if (place->run != rt.run || overlaps(place, first, bytes))
		place_clear(place);
	if (!place->bytes[first]) {
		place->bytes[first] = (uint8_t)bytes;
		place->last[first] = 0;
		/* What was there before: whoever is not ordered after it has raced. */
		memset(&add_message(&place->last[first], old)->known, 0, sizeof(union clock));
	}
	return &place->last[first];
}

static bool knows(const struct message *m, bool seq_cst)
{
	union clock known = {.v = m->known.v <= rt.self->clock.v};

	return known.word[0] || known.word[1] || (seq_cst && m->seq_cst);
}

/* The running thread's n-th possible place in the list, from the newest message on. */
static uint16_t *link_behind(uint16_t *last, unsigned n)
{
	for (; n; last = &messages[*last].previous)
		n -= !messages[*last].rmw;
	return last;
}

static void has_read(struct message *m, bool seq_cst)
{
	if (m->known.of[rt.me] > rt.self->clock.of[rt.me])
		m->known.of[rt.me] = rt.self->clock.of[rt.me];
	m->seq_cst |= seq_cst;
}

uint64_t weak_load(struct cell *cell, uintptr_t addr, size_t bytes, uint64_t last, bool acquires,
		   bool seq_cst, bool *ret_stale)
{
	const uint16_t *object = find(cell, addr, bytes);
	struct message *m;
	unsigned n = 1, back;

	*ret_stale = false;
	if (!object) {
		if (acquires && (cell->released & 1u << (addr & 7)))
			clock_join(&rt.self->clock, &cell->release[addr & 7]);
		return last;
	}
	m = &messages[*object];
	for (; !knows(m, seq_cst) && m->previous && n < MAX_CANDIDATES; n++)
		m = &messages[m->previous];
	back = search_pick(PICK_STALE_READ, n);
	*ret_stale = back != 0;
	for (m = &messages[*object]; back; back--)
		m = &messages[m->previous];
	has_read(m, seq_cst);
	if (acquires && m->releases)
		clock_join(&rt.self->clock, &m->release);
	return m->value;
}

void weak_load_last(struct cell *cell, uintptr_t addr, size_t bytes, bool seq_cst)
{
	const uint16_t *object = find(cell, addr, bytes);

	if (object)
		has_read(&messages[*object], seq_cst);
}

void weak_store(struct cell *cell, uintptr_t addr, size_t bytes, uint64_t old, uint64_t new,
		int16_t epoch, bool rmw, bool seq_cst)
{
	struct message *m = add_message(find_or_begin(cell, addr, bytes, old), new);
	unsigned first = addr & 7;

	m->known.of[rt.me] = epoch;
	m->seq_cst = seq_cst;
	m->rmw = rmw;
	m->releases = cell->released & 1u << first;
	if (m->releases)
		m->release = cell->release[first];
}

bool weak_overtaken(struct cell *cell, uintptr_t addr, size_t bytes, uint64_t new, bool releases)
{
	uint16_t *last = find(cell, addr, bytes);
	const struct message *newer;
	struct message *m;
	unsigned n = 1, back;

	if (!last)
		return false;
	/* Below each message that it need not know of; not below one of which a later one is known. */
	for (newer = &messages[*last];
	     !knows(newer, false) && newer->previous && n < MAX_CANDIDATES;
	     newer = &messages[newer->previous])
		n += !newer->rmw;
	back = search_pick(PICK_OVERTAKEN, n);
	if (!back)
		return false;
	m = add_message(link_behind(last, back), new);
	m->known.of[rt.me] = rt.self->clock.of[rt.me];
	m->releases = releases;
	if (releases)
		m->release = rt.self->clock;
	return true;
}
