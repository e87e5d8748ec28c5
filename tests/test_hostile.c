/* SPDX-License-Identifier: MIT */
/*
 * Arguments at and behind every bound that the header names, to every function that has one: the
 * error is the one promised, and the table is what it was. A function of the header that no case is
 * for fails the test; so does an error in its comment that no case has made it return, and one that
 * a case expects and the comment does not name.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

static const struct hostile_case *const subjects[] = {
	hostile_ranges, hostile_calls,   hostile_edges,  hostile_items,
	hostile_looks,  hostile_cursors, hostile_held,   hostile_short,
	hostile_tables, hostile_pools,   hostile_frames, hostile_names,
};

/* By the header they refuse nothing: no error, and no bound but what the caller guarantees. */
static const char harmless[] =
	"pt_cpu_table pt_cursor_end pt_cursor_va pt_frame_item_ops pt_gather_init pt_page_size "
	"pt_pool_get_stats pt_slot_index pt_table_format pt_table_node_lock pt_table_range "
	"pt_table_root pt_table_root_at pt_table_strategy pt_thread_done pt_thread_fail_alloc "
	"pt_thread_quiescent ";

/* ---- what was returned by whom, in all pairs together ---- */

static const struct {
	const char *name;
	int error;
} error_names[] = {
	{"EINVAL", EINVAL},   {"ERANGE", ERANGE},       {"EEXIST", EEXIST}, {"ENOENT", ENOENT},
	{"ENOMEM", ENOMEM},   {"EACCES", EACCES},       {"EBUSY", EBUSY},   {"EAGAIN", EAGAIN},
	{"EDEADLK", EDEADLK}, {"EOVERFLOW", EOVERFLOW},
};

#define MOST_FUNCTIONS 128

static struct {
	char function[40];
	bool noted[COUNT_OF(error_names)];
} returned[MOST_FUNCTIONS];

static unsigned entry_of(const char *function, size_t length)
{
	unsigned i = 0;

	while (returned[i].function[0] && (strlen(returned[i].function) != length ||
					   strncmp(returned[i].function, function, length)))
		assert_true(++i < MOST_FUNCTIONS);
	assert_true(length < sizeof(returned[i].function));
	memcpy(returned[i].function, function, length);
	return i;
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n;
}

void hostile_note(const char *call, int error)
{
	unsigned function = entry_of(call, name_length(call));

	for (size_t i = 0; i < COUNT_OF(error_names); i++)
		returned[function].noted[i] |= error_names[i].error == error;
}

static bool was_returned(const char *function, const char *error)
{
	size_t length = name_length(error);

	for (size_t i = 0; i < COUNT_OF(error_names); i++)
		if (strlen(error_names[i].name) == length &&
		    !strncmp(error_names[i].name, error, length))
			return returned[entry_of(function, strlen(function))].noted[i];
	return false; /* no error of the closed set */
}

/* ---- running the cases ---- */

static void open_scene(struct scene *s, struct fixture *fx)
{
	struct pt_config config = fx->config;

	*s = (struct scene){.fx = fx};
	fixture_open(&s->other, fx->format, fx->strategy, PT_RECLAIM_SYNC);
	map(fx, fx->base, fx->giant, FRAMES, RW);
	for (unsigned i = 0; i < 3; i++) /* not one behind the other: single pages */
		map(fx, fx->base + fx->giant + i * fx->page, fx->page, FRAMES + 8 * i * fx->page,
		    RW);
	expect_ok(pt_mark(fx->self, fx->table, fx->base + 2 * fx->giant, fx->giant, 5));
	config.flush = NULL;
	expect_ok(pt_table_create(fx->self, &config, &s->twin));
	pt_gather_init(&s->gather, fx->self, fx->table, NULL, NULL);
	pt_gather_init(&s->twin_gather, fx->self, s->twin, NULL, NULL);
	pt_gather_init(&s->foreign_gather, s->other.self, s->other.table, NULL, NULL);
}

static void close_scene(struct scene *s)
{
	expect_ok(pt_gather_sync(&s->gather));
	expect_ok(pt_gather_sync(&s->twin_gather));
	expect_ok(pt_gather_sync(&s->foreign_gather));
	expect_ok(pt_table_destroy(s->fx->self, s->twin));
	fixture_close(&s->other);
}

/* What the pool holds when this thread keeps no nodes ready. */
static struct pt_pool_stats pool_figures(struct fixture *fx)
{
	struct pt_pool_stats stats;

	reclaim(fx);
	expect_ok(pt_thread_set_home(fx->self, 1));
	expect_ok(pt_thread_set_home(fx->self, 0));
	pt_pool_get_stats(fx->pool, &stats);
	return stats;
}

