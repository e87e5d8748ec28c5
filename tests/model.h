/* SPDX-License-Identifier: MIT */
/*
 * The model test: a table and a flat map that must say the same after each of many random calls.
 * model.c has what the calls share, model_calls.c the one-shot calls, model_raw.c their malformed
 * arguments, model_hold.c who holds references, model_cursor.c the cursors, model_role.c tables that
 * share the kernel's half, model_clone.c clones. Who chooses the calls: test_model.c by a seed,
 * stress/fuzz by what the fuzzer writes.
 */
#ifndef PT_TESTS_MODEL_H
#define PT_TESTS_MODEL_H

#include <stdatomic.h>

#include "dump.h"

struct leaf {
	pt_va_t va;
	struct pt_item item;
};

struct leaves {
	struct leaf *of;
	size_t n, capacity;
};

/* A reference that a query has brought. */
struct handle {
	pt_pa_t pa;
	unsigned level;
};

#define MODEL_HANDLES 8
#define MODEL_USERS 2

struct world {
	struct fixture *fx;
	struct flatmap map;
	uint64_t random;
	const uint8_t *bytes;    /* where choices come from instead, if not NULL, */
	size_t nr_bytes;         /* as many as are left; when there are none, all choices are 0 */
	bool failing;            /* node allocations may fail in this call */
	struct leaves expected;  /* removed, by what the map says, through the open gather */
	struct leaves reported;  /* by the gather */
	struct pt_gather gather; /* open from time to time, over several calls */
	bool gather_open;
	pt_prop_t clear;      /* of a harvest */
	uint64_t harvested;   /* leaves it has reported, */
	pt_va_t harvested_to; /* and where the next one may begin */
	uint64_t merged;
	struct handle handles[MODEL_HANDLES];
	unsigned nr_handles;
	struct pt_frames *frames; /* what tracked items are; NULL: entries of the ledger */
	uint64_t nr_frames;
	uint64_t frames_span; /* what is mapped repeats after so many bytes; 0: four giant leaves */
	_Atomic uint64_t frames_used;
	struct pt_table *users[MODEL_USERS]; /* share what the table maps; or NULL */
	pt_va_t managed_first,
		managed_last;            /* what looks may reach; fx->last is what changes may */
	uint64_t locks;                  /* taken so far, if the table counts */
	uint64_t calls, changes, enomem; /* for the summary: a test that does nothing shows */
};

/* ---- random values ---- */

uint64_t random_below(struct world *w, uint64_t bound);
static inline bool one_in(struct world *w, unsigned n)
{
	return random_below(w, n) == 0;
}
/* Near the ends of the table, or a boundary of blocks. */
void random_range(struct world *w, pt_va_t *ret_va, pt_va_t *ret_last);
pt_va_t random_page(struct world *w);
pt_pa_t random_frame(struct world *w, pt_va_t va);
pt_prop_t random_prop(struct world *w);
uint64_t random_mark(struct world *w);
/* Limit the nodes of the next call, now and then. */
void random_failure(struct world *w);
void end_failure(struct world *w);

/* ---- comparing ---- */

/* @rc is right: 0 if @errors is empty, else one of them; -ENOMEM also while failing. */
bool succeeded(struct world *w, int rc, uint64_t errors);
/* The same for a call that never allocates. */
bool succeeded_anyway(struct world *w, int rc, uint64_t errors);
#define ERROR_BIT(error) (UINT64_C(1) << (error))

void expect_mapping(struct world *w, pt_va_t va, const struct pt_mapping *m);
/* The item that the map has at @va, where a leaf begins or @va lies in it. */
struct leaf model_leaf(struct world *w, pt_va_t va);
void expect_item(const struct pt_item *a, const struct pt_item *b);
void expect_all(struct world *w);

/* ---- what is removed ---- */

/* Note all leaves of the range, which has been cut at both ends, as removed. */
void note_removed(struct world *w, pt_va_t first, pt_va_t last);
void open_gather(struct world *w);
/* Sync; what it reports must be what was noted. */
void sync_gather(struct world *w);
/* Every leaf noted so far that the MMU could have cached was flushed. */
void expect_removed_flushed(struct world *w);

