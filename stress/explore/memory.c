/* SPDX-License-Identifier: MIT */
/*
 * The arena and its shadow.
 *
 * Everything that the library allocates lies in one arena at a fixed address. After the scenario is
 * set up the arena is copied once; after each execution only the words that it touched are put
 * back. The same list of touched words gives the signature of the final state: executions that end
 * in a state seen before need no second judgement.
 *
 * A race is two conflicting accesses, not both atomic, that are not ordered by happens-before. It
 * is found from vector clocks, so it shows in every schedule in which neither access is ordered
 * before the other, not only in those where they meet.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime.h"
#include "trace.h"
#include "weak.h"

#define MAX_NAMES 64
#define MAX_POISONINGS 16384

struct runtime rt;

static uint64_t *snapshot; /* of the arena */
static uintptr_t used, snapshot_used;
static uintptr_t reach; /* the most that was used in any execution */

/* Poisonings of this execution, to be undone. */
static struct poisoning {
	uint32_t first, count;
} poisonings[MAX_POISONINGS];
static unsigned nr_poisonings;
static uint8_t poison_snapshot[ARENA_CELLS];

static struct name {
	const char *name;
	uintptr_t base;
	size_t stride, count;
} names[MAX_NAMES];
static unsigned nr_names, snapshot_names;

static void *map(void *addr, size_t bytes, int flags)
{
	void *got = mmap(addr, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	return got == MAP_FAILED ? NULL : got;
}

int memory_setup(void)
{
	size_t cells = ARENA_CELLS + CELL_PSEUDO_NR;

	if (map((void *)ARENA_BASE, ARENA_BYTES, MAP_FIXED_NOREPLACE) != (void *)ARENA_BASE)
		return -ENOMEM;
	snapshot = map(NULL, ARENA_BYTES, 0);
	rt.cells = map(NULL, cells * sizeof(*rt.cells), 0);
	rt.touched = map(NULL, cells * sizeof(*rt.touched), 0);
	return snapshot && rt.cells && rt.touched ? weak_setup() : -ENOMEM;
}

void memory_clear(void)
{
	memset((void *)ARENA_BASE, 0, reach);
	memset(rt.cells, 0, reach / 8 * sizeof(*rt.cells));
	memset(pseudo_cell(0), 0, CELL_PSEUDO_NR * sizeof(*rt.cells));
	used = 0;
	reach = 0;
	if (rt.weak)
		weak_clear();
	rt.run = 1;
	rt.nr_touched = 0;
	rt.nr_hot = 0;
	for (unsigned i = 0; i < CELL_PSEUDO_NR; i++)
		pseudo_cell(i)->bit = (uint8_t)(BIT_PSEUDO + i);
	nr_poisonings = 0;
	nr_names = 0;
}

void memory_forget(void)
{
	for (size_t i = 0; i < reach / 8; i++)
		rt.cells[i].hot = rt.cells[i].readers = rt.cells[i].writers = 0;
	for (unsigned i = 0; i < CELL_PSEUDO_NR; i++) {
		struct cell *cell = pseudo_cell(i);

		cell->hot = cell->readers = cell->writers = 0;
	}
	rt.nr_hot = 0;
}

void memory_snapshot(void)
{
	memcpy(snapshot, (void *)ARENA_BASE, used);
	for (size_t i = 0; i < used / 8; i++)
		poison_snapshot[i] = rt.cells[i].poison;
	snapshot_used = used;
	snapshot_names = nr_names;
	nr_poisonings = 0;
	rt.nr_touched = 0;
	rt.run++;
}

void memory_restore(void)
{
	uint64_t *arena = (uint64_t *)ARENA_BASE;

	for (uint32_t i = 0; i < rt.nr_touched; i++) {
		uint32_t cell = rt.touched[i];

		if (cell < ARENA_CELLS)
			arena[cell] = cell < snapshot_used / 8 ? snapshot[cell] : 0;
	}
	for (unsigned i = 0; i < nr_poisonings; i++)
		for (uint32_t n = 0; n < poisonings[i].count; n++) {
			uint32_t cell = poisonings[i].first + n;

			rt.cells[cell].poison =
				cell < snapshot_used / 8 ? poison_snapshot[cell] : 0;
		}
	nr_poisonings = 0;
	rt.nr_touched = 0;
	rt.run++;
	used = snapshot_used;
	nr_names = snapshot_names;
}

uint64_t memory_signature(void)
{
	const uint64_t *arena = (const uint64_t *)ARENA_BASE;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < rt.nr_touched; i++) {
		uint32_t cell = rt.touched[i];
		uint64_t before, mix;

		if (cell >= ARENA_CELLS || rt.cells[cell].ignored)
			continue;
		before = cell < snapshot_used / 8 ? snapshot[cell] : 0;
		if (arena[cell] == before)
			continue;
		mix = (arena[cell] ^ (cell + 1) * UINT64_C(0x9e3779b97f4a7c15)) *
		      UINT64_C(0xd6e8feb86659fd93);
		sum += mix ^ mix >> 32;
	}
	return sum;
}

