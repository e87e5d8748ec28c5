/* SPDX-License-Identifier: MIT */
/*
 * The loops that are measured. Each kernel exists twice, over the floor and over the library's public
 * calls, and does the same operations in the same order on both; so both return the same sum.
 */
#ifndef BENCH_MICRO_KERNELS_H
#define BENCH_MICRO_KERNELS_H

#include "subject.h"

/* What a kernel does to the first GiB: nothing, looks at it, fills it or empties it. */
enum kernel_area { AREA_UNUSED, AREA_READ, AREA_FILL, AREA_EMPTY };

struct kernel {
	const char *name;
	const char *summary;
	enum kernel_area area;
	uint64_t step; /* operations are done in multiples of this */
	uint64_t (*floor)(struct subject *s, uint64_t operations); /* NULL: has no floor */
	uint64_t (*table)(struct subject *s, uint64_t operations);
	/* Run once for a subject, before anything is timed; may be NULL. */
	void (*prepare)(struct subject *s);
};

/* The last has no name. */
extern const struct kernel kernels[];

const struct kernel *kernel_find(const char *name);

/* Without clocks or preparation. Returns a sum over the results. */
uint64_t kernel_run(const struct kernel *kernel, struct subject *s, uint64_t operations);

/*
 * Bring the subject to where the kernel begins, then run it and wait until what it retired is free.
 * *ret_ns: what the latter took, in CPU time of all threads of the process.
 */
uint64_t kernel_time(const struct kernel *kernel, struct subject *s, uint64_t operations,
		     uint64_t *ret_ns);

/* Pages of the leaf table of thread @index: map all and unmap all, in random orders. */
uint64_t kernel_toggle(struct subject *s, unsigned index, uint64_t operations);

#endif