/* Tracked items are counted frames from the next table on; no longer, when the last one is gone. */
void use_frames(struct world *w);
void end_frames(struct world *w);
/* @prop, without PT_TRACKED if the range is too long for it. */
pt_prop_t trackable(const struct world *w, pt_prop_t prop, pt_va_t first, pt_va_t last);

/* References for the leaves of a mapping; the other way round when it has failed. */
void give_items(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa, unsigned max_level);
void take_back_items(struct world *w, pt_va_t first, pt_va_t last, pt_pa_t pa, unsigned max_level);
void give_item(struct world *w, pt_pa_t pa, unsigned level);
void take_back_item(struct world *w, pt_pa_t pa, unsigned level);

/* A handle for @item, which a query has brought with a reference; the end of a handle, of which there
 * is one. */
void keep(struct world *w, const struct pt_item *item);
void let_go(struct world *w);

/* Leaves and handles hold all references there are. */
void expect_references(struct world *w);

/* ---- calls with given arguments ---- */

/*
 * Make the call, compare what it returns with the map, and change that alike. While w->failing it may
 * return -ENOMEM instead, which w->enomem counts; then nothing has changed.
 */
void model_map(struct world *w, pt_va_t va, pt_va_t last, pt_pa_t pa, pt_prop_t prop,
	       unsigned max_level);
void model_unmap(struct world *w, pt_va_t va, pt_va_t last, bool gather);
void model_protect(struct world *w, pt_va_t va, pt_va_t last, pt_prop_t set, pt_prop_t clear);
void model_mark(struct world *w, pt_va_t va, pt_va_t last, uint64_t mark);
/* @counted: compare how many tables went with how many there are. */
void model_prune(struct world *w, pt_va_t va, pt_va_t last, bool gather, bool counted);
void model_merge(struct world *w, pt_va_t va, pt_va_t last, unsigned max_level);
void model_harvest(struct world *w, pt_va_t va, pt_va_t last, pt_prop_t clear, bool gather);
/* @view: the table, or one that shares it. */
void model_access(struct world *w, struct pt_table *view, pt_va_t va, enum pt_access access,
		  bool user);

struct transaction {
	struct world *w;
	struct pt_cursor c;
	enum pt_mode mode;
	unsigned top;
	pt_va_t first, last;
	pt_va_t va; /* where the cursor must stand */
	bool at_end;
};

/* False when it was refused: no cursor is open. Opens the gather, too. */
bool cursor_begin(struct transaction *t, struct world *w, pt_va_t va, pt_va_t last,
		  enum pt_mode mode, unsigned top);
/* @errors: those that the arguments must lead to, as ERROR_BIT() says them. */
void cursor_find_next(struct transaction *t, uint64_t len, uint64_t errors);
void cursor_jump(struct transaction *t, pt_va_t va, uint64_t errors);
void cursor_map(struct transaction *t, const struct pt_item *wanted);
void cursor_mark(struct transaction *t, uint64_t len, uint64_t mark, uint64_t errors);
void cursor_take_next(struct transaction *t, uint64_t len, uint64_t errors);
void cursor_protect_next(struct transaction *t, uint64_t len, pt_prop_t set, pt_prop_t clear,
			 uint64_t errors);

/* ---- random calls ---- */

typedef void (*model_call)(struct world *w);
/* Those that come often; `random_transaction` fails its own steps, the others are to be failed. */
extern const model_call model_calls[];
extern const unsigned nr_model_calls;

void random_transaction(struct world *w);
/* Malformed on purpose, or far away; nothing must come of it. */
void call_nonsense(struct world *w);

/* Clone some of the table into another one, and compare that with the map. */
void call_clone(struct world *w);

/* A new table, configured as w->fx->config says, and an empty map; users too, if it is a kernel's. */
void open_world(struct world *w);
/* All that must hold at the end does, and nothing is left but the table. */
void close_world(struct world *w);

/* ---- who shares ---- */

/* User tables that share w->fx->table's half, with a page of their own each; and their end. */
void open_users(struct world *w);
void close_users(struct world *w);
/* The table, or one that shares it: which one a look goes through does not matter. */
struct pt_table *random_view(struct world *w);
/* One of the users has what it should in its own half; it may go, and another one come. */
void call_user(struct world *w);

#endif
