/* SPDX-License-Identifier: MIT */
/* What memory runs short of, what is compared when a call was refused, and which runs there are. */
#include <stdlib.h>

#include "nomem_script.h"

#define MOST_HOGS 1024
#define MOST_RUNS 2000 /* of one script with one shortage */
#define LASTS_STEPS 3  /* a shortage that lasts: from the first step that is refused on */

/* ---- running short ---- */

static void take_all_room(struct script *s)
{
	struct pt_config config = s->fx.config;

	config.flush = NULL;
	config.item_ops = NULL;
	s->hogs = malloc(MOST_HOGS * sizeof(*s->hogs));
	assert_non_null(s->hogs);
	while (!pt_table_create(s->fx.self, &config, &s->hogs[s->nr_hogs]))
		assert_true(++s->nr_hogs < MOST_HOGS);
}

static void give_room(struct script *s, uint64_t nodes)
{
	while (nodes-- && s->nr_hogs)
		expect_ok(pt_table_destroy(s->fx.self, s->hogs[--s->nr_hogs]));
	s->fx.flushes.n = 0;
}

/*
 * Leave room for @k nodes in the pool, or in the part of it that has memory. If it is the port that
 * is to refuse, there is none in that part, so that it is asked.
 */
static void take_room(struct script *s, uint64_t k)
{
	if (s->shortage != SHORT_OF_ROOM && s->shortage != SHORT_OF_BACKING &&
	    s->shortage != SHORT_OF_PORT)
		return;
	port_memory.no_backing = s->shortage != SHORT_OF_ROOM;
	take_all_room(s);
	if (s->shortage == SHORT_OF_PORT)
		port_memory.no_backing = false;
	else
		give_room(s, k);
	s->crowded = s->nr_hogs;
}

/* From now on there are @k allocations; after them, @refusals fail. */
static void run_short(struct script *s, uint64_t k, uint64_t refusals)
{
	switch (s->shortage) {
	case SHORT_OF_NODES:
		pt_thread_fail_alloc(s->fx.self, k);
		break;
	case SHORT_OF_PORT:
		port_memory.refuse = port_memory.requests + k;
		port_memory.refusals = refusals;
		break;
	default:
		break;
	}
}

static void end_shortage(struct script *s)
{
	pt_thread_fail_alloc(s->fx.self, UINT64_MAX);
	port_memory.refusals = 0;
	port_memory.no_backing = false;
}

/* Nobody can give memory back while there is a cursor: it begins again, where it was. */
static void give_room_below_cursor(struct script *s)
{
	struct transaction *t = &s->cursor;

	pt_cursor_end(&t->c);
	give_room(s, MOST_HOGS);
	port_memory.no_backing = false;
	expect_ok(pt_cursor_begin(s->fx.self, s->fx.table, t->first, t->last - t->first + 1,
				  t->mode, t->top, &t->c));
	if (!t->at_end)
		expect_ok(pt_cursor_jump(&t->c, t->va));
}

static void relieve(struct script *s)
{
	if (s->hogs && s->shortage != SHORT_OF_PORT) {
		if (s->in_cursor)
			give_room_below_cursor(s);
		else
			give_room(s, 1);
		s->over = !s->nr_hogs;
		if (s->over)
			end_shortage(s);
	} else if (!s->lasts) {
		end_shortage(s);
		s->over = true;
	} else if (s->steps == s->first_refused && s->tries == 1) {
		run_short(s, 0, UINT64_MAX); /* another time, and not even what there was */
	} else {
		end_shortage(s);
		s->relieved = true;
	}
}

/* ---- comparing ---- */

/* The shape of the table is right, and its nodes are those that are counted. */
static void expect_shape(struct script *s)
{
	struct pt_check_report report = check(&s->fx);
	struct pt_stats stats;

	assert_int_equal(report.mapped_bytes,
			 flat_pages(&s->w.map, s->fx.first, s->fx.last) * s->fx.page);
	if (!s->fx.config.stats || s->w.gather_open)
		return;
	expect_ok(pt_table_get_stats(s->fx.table, &stats));
	assert_int_equal(stats.nodes_taken - stats.nodes_given, trees(&s->fx) * report.nodes);
}

