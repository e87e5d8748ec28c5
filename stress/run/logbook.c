/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "history/sweep.h"
#include "history/wgl.h"
#include "history/words.h"
#include "history/zones.h"
#include "logbook.h"
#include "verdict.h"

#define WGL_STATES (1u << 17)
#define SHOWN 3000

/* A value that a page had once only, and so tells its number. */
struct numbered {
	value_t value;
	uint64_t number;
};

struct judges {
	struct sweep *sweep;
	struct zones *zones;
	struct wgl *wgl;
	/* of one page, with the value that it had at first */
	struct operation *ops, *swept;
	struct numbered *values;
	uint32_t *writes; /* of ops, by number */
	size_t room;
};

int logbook_create(struct logbook *b, struct space *space, unsigned threads, size_t records,
		   enum clock_mode mode)
{
	uint32_t pages = 4 * space->block_pages;

	*b = (struct logbook){.space = space};
	b->room = 4 * (size_t)(pages < space->nr_pages ? pages : space->nr_pages) + 4;
	b->log = log_create(threads, space->nr_pages, records, mode);
	b->first = calloc(space->nr_pages, sizeof(*b->first));
	b->number = calloc(space->nr_pages, sizeof(*b->number));
	b->judges = calloc(1, sizeof(*b->judges));
	if (!b->log || !b->first || !b->number || !b->judges)
		return -ENOMEM;
	b->judges->sweep = sweep_create();
	b->judges->zones = zones_create();
	b->judges->wgl = wgl_create(WGL_STATES);
	return b->judges->sweep && b->judges->zones && b->judges->wgl ? 0 : -ENOMEM;
}

void logbook_destroy(struct logbook *b)
{
	struct judges *j = b->judges;

	if (j) {
		sweep_destroy(j->sweep);
		zones_destroy(j->zones);
		wgl_destroy(j->wgl);
		free(j->ops);
		free(j->swept);
		free(j->values);
		free(j->writes);
	}
	free(j);
	log_destroy(b->log);
	free(b->first);
	free(b->number);
}

void logbook_open(struct logbook *b, bool numbered)
{
	b->numbered = numbered;
	log_empty(b->log);
	for (uint32_t i = 0; i < b->space->nr_pages; i++) {
		b->first[i] = b->space->pages[i].value;
		b->number[i] = load64(&b->space->pages[i].begun);
	}
}

/* ---- threads ---- */

/* `before` has the number, `ret` waits for the return. */
void logbook_makes(struct worker *w, uint32_t i, value_t value, uint64_t number, uint64_t call,
		   enum op_kind kind)
{
	struct logbook *b = w->arena->logbook;

	if (b)
		log_add(b->log, w->index,
			&(struct record){.call = call,
					 .ret = UINT64_MAX,
					 .value = value,
					 .before = number,
					 .first = i,
					 .pages = 1,
					 .kind = HISTORY_WRITE,
					 .name = (uint8_t)kind});
}

void logbook_made(struct worker *w)
{
	struct logbook *b = w->arena->logbook;
	struct log_part *part = b ? &b->log->parts[w->index] : NULL;
	uint64_t now;

	if (!part || !part->n || part->records[part->n - 1].ret != UINT64_MAX)
		return;
	now = log_return(b->log);
	for (size_t n = part->n; n && part->records[n - 1].ret == UINT64_MAX; n--)
		part->records[n - 1].ret = now;
}

/* ---- in words ---- */

static void say_value(void *ctx, uint64_t value, char *text, size_t size)
{
	char words[VALUE_TEXT];

	(void)ctx;
	snprintf(text, size, "%s", value_text(words, value));
}

static void report(struct logbook *b, uint32_t page, const char *judge, struct violation *v,
		   bool numbers)
{
	struct vocabulary voc = {.names = op_names, .value = numbers ? NULL : say_value};
	char text[SHOWN] = "";
	FILE *out = fmemopen(text, sizeof(text) - 1, "w");

	if (out) {
		words_print(out, &voc, v);
		fclose(out);
	}
	verdict_fail("Q2", b->space->pages[page].va,
		     "the history of the page is not linearisable (%s%s): %s", judge,
		     numbers ? ", by numbers of values" : "", v->what);
	verdict_add(text);
}

/* ---- one page ---- */

static int reserve(struct judges *j, size_t n)
{
	if (n <= j->room)
		return 0;
	j->room = 2 * n;
	free(j->ops);
	free(j->swept);
	free(j->values);
	free(j->writes);
	j->ops = calloc(j->room, sizeof(*j->ops));
	j->swept = calloc(j->room, sizeof(*j->swept));
	j->values = calloc(j->room, sizeof(*j->values));
	j->writes = calloc(j->room, sizeof(*j->writes));
	if (j->ops && j->swept && j->values && j->writes)
		return 0;
	j->room = 0;
	return -ENOMEM;
}

static value_t without_properties(value_t value)
{
	return value_is_leaf(value) ? (value & ~(value_t)0xfff) | PT_READ : value;
}

/* What the page had at first, and what was logged. */
static size_t gather(struct logbook *b, uint32_t page, const struct operation *logged, size_t n)
{
	struct operation *ops = b->judges->ops;

	ops[0] = (struct operation){
		.value = b->first[page],
		.before = b->number[page],
		.page = page,
		.thread = (uint16_t)b->log->threads,
		.kind = HISTORY_WRITE,
	};
	for (size_t i = 0; i < n; i++)
		ops[i + 1] = logged[i];
	for (size_t i = 0; i <= n && !b->numbered; i++)
		ops[i].value = without_properties(ops[i].value);
	return n + 1;
}

