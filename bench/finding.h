/* SPDX-License-Identifier: MIT */
/* What went wrong in a run, told once: where, what was expected, what was found. */
#ifndef BENCH_FINDING_H
#define BENCH_FINDING_H

#include "pagetree.h"
#include "say.h"

struct finding {
	enum exit_code code; /* EXIT_FINE: nothing has been found */
	int thread;          /* -1: found afterwards */
	bool hang;           /* threads still run: the program can only end */
	pt_va_t va;
	char what[64];
	char expected[96];
	char found[96];
};

/* Only the first finding is kept. */
void finding_set(struct finding *finding, enum exit_code code, int thread, pt_va_t va,
		 const char *what, const char *expected, const char *found);

/* A call returned `error`; running out of memory is not a violation. */
void finding_set_call(struct finding *finding, int thread, pt_va_t va, const char *call, int error);

/*
 * What is mapped at a page as one number, 0 for nothing: the frame and, in the bits below, the
 * properties that benchmarks use.
 */
#define ENTRY_PROPS (PT_READ | PT_WRITE | PT_EXEC | PT_USER)

static inline uint64_t entry_make(pt_pa_t pa, pt_prop_t prop)
{
	return pa | (prop & ENTRY_PROPS);
}

static inline uint64_t entry_of(const struct pt_mapping *mapping)
{
	return mapping->kind == PT_KIND_LEAF ? entry_make(mapping->item.pa, mapping->item.prop) : 0;
}

/* The entry at a page was not what it should be. */
void finding_set_entry(struct finding *finding, int thread, pt_va_t va, const char *what,
		       uint64_t expected, uint64_t found);

/* Writes an entry as text. */
void entry_format(char *text, size_t size, uint64_t entry);

#endif