static void expect_map(struct script *s)
{
	dump_expect_model(&s->fx, &s->w.map);
}

static void for_both(struct script *s, script_fn fn)
{
	fn(s);
	script_other(s);
	fn(s);
	script_other(s);
}

static void take_dumps(struct script *s, struct dumps *d)
{
	dump_take(&s->fx, &d->table);
	script_other(s);
	dump_take(&s->fx, &d->other);
	script_other(s);
}

static void free_dumps(struct dumps *d)
{
	dump_free(&d->table);
	dump_free(&d->other);
}

static void expect_dumps(struct script *s, const struct dumps *before)
{
	struct dumps now;

	take_dumps(s, &now);
	dump_expect_equal(&before->table, &now.table);
	dump_expect_equal(&before->other, &now.other);
	free_dumps(&now);
}

/* While there is a cursor, what it sees is all that can be compared. */
static void expect_range(struct script *s)
{
	struct transaction *t = &s->cursor;
	struct pt_mapping m;
	pt_va_t va = t->first;

	assert_int_equal(pt_cursor_va(&t->c), t->va);
	do {
		expect_ok(pt_cursor_jump(&t->c, va));
		expect_ok(pt_cursor_query(&t->c, &m));
		expect_mapping(&s->w, va, &m);
		va = m.va + m.len;
	} while (va - 1 < t->last);
	expect_ok(pt_cursor_jump(&t->c, t->va));
}

static struct kept keep_in_mind(struct script *s)
{
	return (struct kept){
		.references = ledger_total(&s->fx.ledger),
		.splits = s->fx.ledger.splits,
		.drops = s->fx.ledger.drops,
		.merges = s->fx.ledger.merges,
		.removed = s->w.expected.n + s->w.reported.n,
	};
}

static void expect_unchanged(struct script *s)
{
	struct kept now = keep_in_mind(s);

	assert_memory_equal(&now, &s->kept, sizeof(now));
	assert_int_equal(s->fx.flushes.n, 0);
	assert_null(s->fx.ledger.error);
	if (s->in_cursor) {
		expect_range(s);
		return;
	}
	for_both(s, expect_shape);
	if (s->dumped)
		expect_dumps(s, &s->before);
	else
		for_both(s, expect_map);
}

/* ---- steps ---- */

void step_try(struct script *s)
{
	if (!s->tries++) {
		s->steps++;
		s->kept = keep_in_mind(s);
		/* Exactly as it was, and not only as it should be, where that may matter. */
		s->dumped = s->suspect && s->steps >= s->suspect && !s->refused && !s->in_cursor;
		if (s->dumped)
			take_dumps(s, &s->before);
	}
	s->fx.flushes.n = 0;
	s->enomem = s->w.enomem;
	s->w.failing = s->shortage != SHORT_OF_NOTHING && !s->over && !s->relieved;
	port_memory.counting = true;
}

static void end_step(struct script *s)
{
	if (s->dumped)
		free_dumps(&s->before);
	s->dumped = false;
	s->tries = 0;
	if (!s->relieved)
		return;
	s->relieved = false;
	s->over = s->steps >= s->first_refused + LASTS_STEPS;
	if (!s->over)
		run_short(s, 0, UINT64_MAX);
}

bool step_refused(struct script *s)
{
	port_memory.counting = false;
	if (s->w.enomem == s->enomem) {
		end_step(s);
		return false;
	}
	if (!s->refused++)
		s->first_refused = s->steps;
	expect_unchanged(s);
	relieve(s);
	return true;
}

/* ---- runs ---- */