static void run_case(struct scene *s, const struct hostile_case *hostile)
{
	struct fixture *fx = s->fx;
	struct pt_pool_stats pool = pool_figures(fx), now;
	struct pt_check_report twin;
	struct before before;

	before_take(fx, &before);
	hostile->run(s);
	before_expect_unchanged(fx, &before);
	expect_ok(pt_check(fx->self, s->twin, &twin));
	assert_true(!twin.violation && twin.nodes == 1);
	now = pool_figures(fx);
	assert_int_equal(now.node_bytes, pool.node_bytes);
	assert_int_equal(now.retired_bytes, pool.retired_bytes);
	assert_int_equal(now.tables, pool.tables);
	assert_int_equal(now.threads, pool.threads);
}

static void what_is_hostile_is_refused(struct fixture *fx)
{
	struct scene s;

	open_scene(&s, fx);
	for (size_t i = 0; i < COUNT_OF(subjects); i++)
		for (const struct hostile_case *hostile = subjects[i]; hostile->run; hostile++)
			run_case(&s, hostile);
	close_scene(&s);
}

/* ---- the header ---- */

/* The function that a line of the header declares; or false. */
static bool declares(const char *line, char *name, size_t size)
{
	const char *at = strstr(line, "pt_"), *end;

	if (strncmp(line, "PT_API ", 7) && strncmp(line, "static inline ", 14))
		return false;
	for (; at; at = strstr(end, "pt_")) {
		end = at + name_length(at);
		if (*end == '(' && (size_t)(end - at) + 1 < size) {
			snprintf(name, size, "%.*s", (int)(end - at), at);
			return true;
		}
	}
	fail_msg("no function in: %s", line);
	return false;
}

static bool is_listed(const char *list, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = list; *at; at = strchr(at, ' ') + 1)
		if (!strncmp(at, name, length) && at[length] == ' ')
			return true;
	return false;
}

static bool has_case(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(subjects); i++)
		for (const struct hostile_case *hostile = subjects[i]; hostile->run; hostile++)
			if (is_listed(hostile->functions, name))
				return true;
	return is_listed(harmless, name);
}

/* Each error in the comment above a function that returns one. Return: how many there are. */
static unsigned expect_errors(const char *name, const char *comment)
{
	unsigned n = 0;

	for (const char *at = strstr(comment, "-E"); at; at = strstr(at + 1, "-E"), n++)
		if (!was_returned(name, at + 1))
			fail_msg("%s has not been made to return %.*s", name,
				 1 + (int)name_length(at + 1), at);
	return n;
}

/* No case may expect what the comment does not say, by itself or as another function's. */
static void expect_documented(const char *name, const char *comment)
{
	const unsigned function = entry_of(name, strlen(name));
	char error[16];

	for (size_t i = 0; i < COUNT_OF(error_names); i++) {
		snprintf(error, sizeof(error), "-%s", error_names[i].name);
		if (returned[function].noted[i] && !strstr(comment, error) &&
		    !strstr(comment, " as pt_"))
			fail_msg("%s returns %s, of which the header says nothing", name, error);
	}
}

struct header {
	char comment[8192]; /* the last one, so far */
	size_t length;
	bool in_comment;
	unsigned functions, errors;
};

static void read_comment(struct header *h, const char *line)
{
	if (!strncmp(line, "/*", 2)) {
		h->in_comment = true;
		h->length = 0;
	}
	if (!h->in_comment)
		return;
	assert_true(h->length + strlen(line) < sizeof(h->comment));
	h->length += (size_t)sprintf(h->comment + h->length, "%s", line);
	h->in_comment = !strstr(line, "*/");
}

static void read_line(struct header *h, const char *line)
{
	char name[64];

	read_comment(h, line);
	if (!declares(line, name, sizeof(name)))
		return;
	if (!has_case(name))
		fail_msg("%s has no hostile case", name);
	h->functions++;
	if (!strstr(line, " int "))
		return;
	h->errors += expect_errors(name, h->comment);
	expect_documented(name, h->comment);
}

/* After all pairs have run: some errors some strategies do not have. */
static void no_function_and_no_error_is_forgotten(struct fixture *fx)
{
	struct header *h = calloc(1, sizeof(*h));
	FILE *file = fopen(HEADER, "r");
	char line[256];

	(void)fx;
	assert_non_null(h);
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		read_line(h, line);
	fclose(file);
	assert_true(h->functions > 70);
	assert_true(h->errors > 120);
	free(h);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST_SYNC(what_is_hostile_is_refused),
		TEST_SYNC(bounds_are_inclusive),
		TEST_SYNC(no_function_and_no_error_is_forgotten),
	};

	return run_on_all_pairs("hostile", cases, COUNT_OF(cases));
}
