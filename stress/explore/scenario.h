/* SPDX-License-Identifier: MIT */
/*
 * What a scenario is: an initial tree and a few calls for each thread, as data.
 *
 * The table is of the toy format: 3 levels of 4 slots, 64 pages. Pages and frames are numbers;
 * a slot of level 2 spans 4 pages, one of level 3 spans 16.
 *
 * There may be a second table, of the same kind: page SECOND_TABLE + n is then its page n.
 */
#ifndef EXPLORE_SCENARIO_H
#define EXPLORE_SCENARIO_H

#include "pagetree.h"
#include "runtime.h"

#define SCENARIO_PAGES 64
#define SCENARIO_FRAMES 64
#define SECOND_TABLE (SCENARIO_PAGES / 2)
#define MAX_STEPS 8 /* of a thread */

enum step_kind {
	STEP_NONE, /* the end of a list */
	/* calls that are transactions by themselves */
	STEP_MAP,
	STEP_UNMAP,
	STEP_PROTECT,
	STEP_MARK,
	STEP_PRUNE,
	STEP_MERGE,
	STEP_HARVEST,
	STEP_CLONE, /* into the other table */
	/* calls that look at one page */
	STEP_QUERY,
	STEP_QUERY_GET, /* with a reference of a tracked frame, given back at once */
	STEP_WALK,
	STEP_ACCESS, /* as the hardware: the translation is cached, see tlb.h */
	/* a transaction of several calls; inside it there may be another, on the other table */
	STEP_BEGIN,
	STEP_TRY, /* begin if that needs no waiting; else what follows up to its end is left out */
	STEP_CURSOR_QUERY,
	STEP_CURSOR_FIND,
	STEP_CURSOR_JUMP,
	STEP_CURSOR_MAP,
	STEP_CURSOR_TAKE,
	STEP_CURSOR_PROTECT,
	STEP_CURSOR_MARK,
	STEP_END,
	/* what changes no page */
	STEP_SYNC,
	STEP_FAIL_ALLOC,
	STEP_ALLOC_MAY_FAIL,
	STEP_RECLAIM,
	/* tables that share a kernel half: see roles.h */
	STEP_TABLE_NEW,
	STEP_TABLE_DROP,
	STEP_TABLE_GET,
	STEP_TABLE_PUT,
	STEP_KERNEL_PUT,
	STEP_ACTIVATE,
	STEP_DEACTIVATE,
	/* counted frames: see frames.h */
	STEP_FRAME_MAKE,
	STEP_FRAME_GET,
	STEP_FRAME_USE,
	STEP_FRAME_OWN,
	STEP_FRAME_PUT,
	/* statistics: see figures.h */
	STEP_STATS,
	STEP_REGISTER,
	/* the pool alone: see spares.h */
	STEP_NODES_TAKE,
	STEP_NODES_GIVE,
};

struct step {
	enum step_kind kind;
	uint8_t page, pages;
	uint8_t frame;
	uint8_t level; /* of an item, or the top of a cursor */
	bool gather;   /* unmap, protect: into the thread's gather, which SYNC flushes */
	bool emulated; /* the access: by software, for which no flush waits */
	uint8_t mode;  /* enum pt_mode, enum pt_access */
	pt_prop_t set, clear;
	uint64_t value; /* a mark; how many allocations succeed */
};

/* Threads work on parts of the table that do not touch: see apart.h. */
enum apart {
	APART_NOT,
	APART_ALL,
	APART_MEMORY, /* but share the pool that nodes come from */
	APART_HOMES,  /* of different homes, where each has a tree of its own */
};

