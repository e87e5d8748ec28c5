/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the explorer's run time share: the memory that the library under test gets,
 * with a shadow of it, and the threads of the scenario, one of which runs.
 *
 *   hooks.c      the compiler's calls, one for each access of the library
 *   memory.c     the arena and its shadow: races, poison, putting everything back
 *   weak.c       older values that loads may read
 *   sched.c      who runs next; blocking; deadlock
 *   search.c     which schedules there are to run; bounded.c, dpor.c, sample.c: which of them are
 *   trace.c      what happened, in words
 *   lib/port/model/port_model.c   grace periods and memory, as the port wants them
 */
#ifndef EXPLORE_RUNTIME_H
#define EXPLORE_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "coroutine.h"
#include "footprint.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* ---- memory ---- */

#define ARENA_BASE ((uintptr_t)0x600000000000)
#define ARENA_BYTES ((uintptr_t)256 << 10)
#define ARENA_CELLS (ARENA_BYTES / 8)

/* Locations that are not memory of the library, but that threads conflict on all the same. */
enum pseudo_cell { CELL_RCU, CELL_TLB, CELL_HEAP, CELL_FRAMES, CELL_PSEUDO_NR };

enum access { PLAIN_READ, PLAIN_WRITE, ATOMIC_READ, ATOMIC_WRITE, ACCESS_NR };

/*
 * The shadow of 8 bytes. For each kind of access and thread the time of the last one, and which of
 * the bytes; an access to other bytes forgets the one before, so a race can be missed in one
 * schedule, but none is invented. What belongs to one execution counts if `run` is this execution.
 */
struct cell {
	uint32_t run;
	uint32_t version; /* changes of value in this execution */
	uint8_t poison;   /* free memory */
	uint8_t ignored;  /* nobody reads it */
	uint8_t hot;      /* threads conflict here: accesses are scheduling points */
	uint8_t bit;      /* in footprints, if it is hot or a pseudo cell */
	uint8_t readers;  /* threads that ever read it atomically, a bit each ... */
	uint8_t writers;  /* ... that ever wrote it; both of this scenario */
	uint8_t released; /* which of release[] count */
	uint8_t mask[ACCESS_NR][CLOCK_THREADS];
	_Alignas(64) union clock seen[ACCESS_NR];
	union clock release[8]; /* by the first byte of the atomic object */
};

/* ---- threads ---- */

#define MAX_THREADS 6 /* of a scenario */
#define THREAD_RCU 6  /* runs the callbacks */
#define THREAD_MAIN 7 /* sets up and tears down */
#define THREAD_ALL 8

#define MAX_POLLED 8

#define STEP_LIMIT 30000 /* of an execution, before it is taken for endless */

enum wait_kind { WAIT_NONE, WAIT_POLL, WAIT_SLEEP, WAIT_GRACE, WAIT_BARRIER, WAIT_FLUSH };

struct thread {
	struct coroutine coroutine;
	union clock clock;
	enum wait_kind waiting;
	bool polling;        /* evaluates the condition of a wait */
	bool invoke_pending; /* a call has begun, but has done nothing that others could notice */
	uint8_t nr_polled;
	struct polled {
		struct cell *cell;
		uintptr_t addr;
		uint32_t version;
	} polled[MAX_POLLED];
	const void *sleeps_on;
	uint32_t asleep_since;
	unsigned read_nest;  /* depth of RCU read sections */
	bool alloc_may_fail; /* the search picks whether, */
	bool alloc_failed;   /* and it did, in the current call */
	uint64_t waits_for; /* WAIT_GRACE: threads; WAIT_BARRIER: how many callbacks must be done */
	uint32_t invoked;   /* when the current call began, in events */
	const char *operation;
	struct footprint next; /* what it would do next, as far as that is known */
	struct footprint left; /* its last step when it was preempted */
};

