/* SPDX-License-Identifier: MIT */
/* Long scripts in which memory runs short at every point; nomem_script.h says how. */
#include "nomem_script.h"

#define TRACKED (RW | PT_TRACKED)

static unsigned all_levels(const struct script *s)
{
	return s->fx.format->levels;
}

/* ---- maps over the edges of tables, and all of it away again in pieces ---- */

static void fill_and_empty(struct script *s)
{
	const uint64_t page = s->fx.page;

	for (unsigned i = 0; i < 4; i++) {
		script_map(s, at(s, i, 0, i), page, RW, 1);
		script_map(s, at(s, i, 1, 0) - (i + 1) * page, (i + 1) * page, TRACKED, 1);
	}
	script_map(s, at(s, 0, 2, 0) - page, 2 * page, RW, 1);
	script_map(s, at(s, 1, 2, 0) - page, size(s, 0, 1, 1), RWU, 1);
	for (unsigned i = 0; i < 4; i++)
		script_unmap(s, at(s, i, 0, i), page);
	script_prune(s, at(s, 0, 0, 0), size(s, 1, 0, 0));
	for (unsigned i = 0; i < 4; i++)
		script_map_odd(s, at(s, 3 - i, 2, 1), 2 * page, TRACKED);
	script_protect(s, at(s, 0, 0, 0), size(s, 4, 0, 0), 0, PT_WRITE);
	for (unsigned i = 0; i < 4; i++)
		script_unmap(s, at(s, i, 0, 2), size(s, 0, 1, 1));
	script_prune(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	for (unsigned i = 0; i < 3; i++)
		script_map(s, at(s, i, 3, 0) - page, 3 * page, TRACKED, 2);
	for (unsigned i = 0; i < 3; i++)
		script_unmap(s, at(s, i, 2, 1), size(s, 0, 1, 0));
}

static void filling_and_emptying(struct fixture *fx)
{
	script_run_short(fx, fill_and_empty);
}

/* ---- huge leaves, split at edges and in the middle ---- */

static void split_one(struct script *s, unsigned giant, pt_prop_t prop)
{
	const uint64_t page = s->fx.page;

	script_map(s, at(s, giant, 0, 0), size(s, 1, 0, 0), prop, all_levels(s));
	script_protect(s, at(s, giant, 0, 1), page, 0, PT_WRITE);
	script_unmap(s, at(s, giant, 0, 2), page);
	script_map(s, at(s, giant, 0, 2), page, prop, 1);
	script_protect(s, at(s, giant, 0, 0), size(s, 1, 0, 0), PT_WRITE, 0);
	script_merge(s, at(s, giant, 0, 0), size(s, 1, 0, 0));
	script_protect(s, at(s, giant, 0, 3), size(s, 1, 0, 0) - 3 * page, PT_USER, 0);
}

static void split_and_merge(struct script *s)
{
	const uint64_t page = s->fx.page;

	split_one(s, 0, RW);
	split_one(s, 1, TRACKED);
	script_map(s, at(s, 2, 0, 0), size(s, 2, 0, 0), TRACKED, all_levels(s));
	script_protect(s, at(s, 3, 0, 0) - page, 2 * page, PT_USER, 0);
	script_unmap(s, at(s, 0, 0, 0) + size(s, 1, 0, 0) - page, 2 * page);
	script_unmap(s, at(s, 2, 0, 0), page);
	script_unmap(s, at(s, 3, 0, 2), size(s, 1, 0, 0) - 2 * page);
	script_mark(s, at(s, 3, 0, 2), size(s, 0, 0, 2), 7);
	script_merge(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	for (unsigned i = 0; i < 4; i++) {
		script_protect(s, at(s, i, 0, 1), size(s, 0, 1, 0), 0, PT_WRITE);
		script_unmap(s, at(s, i, 0, 3), size(s, 0, 0, 1));
		script_map_odd(s, at(s, i, 0, 3), page, TRACKED);
	}
}

static void splitting_and_merging(struct fixture *fx)
{
	script_run_short(fx, split_and_merge);
}

/* ---- marks in large slots, and in pieces of these ---- */

static void mark_and_fill(struct script *s)
{
	const uint64_t page = s->fx.page;

	script_mark(s, at(s, 0, 0, 0), size(s, 3, 0, 0), 1);
	for (unsigned i = 0; i < 3; i++) {
		script_map(s, at(s, i, 0, i + 1), page, TRACKED, 1);
		script_mark(s, at(s, i, 1, 0) - page, size(s, 0, 1, 1), 2 + i);
		script_unmap(s, at(s, i, 2, 0) - page, 2 * page);
	}
	script_mark(s, at(s, 3, 0, 1), size(s, 0, 2, 0), 9);
	script_map(s, at(s, 3, 1, 0), page, RW, 1);
	for (unsigned i = 0; i < 3; i++)
		script_unmap(s, at(s, i, 0, i + 1), page);
	/* Tables that hold marks only give way. */
	script_map(s, at(s, 0, 0, 0), size(s, 1, 0, 0), TRACKED, all_levels(s));
	script_map(s, at(s, 1, 0, 0), size(s, 0, 1, 0), RW, all_levels(s));
	script_mark(s, at(s, 2, 0, 0), size(s, 1, 0, 0), 3);
	script_protect(s, at(s, 0, 0, 1), size(s, 3, 0, 0), 0, PT_WRITE);
	for (unsigned i = 0; i < 3; i++) {
		script_mark(s, at(s, 2, 0, i), page, 4 + i);
		script_unmap(s, at(s, i, 0, 1), 2 * page);
		script_mark(s, at(s, i, 0, 1), 2 * page, 4);
		script_prune(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	}
	script_unmap(s, at(s, 0, 0, 1), size(s, 3, 0, 0));
}

static void marking_and_filling(struct fixture *fx)
{
	script_run_short(fx, mark_and_fill);
}

/* ---- transactions ---- */

static void build_by_cursor(struct script *s, unsigned giant, pt_prop_t prop)
{
	script_begin(s, at(s, giant, 0, 0), size(s, 2, 0, 0), PT_BUILD);
	script_jump(s, at(s, giant, 0, 1));
	script_map_item(s, prop, 1);
	script_map_item(s, prop, 1);
	script_jump(s, at(s, giant, 1, 0));
	script_map_item(s, prop, s->fx.giant_level > 2 ? 2 : 1);
	script_mark_next(s, size(s, 0, 0, 2), 5);
	script_jump(s, at(s, giant + 1, 0, 0));
	script_map_item(s, prop, s->fx.giant_level);
	script_end(s);
	script_sync(s);
}

static void change_by_cursor(struct script *s, unsigned giant)
{
	script_begin(s, at(s, giant, 0, 0), size(s, 2, 0, 0), PT_CHANGE);
	script_find_next(s, size(s, 1, 0, 0));
	script_protect_next(s, s->fx.page, 0, PT_WRITE);
	script_jump(s, at(s, giant + 1, 0, 1));
	script_protect_next(s, 2 * s->fx.page, 0, PT_WRITE); /* a page of the giant leaf */
	script_take_next(s, s->fx.page);                     /* the one behind it */
	script_jump(s, at(s, giant, 0, 0));
	script_take_next(s, size(s, 1, 0, 0));
	script_take_next(s, size(s, 1, 0, 0));
	script_end(s);
	script_sync(s);
}

/* In a mark that covers them all, single pages are mapped, others marked anew, and taken again. */
static void alternate_by_cursor(struct script *s, unsigned giant)
{
	script_mark(s, at(s, giant, 0, 0), size(s, 1, 0, 0), 1);
	script_begin(s, at(s, giant, 0, 0), size(s, 1, 0, 0), PT_BUILD);
	for (unsigned i = 0; i < 3; i += 2) {
		script_jump(s, at(s, giant, 0, i));
		script_map_item(s, TRACKED, 1);
		script_mark_next(s, s->fx.page, 2);
	}
	script_jump(s, at(s, giant, 0, 0));
	script_take_next(s, size(s, 0, 0, 1));
	script_take_next(s, size(s, 0, 0, 3));
	script_end(s);
	script_sync(s);
}

static void work_by_cursor(struct script *s)
{
	for (unsigned i = 0; i < 4; i++)
		alternate_by_cursor(s, i);
	script_unmap(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	build_by_cursor(s, 0, TRACKED);
	change_by_cursor(s, 0);
	build_by_cursor(s, 2, RW);
	change_by_cursor(s, 2);
	script_unmap(s, at(s, 0, 0, 1), size(s, 3, 0, 0));
	script_begin(s, at(s, 0, 0, 0), size(s, 4, 0, 0), PT_BUILD);
	script_mark_next(s, size(s, 0, 0, 1), 1);
	script_mark_next(s, size(s, 1, 0, 0), 2);
	script_jump(s, at(s, 0, 0, 3));
	script_map_item(s, TRACKED, 1);
	script_end(s);
	script_sync(s);
	script_begin(s, at(s, 0, 0, 0), size(s, 1, 0, 0), PT_READ_ONLY);
	script_find_next(s, size(s, 1, 0, 0));
	script_end(s);
	script_sync(s);
}

static void working_by_cursors(struct fixture *fx)
{
	script_run_short(fx, work_by_cursor);
}

/* ---- gathers, which must remember tracked leaves ---- */

/* So many that their storage needs several nodes. */
static void map_many(struct script *s, unsigned giant)
{
	const unsigned slots = 1u << s->fx.format->index_bits;

	script_map(s, at(s, giant, 0, 1), (slots - 1) * s->fx.page, TRACKED, 1);
	script_map(s, at(s, giant, 1, 0), (slots - 1) * s->fx.page, TRACKED, 1);
}

static void gather_many(struct script *s)
{
	const uint64_t page = s->fx.page;

	for (unsigned i = 0; i < 4; i += 2)
		map_many(s, i);
	for (unsigned i = 0; i < 3; i++)
		script_gather(s, at(s, 0, 0, i), size(s, 0, i, 2));
	script_protect(s, at(s, 2, 0, 2), size(s, 0, 1, 0), 0, PT_WRITE);
	script_gather(s, at(s, 2, 0, 0), size(s, 1, 0, 0) - 2 * page);
	script_map(s, at(s, 1, 0, 0), size(s, 1, 0, 0), TRACKED, all_levels(s));
	script_sync(s);
	script_gather(s, at(s, 1, 0, 1), page);
	script_gather(s, at(s, 1, 0, 3), size(s, 0, 1, 0));
	script_harvest(s, at(s, 0, 0, 0), size(s, 4, 0, 0), PT_ACCESSED);
	script_prune(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	script_gather(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	for (unsigned i = 0; i < 6; i++)
		script_map_odd(s, at(s, i / 2, 0, i), page, i % 2 ? RW : TRACKED);
	for (unsigned i = 0; i < 6; i++)
		script_gather(s, at(s, i / 2, 0, i), page);
	script_sync(s);
	script_map(s, at(s, 3, 0, 0), size(s, 1, 0, 0), RW, all_levels(s));
	script_gather(s, at(s, 3, 0, 1), size(s, 0, 1, 1));
	script_sync(s);
}

static void gathering(struct fixture *fx)
{
	script_run_short(fx, gather_many);
}

/* ---- copy on write ---- */

/* A write to a page that is shared: a copy takes its place. */
static void write_fault(struct script *s, pt_va_t va)
{
	script_unmap(s, va, s->fx.page);
	script_map_odd(s, va, s->fx.page, TRACKED);
	script_write(s, va);
}

static void fork_and_write(struct script *s)
{
	const uint64_t page = s->fx.page;

	script_map(s, at(s, 0, 0, 1), 2 * page, TRACKED, 1);
	script_map(s, at(s, 0, 1, 0) - page, 3 * page, TRACKED, 1);
	script_map(s, at(s, 1, 0, 0), size(s, 1, 0, 0), TRACKED, all_levels(s));
	script_mark(s, at(s, 2, 0, 0), size(s, 0, 1, 2), 3);
	script_write(s, at(s, 0, 0, 1));
	script_clone(s, at(s, 0, 0, 0), size(s, 0, 1, 1), PT_WRITE);
	script_clone(s, at(s, 1, 0, 1), size(s, 0, 1, 0), PT_WRITE); /* a part of a giant leaf */
	script_clone(s, at(s, 2, 0, 0), size(s, 1, 0, 0), 0);
	script_clone(s, at(s, 2, 0, 0), size(s, 1, 0, 0), 0); /* is refused for what is there */
	write_fault(s, at(s, 0, 0, 1));
	write_fault(s, at(s, 1, 0, 2));
	script_other(s);
	write_fault(s, at(s, 0, 0, 2));
	write_fault(s, at(s, 1, 0, 1));
	script_map(s, at(s, 2, 0, 1), page, TRACKED, 1);
	script_unmap(s, at(s, 0, 0, 0), size(s, 2, 0, 0));
	script_protect(s, at(s, 2, 0, 0), size(s, 1, 0, 0), 0, PT_WRITE);
	script_other(s);
	script_clone(s, at(s, 0, 0, 0), size(s, 2, 0, 0), PT_WRITE);
	script_protect(s, at(s, 0, 0, 0), size(s, 2, 0, 0), PT_WRITE, 0);
	script_other(s);
	write_fault(s, at(s, 1, 1, 1));
	write_fault(s, at(s, 0, 0, 2));
	script_unmap(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	script_other(s);
	script_map(s, at(s, 3, 0, 0), size(s, 1, 0, 0), RW, all_levels(s));
	script_clone(s, at(s, 3, 0, 1), size(s, 1, 0, 0) - page, PT_WRITE);
	script_merge(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
}

static void forking_and_writing(struct fixture *fx)
{
	script_run_short(fx, fork_and_write);
}

/* ---- upkeep between changes ---- */

static void keep_up(struct script *s)
{
	const uint64_t page = s->fx.page;

	for (unsigned round = 0; round < 3; round++) {
		pt_prop_t prop = round == 1 ? RW : TRACKED;

		script_map(s, at(s, round, 0, 0), size(s, 0, 1, 0) - page, prop, 1);
		script_map(s, at(s, round, 1, 0) - page, page, prop, 1);
		script_write(s, at(s, round, 0, round));
		script_harvest(s, at(s, round, 0, 0), size(s, 1, 0, 0), PT_DIRTY);
		script_merge(s, at(s, round, 0, 0), size(s, 1, 0, 0));
		script_protect(s, at(s, round, 0, 2), page, 0, PT_WRITE);
		script_merge(s, at(s, round, 0, 0), size(s, 1, 0, 0));
		script_protect(s, at(s, round, 0, 0), size(s, 1, 0, 0), PT_WRITE, 0);
		script_merge(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
		script_harvest(s, at(s, 0, 0, 0), size(s, 4, 0, 0), PT_ACCESSED | PT_DIRTY);
		script_unmap(s, at(s, round, 0, 1), 2 * page);
		script_map_odd(s, at(s, round, 0, 1), page, TRACKED);
		script_unmap(s, at(s, round, 0, 1), page);
		script_prune(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	}
}

static void keeping_up(struct fixture *fx)
{
	script_run_short(fx, keep_up);
}

/* ---- a program, from its start to its end ---- */

static void start_program(struct script *s)
{
	script_map(s, at(s, 0, 0, 0), size(s, 0, 0, 3), PT_READ | PT_TRACKED, 1); /* text */
	script_map(s, at(s, 0, 0, 3), size(s, 0, 0, 2), TRACKED, 1);              /* data */
	script_mark(s, at(s, 0, 1, 1), size(s, 0, 1, 0), 1);                      /* heap */
	script_mark(s, at(s, 1, 0, 0), size(s, 1, 0, 0), 2);                      /* reserved */
	script_mark(s, at(s, 3, 0, 0) - size(s, 0, 0, 8), size(s, 0, 0, 8), 3);   /* stack */
}

/* Pages are there when they are written to first. */
static void touch(struct script *s, pt_va_t va)
{
	script_unmap(s, va, s->fx.page);
	script_map(s, va, s->fx.page, TRACKED, 1);
	script_write(s, va);
}

/* Two processes write to what they share; the child ends. */
static void run_child(struct script *s)
{
	const uint64_t page = s->fx.page;

	script_clone(s, at(s, 0, 0, 0), size(s, 3, 0, 0), PT_WRITE);
	for (unsigned i = 0; i < 2; i++) {
		write_fault(s, at(s, 0, 0, 3 + i));
		script_other(s);
		write_fault(s, at(s, 0, 1, 1 + i));
		write_fault(s, at(s, 3, 0, 0) - (i + 1) * page);
		script_other(s);
	}
	script_other(s);
	script_unmap(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	script_other(s);
	script_protect(s, at(s, 0, 0, 3), size(s, 3, 0, 0) - 3 * page, PT_WRITE, 0);
}

static void live_program(struct script *s)
{
	const uint64_t page = s->fx.page;

	start_program(s);
	for (unsigned i = 0; i < 3; i++) {
		touch(s, at(s, 0, 1, 1 + i));
		touch(s, at(s, 3, 0, 0) - (i + 1) * page);
		touch(s, at(s, 1, i, i));
	}
	run_child(s);
	script_unmap(s, at(s, 1, 0, 0), size(s, 1, 0, 0)); /* and a huge page instead */
	script_map(s, at(s, 1, 0, 0), size(s, 1, 0, 0), TRACKED, all_levels(s));
	script_protect(s, at(s, 1, 0, 1), page, 0, PT_WRITE | PT_READ); /* a guard */
	script_harvest(s, at(s, 0, 0, 0), size(s, 3, 0, 0), PT_ACCESSED);
	run_child(s);
	script_gather(s, at(s, 1, 0, 0), size(s, 0, 1, 1));
	script_gather(s, at(s, 0, 1, 1), size(s, 0, 1, 0));
	script_sync(s);
	script_merge(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	script_prune(s, at(s, 0, 0, 0), size(s, 4, 0, 0));
	script_unmap(s, at(s, 0, 0, 1), size(s, 3, 0, 0));
}

static void living_and_dying(struct fixture *fx)
{
	script_run_short(fx, live_program);
}

/* ---- tables, threads, pools and frames come and go ---- */

#define NR_SPACES 4

static void create(struct script *s, struct pt_thread *self, const struct pt_config *config,
		   struct pt_table **ret_table)
{
	*ret_table = NULL;
	STEP(s, (assert_null(*ret_table),
		 succeeded(&s->w, pt_table_create(self, config, ret_table), 0)));
}

static void use_table(struct script *s, struct pt_thread *self, struct pt_table *table)
{
	struct pt_check_report report;
	pt_va_t first, last;

	pt_table_range(table, &first, &last);
	STEP(s, succeeded(&s->w, pt_map(self, table, first, 2 * s->fx.page, FRAMES, RW, 1), 0));
	STEP(s, succeeded(&s->w, pt_mark(self, table, last - (s->fx.page - 1), s->fx.page, 1), 0));
	expect_ok(pt_check(self, table, &report));
	assert_null(report.violation);
	assert_int_equal(report.leaves + report.marks, 3);
}

/* Users of a kernel's half, one of them on a CPU. */
static void share_kernel(struct script *s)
{
	const unsigned slots = 1u << s->fx.format->index_bits;
	struct pt_config config = s->fx.config;
	struct pt_table *kernel, *users[NR_SPACES];
	struct pt_cpu cpu = {{0}};

	config.role = PT_ROLE_KERNEL;
	config.top_first = slots / 2;
	config.top_end = slots / 2 + 2;
	create(s, s->fx.self, &config, &kernel);
	use_table(s, s->fx.self, kernel);
	config = s->fx.config;
	config.kernel = kernel;
	config.stats = true;
	for (unsigned i = 0; i < NR_SPACES; i++) {
		create(s, s->fx.self, &config, &users[i]);
		use_table(s, s->fx.self, users[i]);
		STEP(s, succeeded(&s->w, pt_table_activate(s->fx.self, &cpu, users[i]), 0));
	}
	STEP(s, succeeded(&s->w, pt_table_activate(s->fx.self, &cpu, NULL), 0));
	for (unsigned i = 0; i < NR_SPACES; i++)
		STEP(s, succeeded(&s->w, pt_table_destroy(s->fx.self, users[i]), 0));
	STEP(s, succeeded(&s->w, pt_table_put(s->fx.self, kernel), 0));
}

static void open_pool(struct script *s, struct pt_pool **ret_pool, struct pt_thread **ret_self)
{
	const struct pt_pool_config config = {
		.size = sizeof(config),
		.node_shift = s->fx.format->node_shift,
		.chunk_bytes = 1 << 20,
		.max_bytes = 1 << 20,
		.reclaim = PT_RECLAIM_SYNC,
	};

	*ret_pool = NULL;
	*ret_self = NULL;
	STEP(s, (assert_null(*ret_pool), succeeded(&s->w, pt_pool_create(&config, ret_pool), 0)));
	STEP(s, (assert_null(*ret_self),
		 succeeded(&s->w, pt_thread_register(*ret_pool, ret_self), 0)));
}

/* A pool of its own, with a thread and a table in it, while memory is short for all of them. */
static void open_and_close_pool(struct script *s)
{
	struct pt_config config = s->fx.config;
	struct pt_thread *self;
	struct pt_table *table;

	open_pool(s, &config.pool, &self);
	config.item_ops = NULL;
	config.stats = true;
	create(s, self, &config, &table);
	use_table(s, self, table);
	STEP(s, succeeded(&s->w, pt_table_destroy(self, table), 0));
	STEP(s, succeeded(&s->w, pt_thread_unregister(self), 0));
	STEP(s, succeeded(&s->w, pt_pool_destroy(config.pool), 0));
}

static void use_frames_for_a_while(struct script *s)
{
	const struct pt_frames_config config = {
		.size = sizeof(config), .first = FRAMES, .bytes = 64 << 12};
	struct pt_frames *frames = NULL;

	STEP(s, (assert_null(frames), succeeded(&s->w, pt_frames_create(&config, &frames), 0)));
	STEP(s, succeeded(&s->w, pt_frame_get_unused(frames, FRAMES, 8 << 12), 0));
	STEP(s, succeeded(&s->w, pt_frame_put(frames, FRAMES, 8 << 12), 0));
	STEP(s, succeeded(&s->w, pt_frames_destroy(frames), 0));
}

static void come_and_go(struct script *s)
{
	script_map(s, at(s, 0, 0, 0), size(s, 1, 0, 0), TRACKED, all_levels(s));
	share_kernel(s);
	STEP(s, succeeded(&s->w, pt_thread_set_home(s->fx.self, 0), 0));
	script_unmap(s, at(s, 0, 0, 1), s->fx.page);
	open_and_close_pool(s);
	use_frames_for_a_while(s);
	STEP(s, succeeded(&s->w, pt_thread_reclaim(s->fx.self), 0));
	script_clone(s, at(s, 0, 0, 0), size(s, 1, 0, 0), PT_WRITE);
}

static void coming_and_going(struct fixture *fx)
{
	script_run_short(fx, come_and_go);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST_SYNC(filling_and_emptying),
		TEST_SYNC(splitting_and_merging),
		TEST_SYNC(marking_and_filling),
		TEST_SYNC(working_by_cursors),
		TEST_SYNC(gathering),
		TEST_SYNC(forking_and_writing),
		TEST_SYNC(keeping_up),
		TEST_SYNC(living_and_dying),
		TEST_SYNC(coming_and_going),
	};

	return run_on_all_pairs("nomem scripts", cases, sizeof(cases) / sizeof(cases[0]));
}
