/* SPDX-License-Identifier: MIT */
/*
 * What a CPU does with a tree in memory, by the bits of its entries alone: hardware.c is compiled once
 * for each format. It knows nothing of the library's locks and metadata.
 */
#ifndef RUN_HARDWARE_H
#define RUN_HARDWARE_H

#include <pagetree.h>

#define HARDWARE_LEVELS 6
#define STRUCTURE_WAYS 8 /* cached table entries of a level */

/* Where tables are, by what they span: a walk may begin at any of them. */
struct structure_cache {
	struct {
		uint64_t tag; /* address >> what the table spans, + 1; 0: nothing */
		pt_pa_t table;
	} of[HARDWARE_LEVELS][STRUCTURE_WAYS]; /* of the table of level + 1 */
};

struct memory {
	uintptr_t offset; /* of node memory: address - physical address */
	pt_pa_t first, last;
};

struct translation {
	pt_pa_t pa; /* of the page asked for */
	bool write;
	bool dirty;   /* and need not be set again */
	bool dirtied; /* has just been set */
};

enum walked {
	WALK_DONE,
	WALK_ABSENT,
	WALK_DENIED,
	WALK_WILD, /* a table lies where no node is */
};

struct hardware {
	const char *format;
	enum walked (*walk)(const struct memory *m, struct structure_cache *cache, pt_pa_t root,
			    pt_va_t va, bool write, struct translation *ret);
	/* Forget tables that span some of first..last. */
	void (*forget)(struct structure_cache *cache, pt_va_t first, pt_va_t last);
	uint64_t (*garbage)(void); /* an entry that must never be found */
};

/* By name; NULL: there is none. */
const struct hardware *hardware_find(const char *format);

#endif
