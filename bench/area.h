/* SPDX-License-Identifier: MIT */
/* Where the pages of a workload lie, and which frames it maps them to. */
#ifndef BENCH_AREA_H
#define BENCH_AREA_H

#include "pagetree.h"
#include "units.h"

/*
 * Pages that a workload picks from at random are at most this many: larger working sets spread them
 * out, one page each `stride` bytes, so that they need as many leaf tables as possible instead.
 */
#define AREA_PAGES_MOST 262144u

struct area {
	pt_va_t base;
	uint64_t bytes;
	uint64_t page;   /* bytes of a page */
	uint64_t stride; /* bytes from one page used to the next */
	uint32_t pages;
};

static inline pt_va_t area_va(const struct area *area, uint32_t i)
{
	return area->base + i * area->stride;
}

/* Do pages lie beside one another? */
static inline bool area_is_dense(const struct area *area)
{
	return area->stride == area->page;
}

/* What a workload needs: one area for all threads, and one of its own for each. 0: none. */
struct area_needs {
	uint64_t shared_bytes;
	uint64_t private_bytes;
};

/*
 * Lay areas out from the first address that @format manages, each beginning a leaf table, so that
 * no two threads' private areas share one. @ret_private: one for each thread.
 * Return 0, or -EINVAL after a message if that is too much for the format.
 */
PARSE int area_layout(const struct pt_format_info *format, const struct area_needs *needs,
		      unsigned threads, struct area *ret_shared, struct area *ret_private);

/*
 * A frame names who mapped it where and when, so that any mapping found later can be judged:
 * thread, page and a count that wraps around.
 */
struct frame_code {
	unsigned page_shift;
	unsigned version_bits;
	unsigned page_bits;
};

/* For `threads` threads and `pages` pages. -EINVAL after a message if too few bits are left. */
PARSE int frame_code_init(struct frame_code *code, const struct pt_format_info *format,
			  unsigned threads, uint32_t pages);

static inline pt_pa_t frame_encode(const struct frame_code *code, unsigned thread, uint32_t page,
				   uint32_t version)
{
	uint64_t who = (uint64_t)thread << code->page_bits | page;
	uint64_t when = version & ((UINT64_C(1) << code->version_bits) - 1);

	return (who << code->version_bits | when) << code->page_shift;
}

static inline uint32_t frame_page(const struct frame_code *code, pt_pa_t pa)
{
	uint64_t frame = pa >> code->page_shift >> code->version_bits;

	return (uint32_t)(frame & ((UINT64_C(1) << code->page_bits) - 1));
}

static inline uint64_t frame_thread(const struct frame_code *code, pt_pa_t pa)
{
	return pa >> code->page_shift >> code->version_bits >> code->page_bits;
}

#endif
