/* SPDX-License-Identifier: MIT */
/* A scenario being run on a table of one strategy: its calls, and what became of them. */
#ifndef EXPLORE_PROGRAM_H
#define EXPLORE_PROGRAM_H

#include "scenario.h"
#include "seen.h"

/* What one call did. Times count invocations and responses of the whole execution. */
struct call {
	const struct step *step;
	uint8_t thread;
	bool may_fail;   /* allocations of this thread fail */
	bool translated; /* an access: answered by a cached translation */
	int rc;
	uint32_t invoked, responded;
	union clock began; /* what comes before it, */
	int16_t ended;     /* and its thread's epoch when it returned */
	uint32_t page;     /* where: found, taken, changed; LEAF: frame */
	uint32_t pages;    /* how many */
	uint32_t done;     /* of one that failed: how many had been done before */
	enum pt_kind kind;
	uint64_t value; /* LEAF: physical address; MARK: mark */
	pt_prop_t prop;
};

struct program {
	const struct scenario *scenario;
	const char *strategy;
	unsigned threads;
	struct pt_pool *pool;
	struct pt_table *table, *second; /* the second one, if there is any */
	struct pt_table *kernel;         /* whose half the table shares, or NULL: see roles.h */
	struct pt_thread *handles[MAX_THREADS];
	uint64_t *owned; /* a plain word for each page, written by whoever holds it exclusively */
	struct call initial[MAX_STEPS];
	struct call calls[MAX_THREADS][MAX_STEPS];
	unsigned nr_calls[MAX_THREADS];
	char text[MAX_THREADS][MAX_STEPS][64];
};

/* Has @a returned before @b begins? With weak memory: is that so by happens-before? */
static inline bool call_before(const struct call *a, const struct call *b)
{
	return rt.weak ? b->began.of[a->thread] >= a->ended : a->responded < b->invoked;
}

/* Physical address of the first node. */
#define PHYS_BASE UINT64_C(0x10000)

/* Physical address of a frame, and back; frames are apart from nodes. */
#define FRAME_BASE UINT64_C(0x40000000)
#define FRAME_PA(frame) (FRAME_BASE + ((pt_pa_t)(frame) << 12))
#define PA_FRAME(pa) ((uint32_t)(((pa)-FRAME_BASE) >> 12))
#define PAGE_VA(page) ((pt_va_t)(page) << 12)
#define VA_PAGE(va) ((uint32_t)((va) >> 12))

static inline bool in_second(const struct program *p, unsigned page)
{
	return p->second && page >= SECOND_TABLE;
}

/* The page at the same address in the other table. */
#define OTHER_PAGE(page) ((page) ^ SECOND_TABLE)

static inline struct pt_table *table_of(const struct program *p, unsigned page)
{
	return in_second(p, page) ? p->second : p->table;
}

/* Where a page lies in its table, and the page at @va of the table that has @page. */
static inline pt_va_t page_va(const struct program *p, unsigned page)
{
	return PAGE_VA(in_second(p, page) ? page - SECOND_TABLE : page);
}

static inline uint32_t page_at(const struct program *p, unsigned page, pt_va_t va)
{
	return VA_PAGE(va) + (in_second(p, page) ? SECOND_TABLE : 0);
}

/* Bits that the hardware sets: not part of what a call promises about a page. */
#define HARDWARE_BITS (PT_ACCESSED | PT_DIRTY)

/* The node lock of scenarios that do not say which. */
#define DEFAULT_NODE_LOCK "ttas" /* which those that have other kinds do not take */
extern const char *program_node_lock;

void program_subject(struct program *program, const struct scenario *scenario, const char *strategy,
		     struct subject *ret);

/* Is a cursor no transaction, but each slot by itself? */
bool program_isolates_slots(const struct program *program);

/* How many different results and final states the executions since set-up had. */
unsigned program_outcomes(void);

/* The same, told apart also by which calls had ended before which began; until the next set-up. */
extern struct seen program_histories;

#endif
