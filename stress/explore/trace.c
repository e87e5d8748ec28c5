/* SPDX-License-Identifier: MIT */
/*
 * Events are recorded during one replay and put into words afterwards; source lines come from
 * addr2line, run once for all addresses.
 */
#include "trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime.h"

#define MAX_EVENTS 16384
#define TEXT_BYTES 96
#define PLACE_BYTES 320
#define MAX_INLINED 4 /* how many frames of a place are printed */

enum event_kind { EVENT_ATOMIC, EVENT_PLAIN, EVENT_NOTE, EVENT_TEXT };

struct event {
	enum event_kind kind;
	uint8_t thread;
	uint8_t op;    /* atomic: enum atomic_op; plain: is it a write? */
	uint8_t bytes; /* plain: 255 stands for more */
	int order;
	uintptr_t addr;
	uint64_t old, new;
	const void *pc;
	const char *what;
	char text[TEXT_BYTES];
};

struct place {
	uintptr_t pc;
	char text[PLACE_BYTES];
};

/* An address of atomic accesses. */
struct accessed {
	uintptr_t addr;
	uint32_t threads; /* bit n: by thread n */
};

extern char __executable_start[];

static struct event *events;
static unsigned nr_events;
static uintptr_t race_addr; /* 0: no race */
static struct place *places;
static unsigned nr_places;
static struct accessed accessed[MAX_EVENTS];
static unsigned nr_accessed;

void trace_begin(void)
{
	if (!events)
		events = calloc(MAX_EVENTS, sizeof(*events));
	nr_events = 0;
	race_addr = 0;
}

static struct event *add(enum event_kind kind)
{
	struct event *e;

	if (!events || nr_events == MAX_EVENTS)
		return NULL;
	e = &events[nr_events++];
	*e = (struct event){.kind = kind, .thread = rt.me};
	return e;
}

void trace_atomic(enum atomic_op op, int order, uintptr_t addr, size_t bytes, uint64_t old,
		  uint64_t new, const void *pc)
{
	struct event *e = add(EVENT_ATOMIC);

	if (!e)
		return;
	e->op = op;
	e->order = order;
	e->addr = addr;
	e->bytes = (uint8_t)bytes;
	e->old = old;
	e->new = new;
	e->pc = pc;
}

void trace_plain(uintptr_t addr, size_t bytes, bool write, const void *pc)
{
	struct event *e = add(EVENT_PLAIN);

	if (!e)
		return;
	e->op = write;
	e->addr = addr;
	e->bytes = (uint8_t)(bytes < UINT8_MAX ? bytes : UINT8_MAX);
	e->pc = pc;
}

void trace_note(const char *what, uintptr_t addr)
{
	struct event *e = add(EVENT_NOTE);

	if (!e)
		return;
	e->what = what;
	e->addr = addr;
}

