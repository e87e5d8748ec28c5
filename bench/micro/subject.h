/* SPDX-License-Identifier: MIT */
/* Whose operations are measured: the floor, or a table of the library by one of the strategies. */
#ifndef BENCH_MICRO_SUBJECT_H
#define BENCH_MICRO_SUBJECT_H

#include "floors.h"
#include "pagetree.h"
#include "random.h"

/* 1 GiB of 4 KiB pages from address 0, and behind it 2 MiB for each thread. */
#define SUBJECT_PAGES 262144u
#define SUBJECT_PAGE_BITS 18
#define SUBJECT_TABLES (SUBJECT_PAGES / FLOOR_SLOTS)
#define SUBJECT_BYTES (SUBJECT_PAGES * FLOOR_PAGE)
#define SUBJECT_PRIVATE (UINT64_C(4) << 30)
#define SUBJECT_FRAMES (UINT64_C(16) << 30) /* physical address of page 0's frame */

/* Neither accessed nor dirty: hardware may still write these, so the library must exchange, too. */
#define SUBJECT_PROP (PT_READ | PT_WRITE | PT_USER)
#define SUBJECT_FLAGS (FLOOR_P | FLOOR_W | FLOOR_U | FLOOR_NX)

#define SUBJECT_ORDERS 8u

struct subject {
	const char *name; /* "floor", or the strategy */
	bool is_floor;
	struct floor floor;
	struct pt_pool *pool;
	struct pt_thread *self; /* of the thread that uses this; a copy serves another thread */
	struct pt_table *table;
	bool full; /* is the first GiB mapped? */
	/* Each a random order of the pages of a leaf table, the same for all subjects. */
	uint16_t order[SUBJECT_ORDERS][FLOOR_SLOTS];
};

static inline uint64_t subject_va(uint64_t page)
{
	return page * FLOOR_PAGE;
}

static inline uint64_t subject_pa(uint64_t page)
{
	return SUBJECT_FRAMES + page * FLOOR_PAGE;
}

/* First address of the leaf table that belongs to thread @index. */
static inline uint64_t subject_private(unsigned index)
{
	return SUBJECT_PRIVATE + index * FLOOR_TABLE_SPAN;
}

/* A call that cannot fail has failed: says so and ends the program (exit 2). */
__attribute__((noreturn, cold)) void subject_wrong(const struct subject *s, const char *call,
						   uint64_t va, int64_t result);

/* @name: "floor" or a strategy, of which x86_64 must be built. Out of memory ends the program. */
void subject_create(struct subject *s, const char *name);

/* The same, with node locks of a kind (NULL: the default); with statistics. */
void subject_create_locking(struct subject *s, const char *name, const char *node_lock);
void subject_create_counting(struct subject *s, const char *name);
void subject_destroy(struct subject *s);

/* The first GiB is mapped, or not; what that retires is free when this returns. */
void subject_bring(struct subject *s, bool full);

/* Wait until what was retired is free: part of what an operation costs. */
void subject_settle(struct subject *s);

/*
 * Every page of the first GiB, mapped, and the pages around it, unmapped, translate as they should by
 * the subject's query and by its walk; ends the program if not. Returns the number of pages looked at.
 */
uint64_t subject_verify(struct subject *s);

#endif