/* Small chunks, so that they are asked for often; few, so that the pool can be full. */
static void open_fixture(struct script *s, const struct fixture *like)
{
	const unsigned shift = like->format->node_shift;
	const size_t chunk_bytes = (size_t)(shift < 6 ? 128 : 64) << shift;
	const struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = shift,
		.chunk_bytes = chunk_bytes,
		.max_bytes = 4 * chunk_bytes,
		.magazine = 8,
		.reclaim = PT_RECLAIM_SYNC,
		/* a second one would be asked when the first is refused */
		.homes = s->shortage == SHORT_OF_PORT && !s->lasts ? 1 : 2,
	};

	fixture_open_pool(&s->fx, like->format, like->strategy, &pool);
	s->fx.config.stats = s->shortage == SHORT_OF_NODES && s->lasts;
	fixture_new_table(&s->fx);
	expect_ok(pt_table_create(s->fx.self, &s->fx.config, &s->other));
	s->w.fx = &s->fx;
	flat_init(&s->w.map, like->format);
	flat_init(&s->other_map, like->format);
}

static void close_fixture(struct script *s)
{
	give_room(s, MOST_HOGS);
	free(s->hogs);
	flat_free(&s->w.map);
	flat_free(&s->other_map);
	free(s->w.expected.of);
	free(s->w.reported.of);
	expect_ok(pt_table_destroy(s->fx.self, s->other));
	fixture_close(&s->fx);
}

/* The script once, with @k allocations before those that fail. It ends as @end says, or says it. */
static void run(struct script *s, const struct fixture *like, script_fn fn, uint64_t k,
		struct dumps *end)
{
	const struct port_memory before = port_memory;

	open_fixture(s, like);
	take_room(s, k);
	port_memory.requests = 0;
	run_short(s, k, s->lasts ? UINT64_MAX : 1);
	fn(s);
	end_shortage(s);
	assert_false(s->in_cursor || s->w.gather_open);
	for_both(s, expect_shape);
	if (s->shortage == SHORT_OF_NOTHING) {
		for_both(s, expect_map);
		take_dumps(s, end);
	} else {
		expect_dumps(s, end);
	}
	close_fixture(s);
	assert_int_equal(port_memory.objects, before.objects);
	assert_int_equal(port_memory.reserved, before.reserved);
}

/* Was there a shortage in that run, or did @k suffice? */
static bool was_short(const struct script *s, uint64_t k)
{
	switch (s->shortage) {
	case SHORT_OF_PORT:
		return port_memory.requests > k;
	case SHORT_OF_BACKING:
		return s->refused && s->crowded;
	default:
		return s->refused;
	}
}

/*
 * Runs with more and more memory until one of them is not short of any. Return: how much is too little;
 * so many runs they were, or a share of them.
 */
static uint64_t run_all(const struct fixture *like, script_fn fn, enum shortage shortage,
			bool lasts, struct dumps *end)
{
	unsigned suspect = 1;

	for (uint64_t k = 0;; k += test_share()) {
		struct script s = {.shortage = shortage, .lasts = lasts, .suspect = suspect};

		run(&s, like, fn, k, end);
		if (!was_short(&s, k))
			return k;
		if (s.refused)
			suspect = s.first_refused;
		assert_true(k < MOST_RUNS);
	}
}

void script_run_short(const struct fixture *fx, script_fn fn)
{
	struct script s = {.shortage = SHORT_OF_NOTHING};
	struct dumps end;

	run(&s, fx, fn, 0, &end);
	assert_in_range(s.steps, 30, 200);
	assert_true(run_all(fx, fn, SHORT_OF_NODES, false, &end) > 10);
	assert_true(run_all(fx, fn, SHORT_OF_NODES, true, &end) > 10);
	assert_true(run_all(fx, fn, SHORT_OF_ROOM, false, &end) > 3);
	assert_true(run_all(fx, fn, SHORT_OF_BACKING, false, &end) > 3);
	assert_true(run_all(fx, fn, SHORT_OF_PORT, false, &end) > 0);
	assert_true(run_all(fx, fn, SHORT_OF_PORT, true, &end) > 0);
	free_dumps(&end);
}
