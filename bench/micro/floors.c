/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/mman.h>

#include "floors.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define PHYS_BASE (UINT64_C(1) << 32)

int floor_create(struct floor *f, size_t nodes)
{
	size_t bytes = (nodes * FLOOR_NODE_BYTES + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	uintptr_t first;

	f->bytes = bytes + HUGE_PAGE;
	f->memory =
		mmap(NULL, f->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->memory == MAP_FAILED)
		return -ENOMEM;
	first = ((uintptr_t)f->memory + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
	/* Where huge pages are not to be had, small ones do. */
	(void)madvise((void *)first, bytes, MADV_HUGEPAGE);
	f->off = first - PHYS_BASE;
	f->fresh = PHYS_BASE;
	f->end = PHYS_BASE + bytes;
	f->free = 0;
	f->root = floor_take(f);
	return 0;
}

void floor_destroy(struct floor *f)
{
	munmap(f->memory, f->bytes);
}
