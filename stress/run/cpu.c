/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "cpu.h"
#include "inject.h"
#include "verdict.h"

#define SPINS 100u
#define SINGLY 32u /* flush so many pages one by one */

static void cpu_lock(struct cpu *cpu)
{
	/* Acquire: the others' accesses, and flushes, come before; pairs with cpu_unlock(). */
	while (atomic_exchange_explicit(&cpu->busy, 1, memory_order_acquire))
		for (unsigned n = 0; atomic_load_explicit(&cpu->busy, memory_order_relaxed); n++)
			if (n >= SPINS)
				sched_yield();
}

static void cpu_unlock(struct cpu *cpu)
{
	atomic_store_explicit(&cpu->busy, 0, memory_order_release);
}

/* ---- translation caches ---- */

static struct tlb_entry *tlb_find(struct cpu *cpu, uint64_t vpn)
{
	struct tlb_entry *set = cpu->tlb[vpn % TLB_SETS];

	for (unsigned way = 0; way < TLB_WAYS; way++)
		if (set[way].vpn == vpn + 1)
			return &set[way];
	return NULL;
}

static struct tlb_entry *tlb_slot(struct cpu *cpu, uint64_t vpn)
{
	struct tlb_entry *entry = tlb_find(cpu, vpn);

	return entry ? entry : &cpu->tlb[vpn % TLB_SETS][cpu->victim++ % TLB_WAYS];
}

static void tlb_forget(struct cpu *cpu, uint64_t first, uint64_t last)
{
	if (last - first < SINGLY) {
		for (uint64_t vpn = first; vpn <= last; vpn++) {
			struct tlb_entry *entry = tlb_find(cpu, vpn);

			if (entry)
				entry->vpn = 0;
		}
		return;
	}
	for (unsigned i = 0; i < TLB_SETS * TLB_WAYS; i++) {
		struct tlb_entry *entry = &cpu->tlb[i / TLB_WAYS][i % TLB_WAYS];

		if (entry->vpn > first && entry->vpn <= last + 1)
			entry->vpn = 0;
	}
}

void cpu_shootdown(void *ctx, pt_va_t va, uint64_t len, bool tables)
{
	struct machine *m = ctx;
	pt_va_t last = va + (len - 1);

	/* A full barrier: what was removed must be seen before it is known who is in an access. */
	for (unsigned i = 0; i < m->nr_cpus; i++) {
		struct cpu *cpu = &m->cpus[i];

		inject_here();
		cpu_lock(cpu);
		tlb_forget(cpu, va / m->space->page_bytes, last / m->space->page_bytes);
		if (tables)
			m->hardware->forget(&cpu->tables, va, last);
		atomic_fetch_add_explicit(&cpu->flushes, 1, memory_order_relaxed);
		cpu_unlock(cpu);
	}
}

void cpu_reset(struct machine *m)
{
	for (unsigned i = 0; i < m->nr_cpus; i++) {
		memset(m->cpus[i].tlb, 0, sizeof(m->cpus[i].tlb));
		memset(&m->cpus[i].tables, 0, sizeof(m->cpus[i].tables));
	}
}

/* ---- accesses ---- */

/* The memory that a translation leads to: whose is it? */
static void use(struct machine *m, const struct translation *t, pt_va_t va, bool cached)
{
	const char *by = cached ? "a cached translation" : "a walk";
	struct lease *l = lease_of(m->frames, t->pa);

	if (!l) {
		verdict_fail("R1", va, "%s leads to %s (physical address %#" PRIx64 ")", by,
			     LIFE_OF(t->pa) == LIFE_MASK ? "what free nodes are filled with"
							 : "memory that nobody has mapped",
			     t->pa);
		return;
	}
	if (!lease_is_at(m->frames, l, t->pa, va))
		verdict_fail("R2", va,
			     "%s leads to frame %#" PRIx64 " (life %" PRIu64
			     "), which was handed back "
			     "and is in its life %u now",
			     by, FRAME_OF(t->pa), LIFE_OF(t->pa),
			     atomic_load_explicit(&l->life, memory_order_relaxed));
	else if (atomic_load_explicit(&l->gone, memory_order_relaxed))
		verdict_fail("T1", va,
			     "%s leads to frame %#" PRIx64 " (life %" PRIu64 "), which was removed "
			     "and flushed everywhere",
			     by, FRAME_OF(t->pa), LIFE_OF(t->pa));
	else if (l->tag > va) /* plain: whoever hands it back too early races with this */
		verdict_fail("R2", va, "%s leads to memory of somebody else", by);
	if (t->dirtied)
		lease_dirtied(m->frames, l, va);
}

static void judge(struct page *page, const struct window *w, const struct translation *t,
		  pt_va_t va, bool cached)
{
	value_t found = value_leaf(t->pa - (va - page->va), PT_READ | (t->write ? PT_WRITE : 0));
	char text[VALUE_TEXT], now[VALUE_TEXT];

	if (window_judge(page, w, found, true) == WINDOW_WRONG)
		verdict_fail("T1", va,
			     "%s is %s, which no CPU may use any more: the page has had its value "
			     "%" PRIu64 " flushed, and holds %s (value %" PRIu64 ")",
			     cached ? "a cached translation" : "what a walk found",
			     value_text(text, found), w->first,
			     value_text(now, load64(&page->ring[load64(&page->begun) % RING])),
			     load64(&page->begun));
}

enum walked cpu_access(struct machine *m, struct cpu *cpu, struct page *page, pt_va_t va,
		       bool write)
{
	uint64_t vpn = va / m->space->page_bytes;
	enum walked result = WALK_DONE;
	struct tlb_entry *entry;
	struct translation t = {0};
	struct window w;
	bool cached;

	cpu_lock(cpu);
	window_open_cached(page, &w);
	entry = tlb_find(cpu, vpn);
	cached = entry && (!write || (entry->to.write && entry->to.dirty));
	if (cached) {
		t = entry->to;
		t.dirtied = false;
		cpu->hits++;
	} else {
		result = m->hardware->walk(&m->memory, &cpu->tables, m->root, va, write, &t);
		cpu->walks++;
		if (entry)
			entry->vpn = 0;
	}
	if (result == WALK_WILD)
		verdict_fail("R1", va, "a walk was led to a table outside of node memory");
	if (result == WALK_DONE) {
		inject_here();
		use(m, &t, va, cached);
		judge(page, &w, &t, va, cached);
		if (!cached)
			*tlb_slot(cpu, vpn) = (struct tlb_entry){.vpn = vpn + 1, .to = t};
	}
	cpu_unlock(cpu);
	return result;
}