static const struct operation *sorted_ops; /* for qsort() */

static int compare_numbers(const void *left, const void *right)
{
	uint64_t a = sorted_ops[*(const uint32_t *)left].before;
	uint64_t b = sorted_ops[*(const uint32_t *)right].before;

	return a < b ? -1 : a > b;
}

static int compare_values(const void *left, const void *right)
{
	const struct numbered *a = left, *b = right;

	return a->value < b->value ? -1 : a->value > b->value;
}

/* Writes by number. Return: how many; 0: two have the same one, or one is missing. */
static size_t order_writes(struct logbook *b, uint32_t page, size_t n)
{
	struct judges *j = b->judges;
	size_t writes = 0;

	for (size_t i = 0; i < n; i++)
		if (op_writes(&j->ops[i]))
			j->writes[writes++] = (uint32_t)i;
	sorted_ops = j->ops;
	qsort(j->writes, writes, sizeof(*j->writes), compare_numbers);
	for (size_t k = 0; k < writes; k++)
		if (j->ops[j->writes[k]].before != b->number[page] + k) {
			verdict_fail("C1", b->space->pages[page].va,
				     "two threads, each alone with the page, have counted its "
				     "value %" PRIu64,
				     j->ops[j->writes[k]].before);
			return 0;
		}
	return writes;
}

/* The number that a value tells; 0: none. @ret_known: somebody wrote it. */
static uint64_t number_of(const struct judges *j, size_t values, value_t value, bool *ret_known)
{
	struct numbered key = {.value = value};
	const struct numbered *found =
		bsearch(&key, j->values, values, sizeof(*j->values), compare_values);

	*ret_known = found;
	if (!found || (found > j->values && found[-1].value == value) ||
	    (found + 1 < j->values + values && found[1].value == value))
		return 0;
	return found->number + 1;
}

/* What has a number: all writes, and looks at a value that the page had once. */
static size_t number_all(struct logbook *b, uint32_t page, size_t n, size_t writes)
{
	struct judges *j = b->judges;
	size_t swept = 0;

	for (size_t k = 0; k < writes; k++)
		j->values[k] = (struct numbered){j->ops[j->writes[k]].value, k};
	qsort(j->values, writes, sizeof(*j->values), compare_values);
	for (size_t i = 0; i < n; i++) {
		struct operation *o = &j->ops[i];
		bool known = true;
		uint64_t number = op_writes(o) ? o->before - b->number[page] + 1
					       : number_of(j, writes, o->value, &known);
		char text[VALUE_TEXT];

		if (!known)
			verdict_fail("Q2", b->space->pages[page].va,
				     "thread %u has seen %s, which nobody has written", o->thread,
				     value_text(text, o->value));
		if (!number)
			continue;
		j->swept[swept] = *o;
		j->swept[swept++].value = number;
	}
	return swept;
}

/* Whatever the clock: what a thread sees does not go back. */
static void judge_each_thread(struct logbook *b, uint32_t page, size_t swept)
{
	const struct operation *ops = b->judges->swept;

	for (size_t i = 1; i < swept; i++)
		if (ops[i].thread == ops[i - 1].thread && ops[i].value < ops[i - 1].value)
			verdict_fail("Q2", b->space->pages[page].va,
				     "thread %u has met value %" PRIu64 " of the page, and then "
				     "value %" PRIu64,
				     ops[i].thread, ops[i - 1].value + b->number[page] - 1,
				     ops[i].value + b->number[page] - 1);
}

static void judge_numbers(struct logbook *b, uint32_t page, size_t n)
{
	struct judges *j = b->judges;
	struct violation v;
	size_t writes = order_writes(b, page, n), swept;

	if (!writes)
		return;
	swept = number_all(b, page, n, writes);
	judge_each_thread(b, page, swept);
	if (sweep_check(j->sweep, j->swept, swept, &v) == HISTORY_WRONG)
		report(b, page, "version sweep", &v, true);
	/* Each change saw the value before. */
	for (size_t k = writes; k-- > 1;) {
		struct operation *o = &j->ops[j->writes[k]];

		o->kind = HISTORY_CHANGE;
		o->before = j->ops[j->writes[k - 1]].value;
	}
}

static void judge_page(struct logbook *b, uint32_t page)
{
	struct judges *j = b->judges;
	struct violation v;
	enum verdict zones, wgl;
	size_t n;
	const struct operation *logged = log_page(b->log, page, &n);

	if (!n)
		return;
	if (reserve(j, n + 1)) {
		b->gave_up++;
		return;
	}
	n = gather(b, page, logged, n);
	if (b->numbered)
		judge_numbers(b, page, n);
	/* Without times everything is beside everything. */
	if (b->log->clock.mode == CLOCK_NONE || verdict_failed())
		return;
	zones = zones_check(j->zones, j->ops, n, &v);
	if (zones == HISTORY_WRONG) {
		report(b, page, "zones", &v, false);
		return;
	}
	wgl = wgl_check(j->wgl, j->ops, n, &v);
	if (wgl == HISTORY_WRONG)
		report(b, page, "search", &v, false);
	b->gave_up += zones == HISTORY_GAVE_UP || wgl == HISTORY_GAVE_UP;
}

void logbook_judge(struct logbook *b)
{
	if (log_group(b->log)) {
		b->gave_up += b->space->nr_pages;
		return;
	}
	b->operations += log_operations(b->log);
	for (uint32_t i = 0; i < b->space->nr_pages && !verdict_failed(); i++)
		judge_page(b, i);
}