/* What is tested: the explorer calls `body` for each thread, over and over. */
struct subject {
	const char *name;
	unsigned threads;
	void (*setup)(void *ctx); /* once: fill the arena */
	bool as_before;           /* set-up would give what it gave the subject before */
	void (*renew)(void *ctx); /* then this is called instead, or NULL */
	void (*start)(void *ctx); /* before each execution: reset what is outside the arena */
	void (*body)(void *ctx, unsigned thread);
	void (*finish)(void *ctx); /* after each execution, alone: judge and tear down */
	void *ctx;
};

struct runtime {
	/* touched by every hook */
	struct cell *cells;
	uint32_t run; /* number of this execution */
	uint8_t me;   /* running thread */
	bool quiet;   /* hooks do nothing: the explorer itself uses the memory */
	bool recording;
	bool weak;           /* loads may read older values: see weak.h */
	bool waited;         /* a thread of the scenario has waited for a lock in this execution */
	bool freeing;        /* this write makes the memory free */
	struct thread *self; /* running thread */
	uint32_t *touched;   /* cells used in this execution */
	uint32_t nr_touched;
	uint32_t step; /* possible scheduling points so far */
	uint32_t
		forced; /* from this step on a cell need not be hot: replay's next switch, or the limit */
	uint8_t pollers; /* threads in WAIT_POLL, a bit each */
	uint8_t enabled; /* threads that can run, a bit each */
	uint8_t unfinished;
	uint8_t away;   /* preempted, and nobody has met what they did just before, a bit each */
	uint8_t nr_hot; /* hot cells so far, as far as their bits go */
	struct footprint doing; /* what the current step has done */
	uint32_t atomics;       /* atomic accesses of the library in this execution */
	uint32_t events;        /* invocations and responses so far */
	struct thread threads[THREAD_ALL];
	const struct subject *subject;
};

extern struct runtime rt;

/* ---- memory.c ---- */

int memory_setup(void);
void memory_clear(void);    /* before a scenario is set up */
void memory_forget(void);   /* the conflicts learnt */
void memory_snapshot(void); /* what memory_restore() brings back */
void memory_restore(void);
uint64_t memory_signature(void); /* of all differences to the snapshot */
void *memory_reserve(size_t bytes, size_t align, bool poisoned);
void memory_poison(const void *addr, size_t bytes, bool poison);
/* Differences there are none: nobody reads what is written there. */
void memory_ignore(const void *addr, size_t bytes);
void memory_describe(const char *name, const void *base, size_t stride, size_t count);
uintptr_t memory_base(const char *name); /* of what was described so */
void memory_name(uintptr_t addr, char *text, size_t size);
const char *memory_letter(uintptr_t addr); /* what a race there breaks */
bool memory_learn(void);                   /* are there new conflicts? Then heat their cells. */
void cell_begin(struct cell *cell);
void race_check(struct cell *cell, enum access kind, uint8_t mask, uintptr_t addr);
void poison_hit(uintptr_t addr, enum access kind);

static inline struct cell *cell_of(uintptr_t addr)
{
	return &rt.cells[(addr - ARENA_BASE) / 8];
}

static inline bool in_arena(uintptr_t addr)
{
	return addr - ARENA_BASE < ARENA_BYTES;
}

static inline struct cell *pseudo_cell(enum pseudo_cell which)
{
	return &rt.cells[ARENA_CELLS + which];
}

