/* SPDX-License-Identifier: MIT */
/*
 * Scripts: long sequences of calls, each compared with the flat model, that are run again and again
 * while memory runs short, at the first allocation, the second, the third... A call that is refused
 * must have changed nothing, and succeeds when there is memory again; so every run of a script ends
 * with the same tables.
 *
 * nomem_script.c has what memory runs short of, and what is compared; nomem_calls.c the calls; nomem_port.c
 * refuses what the library asks the port for.
 */
#ifndef PT_TESTS_NOMEM_SCRIPT_H
#define PT_TESTS_NOMEM_SCRIPT_H

#include "model.h"

enum shortage {
	SHORT_OF_NOTHING,
	SHORT_OF_NODES,   /* the thread gets k nodes: pt_thread_fail_alloc() */
	SHORT_OF_ROOM,    /* the pool has k free nodes: all others are in use */
	SHORT_OF_BACKING, /* so has the memory it got; the port has no more to put behind nodes */
	SHORT_OF_PORT,    /* the port refuses: an object, address space, or memory behind it */
};

/* What a call that is refused must leave as it was, besides the tables. */
struct kept {
	int64_t references;
	uint64_t splits, drops, merges;
	uint64_t removed; /* leaves that the gather is to report, or has reported */
};

/* Of both tables. */
struct dumps {
	struct dump table, other;
};

struct script {
	struct fixture fx;
	struct world w; /* of fx.table */
	/* A second table to clone into: see script_other(). */
	struct pt_table *other;
	struct flatmap other_map;
	struct transaction cursor;
	bool in_cursor;

	enum shortage shortage;
	bool lasts;             /* the next steps, too, find no memory at first */
	bool over;              /* there is memory again */
	bool relieved;          /* for the step at hand */
	struct pt_table **hogs; /* tables that are in the way */
	unsigned nr_hogs;
	bool crowded; /* there were some when the script began */

	unsigned steps, refused;
	unsigned first_refused; /* step; 0: none */
	unsigned suspect;       /* no step before this one will be refused */
	unsigned tries;         /* of the step at hand, so far */
	uint64_t enomem;
	struct kept kept;
	bool dumped;
	struct dumps before;
};

typedef void (*script_fn)(struct script *s);

/* Run @fn undisturbed, then with every shortage from every point on. */
void script_run_short(const struct fixture *fx, script_fn fn);

/*
 * One step: @call, an expression that ends in succeeded() or succeeded_anyway(), is made until it is
 * not refused.
 */
#define STEP(s, call)                      \
	do {                               \
		do {                       \
			step_try(s);       \
			call;              \
		} while (step_refused(s)); \
	} while (0)

void step_try(struct script *s);
bool step_refused(struct script *s);

/* ---- places: multiples of the sizes of leaves, behind fx.base ---- */

static inline uint64_t size(const struct script *s, unsigned giants, unsigned huges, unsigned pages)
{
	return giants * s->fx.giant + huges * s->fx.huge + pages * s->fx.page;
}

static inline pt_va_t at(const struct script *s, unsigned giants, unsigned huges, unsigned pages)
{
	return s->fx.base + size(s, giants, huges, pages);
}

/* ---- steps ---- */

/* Where an address is mapped, so that neighbours can be one leaf; @odd: a page further, so not. */
pt_pa_t script_frame(const struct script *s, pt_va_t va, bool odd);

void script_map(struct script *s, pt_va_t va, uint64_t len, pt_prop_t prop, unsigned max_level);
void script_map_odd(struct script *s, pt_va_t va, uint64_t len, pt_prop_t prop);
void script_unmap(struct script *s, pt_va_t va, uint64_t len);
void script_protect(struct script *s, pt_va_t va, uint64_t len, pt_prop_t set, pt_prop_t clear);
void script_mark(struct script *s, pt_va_t va, uint64_t len, uint64_t mark);
void script_prune(struct script *s, pt_va_t va, uint64_t len);
void script_merge(struct script *s, pt_va_t va, uint64_t len);
void script_harvest(struct script *s, pt_va_t va, uint64_t len, pt_prop_t clear);
void script_write(struct script *s, pt_va_t va); /* as the hardware does */

/* Unmap through a gather, which stays open until the sync. */
void script_gather(struct script *s, pt_va_t va, uint64_t len);
void script_sync(struct script *s);

/* Clone a range into the other table; and make that the one that all steps are about. */
void script_clone(struct script *s, pt_va_t va, uint64_t len, pt_prop_t clear);
void script_other(struct script *s);

/* A cursor, for all levels up to that of the largest leaves; one at a time. */
void script_begin(struct script *s, pt_va_t va, uint64_t len, enum pt_mode mode);
void script_end(struct script *s);
void script_jump(struct script *s, pt_va_t va);
void script_find_next(struct script *s, uint64_t len);
void script_map_item(struct script *s, pt_prop_t prop, unsigned level);
void script_mark_next(struct script *s, uint64_t len, uint64_t mark);
void script_take_next(struct script *s, uint64_t len);
void script_protect_next(struct script *s, uint64_t len, pt_prop_t set, pt_prop_t clear);

/* ---- the port ---- */

/* Requests for memory, while `counting`; those from `refuse` on, as many as `refusals`, fail. */
struct port_memory {
	bool counting;
	bool no_backing; /* there is address space, but nothing behind it */
	uint64_t requests;
	uint64_t refuse, refusals;
	int64_t objects;  /* that exist, */
	int64_t reserved; /* bytes */
};

extern struct port_memory port_memory;

#endif
