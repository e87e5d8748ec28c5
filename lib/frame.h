/* SPDX-License-Identifier: MIT */
/* Metadata of counted frames: 64 bytes for each, at meta_off + (physical address >> shift) * 64. */
#ifndef PT_FRAME_H
#define PT_FRAME_H

#include <assert.h>

#include "pagetree.h"
#include "port.h"

/*
 * What `refs` says. Zeroed memory is unused, and dropping the last reference, 2 to 1, makes the
 * frame busy by itself. Nobody but who made it so may touch a frame that is busy or unique.
 */
#define FRAME_UNUSED UINT64_C(0)
#define FRAME_BUSY UINT64_C(1) /* being built or torn down; n references are n above this */
#define FRAME_UNIQUE UINT64_MAX

#define FRAME_META_BYTES 64

struct frame {
	_Atomic uint64_t refs;
	unsigned char storage[PT_FRAME_STORAGE];
	unsigned char unused[FRAME_META_BYTES - PT_FRAME_STORAGE - sizeof(uint64_t)];
};

static_assert(sizeof(struct frame) == FRAME_META_BYTES, "metadata must be one cache line");

struct pt_frames {
	uintptr_t meta_off;
	pt_pa_t first, last;
	unsigned shift;
	unsigned index_bits;
	uint64_t most; /* the highest value of `refs` that counts */
	struct pt_frame_ops ops;
	void *ctx;
	struct frame *meta;
	size_t own_bytes; /* of `meta`, if the library made it */
};

#endif