/* Check one access, within one cell, against all that came before, and remember it. */
static inline void access_cell(struct cell *cell, enum access kind, uint8_t mask, uintptr_t addr)
{
	const union clock *now = &rt.self->clock;
	bool suspect;

	if (unlikely(cell->poison))
		poison_hit(addr, kind);
	if (cell->run != rt.run)
		cell_begin(cell);
	/* Once more in the same epoch: what races now has raced then. */
	else if (cell->seen[kind].of[rt.me] == now->of[rt.me] &&
		 (cell->mask[kind][rt.me] & mask) == mask)
		return;
	suspect = clock_exceeds(&cell->seen[PLAIN_WRITE], now);
	if (kind == PLAIN_READ || kind == PLAIN_WRITE)
		suspect |= clock_exceeds(&cell->seen[ATOMIC_WRITE], now);
	if (kind == PLAIN_WRITE || kind == ATOMIC_WRITE)
		suspect |= clock_exceeds(&cell->seen[PLAIN_READ], now);
	if (kind == PLAIN_WRITE)
		suspect |= clock_exceeds(&cell->seen[ATOMIC_READ], now);
	if (unlikely(suspect))
		race_check(cell, kind, mask, addr);
	if (cell->seen[kind].of[rt.me] == now->of[rt.me]) {
		cell->mask[kind][rt.me] |= mask;
	} else {
		cell->seen[kind].of[rt.me] = now->of[rt.me];
		cell->mask[kind][rt.me] = mask;
	}
}

/* Check a plain access of any length, as the hooks do; for words of the explorer's own, too. */
void access_plain(const volatile void *addr, size_t bytes, bool write, const void *pc);

/* ---- sched.c ---- */

int sched_setup(void);

/*
 * Run one execution of rt.subject. sched_failed() tells whether it broke a rule.
 */
void sched_run(void);

/* Run a function on the main coroutine, alone; false when it broke a rule. */
bool sched_alone(void (*fn)(void *ctx), void *ctx);

bool sched_failed(void);

/* The rule that was broken: a letter of the correctness contract, and what happened. */
const char *sched_letter(void);
const char *sched_message(void);

/* End this execution: a rule is broken. */
_Noreturn void rt_fail(const char *letter, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Somebody else may run now. */
void sched_choose(void);

/* The current step meets those who were preempted and had done what conflicts with it. */
void sched_meet(unsigned bit, bool write);

/* The current step does something that others might notice. */
static inline void sched_effect(const struct cell *cell, bool write)
{
	footprint_add(&rt.doing, cell->bit, write);
	if (unlikely(rt.away))
		sched_meet(cell->bit, write);
}

/* The current step reads what cannot be said. */
static inline void sched_effect_any(void)
{
	static const struct footprint any = {.sees = {UINT64_MAX, UINT64_MAX}};

	footprint_join(&rt.doing, &any);
	rt.away = 0;
}

/*
 * Whether others may run before an access to @cell. Return: true when they could, and the caller has to
 * say what it did there, with sched_effect().
 */
static inline bool sched_stop(struct cell *cell, bool write)
{
	rt.step++;
	if (!cell->hot && likely(rt.step < rt.forced))
		return false;
	rt.self->next = (struct footprint){0};
	footprint_add(&rt.self->next, cell->bit, write);
	sched_choose();
	return true;
}

static inline void sched_point(struct cell *cell, bool write)
{
	if (sched_stop(cell, write))
		sched_effect(cell, write);
}

/* Give up this execution: another one is equivalent. */
_Noreturn void sched_prune(void);
bool sched_pruned(void);

/* Block the running thread until somebody calls sched_wake() for it. */
void sched_block(enum wait_kind kind);
void sched_wake(unsigned thread);

/* A value in @cell has changed: wake those who poll it. */
void sched_changed(struct cell *cell);

/* Let THREAD_RCU run callbacks at once; returns when it has done or waits. */
void sched_run_rcu(void);

/* The call that has begun does something now. */
void sched_stamp(void);

/* A call begins, has ended; the times are in rt.events and as late, as early, as can be. */
void sched_invoke(const char *operation);
uint32_t sched_respond(void);

/* ---- port_model.c ---- */

void port_model_clear(void); /* before a scenario is set up */
void port_model_snapshot(void);
void port_model_restore(void);
bool port_model_has_callbacks(void);
void port_model_run_callbacks(void);
unsigned port_model_objects(void); /* port_alloc()ed and not freed */

#endif