struct scenario {
	const char *name;
	const char *about;
	bool cold;     /* threads begin without spare nodes, so they meet in the pool */
	bool homes;    /* the first thread is of NUMA home 0, the others of home 1; so always with
			* strategies that replicate */
	bool scarce;   /* but there is memory for one home only */
	bool hardware; /* CPUs cache translations, calls flush them; frames and dirty bits count */
	bool roles;    /* a kernel table and a user table that shares its half: see roles.h */
	bool two_tables;
	enum apart apart;
	bool neighbours; /* they work on different pages of one leaf table */
	bool above;      /* some of them lock tables above leaf tables, or make them */
	unsigned frames; /* tracked items are counted frames, of at most so many references; or 0 */
	bool memory_may_fail; /* any one allocation of the threads: the search tries each */
	bool stats;           /* the table counts: see figures.h */
	unsigned spares; /* chunks of nodes that steps take and give: see spares.h; 0: one chunk */
	bool crowd;      /* many other threads are registered */
	unsigned page_calls;   /* calls on one page, all that the threads make; 0: it depends */
	bool synchronous;      /* who retires tables waits for the grace period itself */
	const char *user;      /* strategy of user tables; NULL: the kernel's */
	const char *node_lock; /* NULL: as the command line says */
	unsigned backlog;      /* bytes retired at which calls wait; 0: as the pool chooses */
	struct step initial[MAX_STEPS];
	struct step threads[MAX_THREADS][MAX_STEPS];
};

const struct scenario *scenario_at(unsigned index); /* NULL past the end */
const struct scenario *scenario_find(const char *name);

/* ---- notation ---- */

#define RO PT_READ
#define RW (PT_READ | PT_WRITE)
#define TRACKED_RW (PT_READ | PT_WRITE | PT_TRACKED)

#define ONLY(kind_)            \
	{                      \
		.kind = kind_, \
	}
#define OF_FRAME(kind_, f)                 \
	{                                  \
		.kind = kind_, .frame = f, \
	}
#define OF_PAGES(kind_, p, n)                         \
	{                                             \
		.kind = kind_, .page = p, .pages = n, \
	}

#define MAP_AS(p, n, f, prop_, level_)                                                             \
	{                                                                                          \
		.kind = STEP_MAP, .page = p, .pages = n, .frame = f, .set = prop_, .level = level_ \
	}
#define MAP(p, n, f) MAP_AS(p, n, f, RW, 1)
#define MAP_HUGE(p, f) MAP_AS(p, 4, f, RW, 2)
#define UNMAP(p, n) OF_PAGES(STEP_UNMAP, p, n)
#define UNMAP_LATER(p, n)                                                 \
	{                                                                 \
		.kind = STEP_UNMAP, .page = p, .pages = n, .gather = true \
	}
#define PROTECT(p, n, set_, clear_)                                                       \
	{                                                                                 \
		.kind = STEP_PROTECT, .page = p, .pages = n, .set = set_, .clear = clear_ \
	}
#define PROTECT_LATER(p, n, set_, clear_)                                                  \
	{                                                                                  \
		.kind = STEP_PROTECT, .page = p, .pages = n, .set = set_, .clear = clear_, \
		.gather = true                                                             \
	}
#define MARK(p, n, v)                                                \
	{                                                            \
		.kind = STEP_MARK, .page = p, .pages = n, .value = v \
	}
#define PRUNE(p, n) OF_PAGES(STEP_PRUNE, p, n)
#define MERGE(p, n)                                                   \
	{                                                             \
		.kind = STEP_MERGE, .page = p, .pages = n, .level = 2 \
	}
#define HARVEST(p, n, clear_)                                                 \
	{                                                                     \
		.kind = STEP_HARVEST, .page = p, .pages = n, .clear = clear_, \
	}
#define CLONE(p, n, clear_)                                                 \
	{                                                                   \
		.kind = STEP_CLONE, .page = p, .pages = n, .clear = clear_, \
	}
#define QUERY(p) OF_PAGES(STEP_QUERY, p, 1)
#define QUERY_GET(p) OF_PAGES(STEP_QUERY_GET, p, 1)
#define WALK(p) OF_PAGES(STEP_WALK, p, 1)
#define LOAD(p)                                                                    \
	{                                                                          \
		.kind = STEP_ACCESS, .page = p, .pages = 1, .mode = PT_ACCESS_READ \
	}
#define STORE(p)                                                                    \
	{                                                                           \
		.kind = STEP_ACCESS, .page = p, .pages = 1, .mode = PT_ACCESS_WRITE \
	}
#define EMULATED_STORE(p)                                                            \
	{                                                                            \
		.kind = STEP_ACCESS, .page = p, .pages = 1, .mode = PT_ACCESS_WRITE, \
		.emulated = true                                                     \
	}
