/* SPDX-License-Identifier: MIT */
/*
 * CPUs in software, one for each thread: a set-associative TLB and cached table entries, which are
 * wrong as soon as the tree changes, and stay so until they are flushed.
 *
 * A shootdown interrupts every CPU. One in the middle of an access takes the interrupt when that is
 * done, any other at once, whether its thread computes, spins or sleeps for a lock: so it is always
 * acknowledged (P1). Here the one who flushes clears the caches of the others, under a lock that an
 * access holds.
 */
#ifndef RUN_CPU_H
#define RUN_CPU_H

#include <stdatomic.h>

#include "frames.h"
#include "hardware.h"
#include "space.h"

#define TLB_SETS 16u
#define TLB_WAYS 4u

struct tlb_entry {
	uint64_t vpn; /* + 1; 0: nothing */
	struct translation to;
};

struct cpu {
	_Alignas(128) _Atomic uint32_t busy;
	uint32_t victim;
	struct tlb_entry tlb[TLB_SETS][TLB_WAYS];
	struct structure_cache tables;
	uint64_t hits, walks;     /* of accesses */
	_Atomic uint64_t flushes; /* that it has acknowledged */
};

/* What all CPUs run on. */
struct machine {
	const struct hardware *hardware;
	struct memory memory;
	pt_pa_t root;
	struct space *space;
	struct frames *frames;
	unsigned nr_cpus;
	struct cpu *cpus;
};

/* Read or write the page at @va as the program on @cpu would; judges what it sees. */
enum walked cpu_access(struct machine *m, struct cpu *cpu, struct page *page, pt_va_t va,
		       bool write);

/* The flush hook; @ctx is the machine. */
void cpu_shootdown(void *ctx, pt_va_t va, uint64_t len, bool tables);

/* Forget everything. */
void cpu_reset(struct machine *m);

#endif