void memory_ignore(const void *addr, size_t bytes)
{
	struct cell *cell = &rt.cells[((uintptr_t)addr - ARENA_BASE) / 8];

	for (size_t i = 0; i < bytes / 8; i++)
		cell[i].ignored = true;
}

void *memory_reserve(size_t bytes, size_t align, bool poisoned)
{
	uintptr_t start = (ARENA_BASE + used + align - 1) & ~(align - 1);

	bytes = (bytes + 63) & ~(size_t)63;
	if (align < 64)
		start = (start + 63) & ~(uintptr_t)63;
	if (bytes > ARENA_BYTES || start + bytes > ARENA_BASE + ARENA_BYTES)
		return NULL;
	used = start + bytes - ARENA_BASE;
	if (used > reach)
		reach = used;
	if (poisoned)
		memory_poison((void *)start, bytes, true);
	return (void *)start;
}

void memory_poison(const void *addr, size_t bytes, bool poison)
{
	uint32_t first = (uint32_t)(((uintptr_t)addr - ARENA_BASE) / 8);
	uint32_t count = (uint32_t)((bytes + 7) / 8);

	if (!in_arena((uintptr_t)addr) || !count)
		return;
	if (nr_poisonings < MAX_POISONINGS)
		poisonings[nr_poisonings++] = (struct poisoning){first, count};
	else if (rt.me != THREAD_MAIN)
		rt_fail("P1", "more than %u changes between free and used memory", MAX_POISONINGS);
	for (uint32_t i = 0; i < count; i++)
		rt.cells[first + i].poison = poison;
	if (unlikely(rt.recording))
		trace_note(poison ? "free" : "in use", (uintptr_t)addr);
}

void memory_describe(const char *name, const void *base, size_t stride, size_t count)
{
	if (nr_names < MAX_NAMES)
		names[nr_names++] = (struct name){name, (uintptr_t)base, stride, count};
}

uintptr_t memory_base(const char *name)
{
	for (unsigned i = 0; i < nr_names; i++)
		if (!strcmp(names[i].name, name))
			return names[i].base;
	return 0;
}

void memory_name(uintptr_t addr, char *text, size_t size)
{
	if (addr == (uintptr_t)pseudo_cell(CELL_RCU)) {
		snprintf(text, size, "grace period");
		return;
	}
	if (addr == (uintptr_t)pseudo_cell(CELL_TLB)) {
		snprintf(text, size, "TLB");
		return;
	}
	/* Later descriptions are of smaller things. */
	for (unsigned i = nr_names; i-- > 0;) {
		const struct name *n = &names[i];
		uintptr_t offset = addr - n->base;

		if (addr < n->base || offset >= n->stride * n->count)
			continue;
		if (!strcmp(n->name, "node"))
			snprintf(text, size, "node %zu slot %zu", (size_t)(offset / n->stride),
				 (size_t)(offset % n->stride / 8));
		else if (n->count > 1)
			snprintf(text, size, "%s %zu +%zu", n->name, (size_t)(offset / n->stride),
				 (size_t)(offset % n->stride));
		else
			snprintf(text, size, "%s +%zu", n->name, (size_t)offset);
		return;
	}
	snprintf(text, size, "memory +0x%zx", (size_t)(addr - ARENA_BASE));
}