void trace_text(const char *what, const char *text)
{
	struct event *e = add(EVENT_TEXT);

	if (!e)
		return;
	e->what = what;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

void trace_race(uintptr_t addr)
{
	race_addr = addr & ~(uintptr_t)7;
}

const char *trace_thread(unsigned thread)
{
	static const char *const names[THREAD_ALL] = {
		"thread 0",
		"thread 1",
		"thread 2",
		"thread 3",
		"thread 4",
		"thread 5",
		[THREAD_RCU] = "the callback thread",
		[THREAD_MAIN] = "the final check",
	};

	return names[thread];
}

/* ---- which events matter ---- */

static int compare_accessed(const void *a, const void *b)
{
	uintptr_t x = ((const struct accessed *)a)->addr, y = ((const struct accessed *)b)->addr;

	return (x > y) - (x < y);
}

/* Who accesses what, for all events at once: a thread that spins has thousands. */
static void find_accessed(void)
{
	unsigned n = 0;

	nr_accessed = 0;
	for (unsigned i = 0; i < nr_events; i++)
		if (events[i].kind == EVENT_ATOMIC && events[i].thread != THREAD_MAIN)
			accessed[nr_accessed++] = (struct accessed){
				.addr = events[i].addr,
				.threads = 1U << events[i].thread,
			};
	qsort(accessed, nr_accessed, sizeof(*accessed), compare_accessed);
	for (unsigned i = 0; i < nr_accessed; i++)
		if (n && accessed[n - 1].addr == accessed[i].addr)
			accessed[n - 1].threads |= accessed[i].threads;
		else
			accessed[n++] = accessed[i];
	nr_accessed = n;
}

static bool shared(const struct event *event)
{
	struct accessed key = {.addr = event->addr};
	const struct accessed *found =
		bsearch(&key, accessed, nr_accessed, sizeof(*accessed), compare_accessed);

	return found && (found->threads & ~(1U << event->thread));
}

static bool races(const struct event *event)
{
	return race_addr && event->addr < race_addr + 8 && event->addr + event->bytes > race_addr;
}

static bool matters(const struct event *event)
{
	if (event->kind == EVENT_PLAIN)
		return races(event);
	if (event->thread == THREAD_MAIN)
		return event->kind == EVENT_TEXT;
	return event->kind != EVENT_ATOMIC || shared(event) || races(event);
}

/* ---- source lines ---- */

static int compare_places(const void *a, const void *b)
{
	uintptr_t x = ((const struct place *)a)->pc, y = ((const struct place *)b)->pc;

	return (x > y) - (x < y);
}

static void cut(char *line, const char *from)
{
	char *at = strstr(line, from);

	if (at)
		*at = 0;
}

/* "f at a.c:1\n (inlined by) g at b.c:2\n" becomes "f at a.c:1 < g at b.c:2". */
static void append_frame(struct place *place, char *line, unsigned frame)
{
	static const char inlined[] = " (inlined by) ";
	size_t n = strlen(place->text);

	line[strcspn(line, "\n")] = 0;
	cut(line, " (discriminator");
	if (!strncmp(line, inlined, sizeof(inlined) - 1))
		line += sizeof(inlined) - 1;
	if (frame < MAX_INLINED)
		snprintf(place->text + n, PLACE_BYTES - n, "%s%s", n ? " < " : "", line);
}

static void read_places(FILE *in)
{
	char line[512];
	struct place *place = NULL;
	unsigned frame = 0;

	while (fgets(line, sizeof(line), in)) {
		char *text = line;

		/* "0x1234: f at a.c:1" begins an address */
		if (line[0] == '0' && line[1] == 'x') {
			struct place key = {.pc = strtoull(line, &text, 16) + 1};

			place = bsearch(&key, places, nr_places, sizeof(*places), compare_places);
			frame = 0;
			text += strspn(text, ": ");
		}
		if (place)
			append_frame(place, text, frame++);
	}
}

/* Fill `places` for all events that matter. Without addr2line they stay empty. */
static void find_places(void)
{
	char self[256], *command;
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t n, size;
	FILE *in;

	nr_places = 0;
	places = realloc(places, (nr_events + 1) * sizeof(*places));
	if (!places || length < 0)
		return;
	self[length] = 0;
	for (unsigned i = 0; i < nr_events; i++)
		if (events[i].pc && matters(&events[i]))
			places[nr_places++] = (struct place){
				.pc = (uintptr_t)events[i].pc - (uintptr_t)__executable_start,
			};
	qsort(places, nr_places, sizeof(*places), compare_places);
	n = 0;
	for (unsigned i = 0; i < nr_places; i++)
		if (!n || places[n - 1].pc != places[i].pc)
			places[n++] = places[i];
	nr_places = (unsigned)n;
	size = 400 + nr_places * 20;
	command = malloc(size);
	if (!command)
		return;
	n = (size_t)snprintf(command, size, "addr2line -a -p -s -f -i -e '%s'", self);
	for (unsigned i = 0; i < nr_places; i++)
		n += (size_t)snprintf(command + n, size - n, " 0x%" PRIxPTR, places[i].pc - 1);
	snprintf(command + n, size - n, " 2>/dev/null");
	in = nr_places ? popen(command, "r") : NULL;
	if (in) {
		read_places(in);
		pclose(in);
	}
	free(command);
}

static const char *place_of(const struct event *event)
{
	struct place key = {.pc = (uintptr_t)event->pc - (uintptr_t)__executable_start};
	struct place *place = NULL;

	if (event->pc && places)
		place = bsearch(&key, places, nr_places, sizeof(*places), compare_places);
	return place ? place->text : "";
}

/* ---- words ---- */

static const char *op_name(const struct event *e)
{
	static const char *const names[] = {
		[ATOMIC_LOAD] = "load",
		[ATOMIC_STORE] = "store",
		[ATOMIC_RMW] = "exchange",
		[ATOMIC_CAS] = "cas",
		[ATOMIC_CAS_FAILED] = "cas failed",
	};

	if (e->kind == EVENT_PLAIN)
		return e->op ? "plain write" : "plain read";
	return names[e->op];
}

static const char *order_name(const struct event *e)
{
	static const char *const names[] = {"relaxed", "consume", "acquire",
					    "release", "acq_rel", "seq_cst"};

	return e->kind == EVENT_PLAIN || e->order < 0 || e->order > 5 ? "" : names[e->order];
}

static void print_values(const struct event *e, char *text, size_t size)
{
	if (e->kind == EVENT_PLAIN)
		text[0] = 0;
	else if (e->op == ATOMIC_LOAD && e->old != e->new)
		snprintf(text, size, "= 0x%" PRIx64 ", older than 0x%" PRIx64, e->old, e->new);
	else if (e->op == ATOMIC_LOAD)
		snprintf(text, size, "= 0x%" PRIx64, e->old);
	else if (e->op == ATOMIC_CAS_FAILED)
		snprintf(text, size, "= 0x%" PRIx64 " (not 0x%" PRIx64 ")", e->old, e->new);
	else
		snprintf(text, size, "0x%" PRIx64 " -> 0x%" PRIx64, e->old, e->new);
}

static void print_event(const struct event *e, FILE *out)
{
	char name[64] = "", values[64];

	fprintf(out, "  %-19s  ", trace_thread(e->thread));
	if (e->addr)
		memory_name(e->addr, name, sizeof(name));
	if (e->kind == EVENT_TEXT) {
		fprintf(out, "%s %s\n", e->what, e->text);
		return;
	}
	if (e->kind == EVENT_NOTE) {
		fprintf(out, "%s%s%s\n", e->what, *name ? ": " : "", name);
		return;
	}
	print_values(e, values, sizeof(values));
	fprintf(out, "%-11s %-8s %-16s %-26s  %s\n", op_name(e), order_name(e), name, values,
		place_of(e));
}

static bool same_event(const struct event *a, const struct event *b)
{
	return a->kind == EVENT_ATOMIC && b->kind == EVENT_ATOMIC && a->thread == b->thread &&
	       a->pc == b->pc && a->addr == b->addr && a->old == b->old && a->new == b->new;
}

void trace_print(FILE *out)
{
	const struct event *last = NULL;
	unsigned repeated = 0;

	find_accessed();
	find_places();
	for (unsigned i = 0; i < nr_events; i++) {
		if (!matters(&events[i]))
			continue;
		if (last && same_event(last, &events[i])) {
			repeated++;
			continue;
		}
		if (repeated)
			fprintf(out, "  %-19s  ... %u times more\n", "", repeated);
		repeated = 0;
		last = &events[i];
		print_event(last, out);
	}
	if (repeated)
		fprintf(out, "  %-19s  ... %u times more\n", "", repeated);
	if (nr_events == MAX_EVENTS)
		fprintf(out, "  (more than %d events: the rest is missing)\n", MAX_EVENTS);
}
