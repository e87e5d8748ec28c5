/* SPDX-License-Identifier: MIT */
#include "apart.h"

#include <string.h>

#include "trace.h"

#define LINE_CELLS 8

/* Which threads of the scenario have accessed @cell in this execution; and which wrote it. */
static unsigned users_of(const struct cell *cell, unsigned threads, unsigned *ret_writers)
{
	unsigned users = 0, writers = 0;

	for (unsigned t = 0; cell->run == rt.run && t < threads; t++) {
		bool wrote = cell->seen[PLAIN_WRITE].of[t] || cell->seen[ATOMIC_WRITE].of[t];
		bool read = cell->seen[PLAIN_READ].of[t] || cell->seen[ATOMIC_READ].of[t];

		users |= (unsigned)(wrote || read) << t;
		writers |= (unsigned)wrote << t;
	}
	*ret_writers = writers;
	return users;
}

static unsigned lowest(unsigned set)
{
	return (unsigned)__builtin_ctz(set);
}

/*
 * Memory that threads share though they work apart: the oracle's words, and where tables come and go,
 * the pool, which is an object without a name of its own:
 *   - bytes retired and not yet free: their bound is one for all, so somebody has to add them up. It
 *     is written once for each chain that is handed in, not for each table;
 *   - of a home, how many nodes are taken, which ones are fresh, which chunks have free ones, and of a
 *     chunk, which these are: once for each half of a magazine, and for each chain that is freed.
 */
static bool may_be_shared(const struct program *p, const char *name)
{
	if (!strncmp(name, "ownership", strlen("ownership")))
		return true;
	return p->scenario->apart == APART_MEMORY && (!strncmp(name, "object", strlen("object")) ||
						      !strncmp(name, "chunk", strlen("chunk")));
}

/*
 * Nodes of the toy format are half a line, real ones are pages: of a node each cell counts by
 * itself.
 */
static unsigned cells_together(const char *name)
{
	return strncmp(name, "node ", strlen("node ")) ? LINE_CELLS : 1;
}

static void judge_line(const struct program *p, unsigned first, unsigned count)
{
	unsigned users = 0, writers = 0, shared = first;

	for (unsigned i = first; i < first + count; i++) {
		unsigned wrote, used = users_of(&rt.cells[i], p->threads, &wrote);

		if (wrote && !writers)
			shared = i;
		users |= used;
		writers |= wrote;
	}
	if (writers && (users & (users - 1))) {
		uintptr_t addr = ARENA_BASE + shared * sizeof(uint64_t);
		unsigned writer = lowest(writers), other = lowest(users & ~(1u << writer));
		char name[64];

		memory_name(addr, name, sizeof(name));
		rt_fail("P1",
			"threads that work apart meet: thread %u writes %s, whose line "
			"thread %u uses",
			writer, name, other);
	}
}

void apart_judge(const struct program *p)
{
	const struct pt_strategy_info *promise = pt_strategy_find(p->strategy);
	const bool promised = p->scenario->apart == APART_HOMES ? promise->replicates
			      : p->scenario->neighbours         ? promise->disjoint_slots
			      : p->scenario->above              ? promise->disjoint_building
								: promise->disjoint_parallel;

	if (!promised)
		return;
	if (rt.waited)
		rt_fail("P1", "a thread waits for a lock, though threads work apart");
	for (uint32_t i = 0; i < rt.nr_touched; i++) {
		unsigned cell = rt.touched[i], count;
		char name[64];

		if (cell >= ARENA_CELLS)
			continue;
		memory_name(ARENA_BASE + cell * sizeof(uint64_t), name, sizeof(name));
		if (may_be_shared(p, name))
			continue;
		count = cells_together(name);
		judge_line(p, cell & ~(count - 1), count);
	}
}