#define BEGIN(mode_, p, n, top)                                                        \
	{                                                                              \
		.kind = STEP_BEGIN, .page = p, .pages = n, .mode = mode_, .level = top \
	}
#define TRY(mode_, p, n, top)                                                        \
	{                                                                            \
		.kind = STEP_TRY, .page = p, .pages = n, .mode = mode_, .level = top \
	}
#define C_QUERY ONLY(STEP_CURSOR_QUERY)
#define C_FIND(n)                                    \
	{                                            \
		.kind = STEP_CURSOR_FIND, .pages = n \
	}
#define C_JUMP(p)                                   \
	{                                           \
		.kind = STEP_CURSOR_JUMP, .page = p \
	}
#define C_MAP(f)                                                                       \
	{                                                                              \
		.kind = STEP_CURSOR_MAP, .frame = f, .pages = 1, .set = RW, .level = 1 \
	}
#define C_MAP_HUGE(f)                                                                  \
	{                                                                              \
		.kind = STEP_CURSOR_MAP, .frame = f, .pages = 4, .set = RW, .level = 2 \
	}
#define C_TAKE(n)                                                    \
	{                                                            \
		.kind = STEP_CURSOR_TAKE, .pages = n, .gather = true \
	}
#define C_PROTECT(n, set_, clear_)                                                     \
	{                                                                              \
		.kind = STEP_CURSOR_PROTECT, .pages = n, .set = set_, .clear = clear_, \
		.gather = true                                                         \
	}
#define C_MARK(n, v)                                             \
	{                                                        \
		.kind = STEP_CURSOR_MARK, .pages = n, .value = v \
	}
#define END ONLY(STEP_END)
#define SYNC ONLY(STEP_SYNC)
#define FAIL_ALLOC(k)                               \
	{                                           \
		.kind = STEP_FAIL_ALLOC, .value = k \
	}
/* From here on: one allocation, whichever, in any thread that says so. The search tries them all. */
#define ALLOC_MAY_FAIL ONLY(STEP_ALLOC_MAY_FAIL)
#define RECLAIM ONLY(STEP_RECLAIM)
/* A user table of the thread's own; and the end of it. */
#define NEW_TABLE ONLY(STEP_TABLE_NEW)
#define DROP_TABLE ONLY(STEP_TABLE_DROP)
/* One more, one less, reference of the scenario's user table; of the kernel table. */
#define GET_TABLE ONLY(STEP_TABLE_GET)
#define PUT_TABLE ONLY(STEP_TABLE_PUT)
#define PUT_KERNEL ONLY(STEP_KERNEL_PUT)
/* The thread's CPU runs on the table that the thread looks through; on none. */
#define ACTIVATE ONLY(STEP_ACTIVATE)
#define DEACTIVATE ONLY(STEP_DEACTIVATE)
/* An unused frame gets content and a reference; the thread's only reference gives new content. */
#define FRAME_MAKE(f) OF_FRAME(STEP_FRAME_MAKE, f)
#define FRAME_OWN(f) OF_FRAME(STEP_FRAME_OWN, f)
#define FRAME_GET(f) OF_FRAME(STEP_FRAME_GET, f)
#define FRAME_USE(f) OF_FRAME(STEP_FRAME_USE, f)
#define FRAME_PUT(f) OF_FRAME(STEP_FRAME_PUT, f)
#define LOOK_AT_STATS ONLY(STEP_STATS)
#define REGISTER_ANEW ONLY(STEP_REGISTER)
#define NODES_TAKE(n) OF_PAGES(STEP_NODES_TAKE, 0, n)
/* In a set-up: for, and of, another thread. */
#define NODES_FOR(t, n)                                          \
	{                                                        \
		.kind = STEP_NODES_TAKE, .pages = n, .frame = t, \
	}
#define NODES_OF(t, n)                                           \
	{                                                        \
		.kind = STEP_NODES_GIVE, .pages = n, .frame = t, \
	}
#define NODES_GIVE(n) OF_PAGES(STEP_NODES_GIVE, 0, n)

#endif