const char *memory_letter(uintptr_t addr)
{
	char name[64];

	memory_name(addr, name, sizeof(name));
	return strncmp(name, "node ", 5) ? "C1" : "Q1";
}

/* When there are no more, cells share some. */
static uint8_t next_bit(void)
{
	return (uint8_t)(BIT_MEMORY + rt.nr_hot++ % (FOOTPRINT_BITS - BIT_MEMORY));
}

bool memory_learn(void)
{
	bool news = false;

	for (size_t i = 0; i < ARENA_CELLS + CELL_PSEUDO_NR; i++) {
		struct cell *cell = &rt.cells[i];
		unsigned users = cell->readers | cell->writers;

		if (i == reach / 8)
			i = ARENA_CELLS, cell = &rt.cells[i], users = cell->readers | cell->writers;
		if (!cell->hot && cell->writers && (users & (users - 1))) {
			cell->hot = 1;
			if (i < ARENA_CELLS)
				cell->bit = next_bit();
			news = true;
		}
	}
	return news;
}

void cell_begin(struct cell *cell)
{
	rt.touched[rt.nr_touched++] = (uint32_t)(cell - rt.cells);
	cell->run = rt.run;
	cell->version = 0;
	cell->released = 0;
	for (unsigned kind = 0; kind < ACCESS_NR; kind++)
		cell->seen[kind].v = (clock_vec){0};
}

static const char *const kind_names[ACCESS_NR] = {
	[PLAIN_READ] = "plain read",
	[PLAIN_WRITE] = "plain write",
	[ATOMIC_READ] = "atomic read",
	[ATOMIC_WRITE] = "atomic write",
};

static bool conflict(enum access a, enum access b)
{
	bool plain = a < ATOMIC_READ || b < ATOMIC_READ;
	bool write = a == PLAIN_WRITE || a == ATOMIC_WRITE || b == PLAIN_WRITE || b == ATOMIC_WRITE;

	return plain && write;
}

void race_check(struct cell *cell, enum access kind, uint8_t mask, uintptr_t addr)
{
	char name[64];

	for (unsigned other = 0; other < THREAD_ALL; other++)
		for (unsigned k = 0; k < ACCESS_NR; k++) {
			if (other == rt.me || !conflict(kind, k) ||
			    cell->seen[k].of[other] <= rt.self->clock.of[other] ||
			    !(cell->mask[k][other] & mask))
				continue;
			memory_name(addr, name, sizeof(name));
			trace_race(addr);
			rt_fail(rt.freeing ? "R1" : memory_letter(addr),
				"data race on %s: %s by %s, not ordered after the %s by %s", name,
				rt.freeing ? "freed" : kind_names[kind], trace_thread(rt.me),
				kind_names[k], trace_thread(other));
		}
}

void poison_hit(uintptr_t addr, enum access kind)
{
	char name[64];

	memory_name(addr, name, sizeof(name));
	rt_fail("R1", "use of free memory: %s of %s by %s", kind_names[kind], name,
		trace_thread(rt.me));
}

void access_plain(const volatile void *object, size_t bytes, bool write, const void *pc)
{
	uintptr_t addr = (uintptr_t)object;
	uintptr_t end = addr + bytes;

	if (!in_arena(addr) || unlikely(rt.quiet))
		return;
	if (unlikely(rt.recording))
		trace_plain(addr, bytes, write, pc);
	while (addr < end) {
		uintptr_t next = (addr | 7) + 1;
		unsigned first = addr & 7;
		unsigned last = next <= end ? 8 : end & 7;

		if (unlikely(rt.weak && write))
			weak_forget(cell_of(addr));
		access_cell(cell_of(addr), write ? PLAIN_WRITE : PLAIN_READ,
			    (uint8_t)((1u << last) - (1u << first)), addr);
		addr = next;
	}
}
