/* SPDX-License-Identifier: MIT */
#include "psc.h"

#include "trace.h"

/* The MMU of the explorer's format, arch/toy.h: what says that an entry refers to a table, and where. */
#define ENTRY_TABLE 1
#define ENTRY_SHIFT 8
#define ENTRY_PA_MASK ((UINT64_C(1) << 48) - 1)

#define LEAF_PAGES 4   /* of a leaf table */
#define UPPER_PAGES 16 /* of a table of level 2 */
#define LEAF_TABLES (SCENARIO_PAGES / LEAF_PAGES)
#define UPPER_TABLES (SCENARIO_PAGES / UPPER_PAGES)

/* Where the tables are that a CPU knows, by the pages they lead to; 0: it knows none. */
static struct psc {
	uintptr_t leaf[MAX_THREADS][LEAF_TABLES];
	uintptr_t upper[MAX_THREADS][UPPER_TABLES];
	bool used;
} psc, snapshot;

void psc_clear(void)
{
	psc = (struct psc){.used = false};
}

void psc_snapshot(void)
{
	snapshot = psc;
}

void psc_restore(void)
{
	if (psc.used)
		psc = snapshot;
}

static uintptr_t memory_of(pt_pa_t pa)
{
	return memory_base("node") + (uintptr_t)(pa - PHYS_BASE);
}

/* The table behind the slot of the table at @slots; 0: there is none. */
static uintptr_t table_behind(uintptr_t slots, unsigned index)
{
	uint64_t pte;

	if (!slots)
		return 0;
	pte = __atomic_load_n((const uint64_t *)slots + index, __ATOMIC_RELAXED);
	return pte & ENTRY_TABLE ? memory_of(pte >> ENTRY_SHIFT & ENTRY_PA_MASK) : 0;
}

/*
 * Remembered is the path that is there when the walk has ended, still in the middle of the access:
 * whoever removes part of it flushes this CPU later.
 */
void psc_walked(const struct program *program, const struct pt_table *table, unsigned page)
{
	unsigned at = VA_PAGE(page_va(program, page));
	uintptr_t upper, leaf;

	sched_effect_any();
	rt.quiet = true;
	upper = table_behind(memory_of(pt_table_root(table)), at / UPPER_PAGES);
	leaf = table_behind(upper, at / LEAF_PAGES % (UPPER_PAGES / LEAF_PAGES));
	rt.quiet = false;
	psc.upper[rt.me][page / UPPER_PAGES] = upper;
	psc.leaf[rt.me][page / LEAF_PAGES] = leaf;
	psc.used = true;
}

void psc_flush(unsigned cpu, unsigned first, unsigned last)
{
	for (unsigned i = first / LEAF_PAGES; i <= last / LEAF_PAGES; i++)
		psc.leaf[cpu][i] = 0;
	for (unsigned i = first / UPPER_PAGES; i <= last / UPPER_PAGES; i++)
		psc.upper[cpu][i] = 0;
}

static void must_not_know(unsigned cpu, uintptr_t known, uintptr_t addr)
{
	char name[64];

	if (known != addr)
		return;
	memory_name(addr, name, sizeof(name));
	rt_fail("R1", "a table is freed (%s) while %s still has it cached", name,
		trace_thread(cpu));
}

void psc_freed(uintptr_t addr)
{
	if (!psc.used)
		return;
	for (unsigned cpu = 0; cpu < MAX_THREADS; cpu++) {
		for (unsigned i = 0; i < LEAF_TABLES; i++)
			must_not_know(cpu, psc.leaf[cpu][i], addr);
		for (unsigned i = 0; i < UPPER_TABLES; i++)
			must_not_know(cpu, psc.upper[cpu][i], addr);
	}
}
