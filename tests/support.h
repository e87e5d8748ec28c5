/* SPDX-License-Identifier: MIT */
/*
 * What the tests share: one fixture for each built (format, strategy) pair, and a runner that runs
 * each case on each of them.
 */
#ifndef PT_TESTS_SUPPORT_H
#define PT_TESTS_SUPPORT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger.h"
#include "pagetree.h"

/* Frames from here on: aligned to any page size, above all node memory. Never touched. */
#define FRAMES (UINT64_C(1) << 40)

#define RW (PT_READ | PT_WRITE)
#define RWU (PT_READ | PT_WRITE | PT_USER)

#define expect_ok(call) assert_int_equal((call), 0)
#define expect_error(call, error) assert_int_equal((call), -(error))

struct flush {
	pt_va_t va;
	uint64_t len;
	bool tables;
};

/* What the flush hook was called with, for one thread. */
struct flush_log {
	struct flush calls[1024];
	unsigned n;
};

struct fixture {
	const struct pt_format_info *format;
	const struct pt_strategy_info *strategy;
	struct pt_pool *pool;
	struct pt_thread *self;
	struct pt_config config;
	struct pt_table *table;
	struct ledger ledger;
	struct flush_log flushes;
	pt_va_t first, last; /* what the table manages */
	uint64_t page;       /* bytes of a slot of level 1, */
	uint64_t huge;       /* of level 2, */
	uint64_t giant;      /* and of the highest level with leaves */
	unsigned giant_level;
	pt_va_t base; /* first address of root slot 1; 4 giant leaves fit behind it */
};

struct test_case {
	const char *name;
	void (*run)(struct fixture *fx);
	enum pt_reclaim reclaim;
};

#define TEST(function)                                   \
	{                                                \
#function, function, PT_RECLAIM_CALLBACK \
	}

/* With a pool that waits for grace periods: drop hooks have run when the call returns. */
#define TEST_SYNC(function)                          \
	{                                            \
#function, function, PT_RECLAIM_SYNC \
	}

/*
 * Of very many tries a test makes one in so many: PT_TEST_SHARE, 1 by default. For builds in which all
 * takes ten times as long.
 */
uint64_t test_share(void);

/*
 * Is it the turn of the pair, or whatever else a case runs on, with this number? Of so many as PT_TEST_PAIRS
 * says, 1 by default, one is, and each case should have others. For builds that need not run everything again.
 */
bool test_pair_is_due(size_t number);

/*
 * Run all cases on all pairs that are due and have the kind of node lock, if PT_NODE_LOCK asks for one.
 * Return: the number of failures, for main().
 */
int run_on_all_pairs(const char *group, const struct test_case *cases, size_t n);

/* The same without the runner. Both fail the test that calls them if something is wrong. */
void fixture_open(struct fixture *fx, const struct pt_format_info *format,
		  const struct pt_strategy_info *strategy, enum pt_reclaim reclaim);
/* With a pool as @pool says. */
void fixture_open_pool(struct fixture *fx, const struct pt_format_info *format,
		       const struct pt_strategy_info *strategy, const struct pt_pool_config *pool);
/* Destroys the table; all nodes and all references must be back. */
void fixture_close(struct fixture *fx);

/* Wait until what was removed is free and dropped. */
void reclaim(struct fixture *fx);

/*
 * Wait for the end of a thread, and return what it does. It may wait for a grace period, and that does not come,
 * with the qsbr flavour, while this thread, which is registered, just sleeps.
 */
void *join(struct fixture *fx, pthread_t id);

/* Replace the table by an empty one that is configured as fx->config says by now. */
void fixture_new_table(struct fixture *fx);

/* Trees that the table has: one for each of the pool's two homes, if the strategy replicates. */
unsigned trees(const struct fixture *fx);

/* The address space above the sign-extended hole, if there is one; else skips the test. */
void fixture_use_upper_half(struct fixture *fx);
/* Leading bits that end at the end of all addresses; skips the test if they are sign-extended. */
void fixture_use_leading_bits(struct fixture *fx);

/* ---- one line for what tests say most often ---- */

/* Map, by leaves as large as possible; takes the references of tracked items. */
void map(struct fixture *fx, pt_va_t va, uint64_t len, pt_pa_t pa, pt_prop_t prop);
/* Returns the pages that were mapped; flushed. */
uint64_t unmap(struct fixture *fx, pt_va_t va, uint64_t len);
uint64_t protect(struct fixture *fx, pt_va_t va, uint64_t len, pt_prop_t set, pt_prop_t clear);
struct pt_mapping query(struct fixture *fx, pt_va_t va);

/* A cursor that may write slots of any level. */
void begin_cursor(struct fixture *fx, pt_va_t va, uint64_t len, enum pt_mode mode,
		  struct pt_cursor *c);
int map_at_cursor(struct pt_cursor *c, pt_pa_t pa, pt_prop_t prop, unsigned level);

/* Take the references that mapping this range by the largest leaves consumes. */
void get_items(struct fixture *fx, pt_va_t va, uint64_t len, pt_pa_t pa, unsigned max_level);

/* @va is mapped to @pa by a leaf of @level; the query, the walk and a cursor agree. */
void expect_leaf(struct fixture *fx, pt_va_t va, pt_pa_t pa, pt_prop_t prop, unsigned level);
void expect_mark(struct fixture *fx, pt_va_t va, uint64_t mark);
void expect_empty(struct fixture *fx, pt_va_t va);

/* Flushed, with table entries if @tables, by the calls since the log was cleared. */
bool was_flushed(const struct fixture *fx, pt_va_t va, uint64_t len, bool tables);

/* S1 holds; what was counted. */
struct pt_check_report check(struct fixture *fx);

#endif
