/* SPDX-License-Identifier: MIT */
/*
 * A pool asks for memory at an address inside its region, jemalloc hands out addresses of its own
 * choice. Both are content because an arena has no memory but what its hooks give it: a chunk is an
 * allocation for which the hook has exactly one extent to offer, the one the pool wants. For that
 *
 *  - an extent is never larger than the chunk: more, for address space to keep in reserve, is
 *    refused, and what is asked for is the largest size class below the chunk's, because jemalloc
 *    adds a page against cache conflicts, which 5.3.0 cannot be told not to do. The rest of the
 *    chunk comes along;
 *  - freed extents must leave the arena at once, or they would be handed out again: no decay, no
 *    tcache, no merging;
 *  - the arena's metadata must not take a chunk's extent: it has jemalloc's own hooks, because ours
 *    are set after the arena is made; and it asks for zeroed memory, which a chunk does not.
 *
 * The memory is new from the system, so it is zeroed as chunks must be.
 */
#include "arena.h"

#include <errno.h>
#include <jemalloc/jemalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "place.h"

struct arena {
	extent_hooks_t hooks; /* first: all that hooks are told */
	struct arenas *all;
	unsigned index; /* jemalloc's */
	hwloc_const_nodeset_t nodeset;
	void *wanted; /* the part of a region that the next extent is to be; NULL: none */
	size_t wanted_bytes;
};

struct arenas {
	hwloc_topology_t topology;
	membind_fn membind;
	pthread_mutex_t lock; /* pools grow at the same time */
	unsigned count;
	struct arena of[];
};

static int bind_area(const struct arena *a, void *addr, size_t bytes)
{
	errno = 0;
	if (!a->all->membind(a->all->topology, addr, bytes, a->nodeset, HWLOC_MEMBIND_BIND,
			     HWLOC_MEMBIND_BYNODESET))
		return 0;
	return errno ? -errno : -EIO;
}

/* ---- what jemalloc calls ---- */

static void *extent_alloc(extent_hooks_t *hooks, void *new_addr, size_t size, size_t alignment,
			  bool *zero, bool *commit, unsigned index)
{
	struct arena *a = (struct arena *)hooks;
	size_t bytes = a->wanted_bytes;
	void *addr = a->wanted;

	(void)index;
	if (!addr || new_addr || *zero || size > bytes || (uintptr_t)addr % alignment)
		return NULL;
	if (mprotect(addr, bytes, PROT_READ | PROT_WRITE))
		return NULL;
	if (bind_area(a, addr, bytes)) {
		mprotect(addr, bytes, PROT_NONE);
		return NULL;
	}
	/* Advice only: where huge pages are off, base pages do. */
	madvise(addr, bytes, MADV_HUGEPAGE);
	a->wanted = NULL;
	*zero = true;
	*commit = true;
	return addr;
}

/* It leaves the arena; the memory goes in chunk_put(). */
static bool extent_dalloc(extent_hooks_t *hooks, void *addr, size_t size, bool committed,
			  unsigned index)
{
	(void)hooks;
	(void)addr;
	(void)size;
	(void)committed;
	(void)index;
	return false;
}

/* ---- what pools call ---- */

static int arena_flags(const struct arena *a, size_t bytes)
{
	return MALLOCX_ARENA(a->index) | MALLOCX_ALIGN(bytes) | MALLOCX_TCACHE_NONE;
}

static int chunk_get(void *ctx, void *addr, size_t bytes, unsigned home)
{
	struct arenas *all = ctx;
	struct arena *a = &all->of[home];
	void *chunk;

	pthread_mutex_lock(&all->lock);
	a->wanted = addr;
	a->wanted_bytes = bytes;
	chunk = mallocx(bytes / 8 * 7, arena_flags(a, bytes));
	a->wanted = NULL;
	if (chunk && chunk != addr)
		dallocx(chunk, arena_flags(a, bytes));
	pthread_mutex_unlock(&all->lock);
	return chunk == addr ? 0 : -ENOMEM;
}

/* jemalloc knows whose it is. The address range stays the pool's. */
static void chunk_put(void *ctx, void *addr, size_t bytes)
{
	struct arenas *all = ctx;

	pthread_mutex_lock(&all->lock);
	dallocx(addr, arena_flags(&all->of[0], bytes));
	madvise(addr, bytes, MADV_DONTNEED);
	mprotect(addr, bytes, PROT_NONE);
	pthread_mutex_unlock(&all->lock);
}

const struct pt_chunk_ops arenas_chunk_ops = {.get = chunk_get, .put = chunk_put};

/* ---- making them ---- */

static int arena_control(const struct arena *a, const char *what, void *value, size_t size)
{
	char name[64];

	snprintf(name, sizeof(name), "arena.%u.%s", a->index, what);
	return -mallctl(name, NULL, NULL, value, size);
}

/* Can memory be bound to where this arena's is to be? Better known before anything is measured. */
static int try_binding(const struct arena *a)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int error;

	if (page == MAP_FAILED)
		return -ENOMEM;
	error = bind_area(a, page, bytes);
	munmap(page, bytes);
	return error;
}

/* Does jemalloc take the extent that it is offered? */
static int try_chunk(struct arenas *all)
{
	size_t bytes = (size_t)2 << 20;
	char *room = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *chunk = room + (-(uintptr_t)room & (bytes - 1));
	int error;

	if (room == MAP_FAILED)
		return -ENOMEM;
	error = chunk_get(all, chunk, bytes, 0);
	if (!error)
		chunk_put(all, chunk, bytes);
	munmap(room, 2 * bytes);
	return error ? -ENOTSUP : 0;
}

static int arena_create(struct arena *a, struct arenas *all, hwloc_const_nodeset_t nodeset)
{
	extent_hooks_t *hooks = &a->hooks;
	size_t size = sizeof(a->index);
	ssize_t at_once = 0;
	int error;

	*a = (struct arena){
		.hooks = {.alloc = extent_alloc, .dalloc = extent_dalloc},
		.all = all,
		.nodeset = nodeset,
	};
	error = try_binding(a);
	if (error)
		return error;
	if (mallctl("arenas.create", &a->index, &size, NULL, 0))
		return -ENOMEM;
	all->count++;
	error = arena_control(a, "dirty_decay_ms", &at_once, sizeof(at_once));
	if (!error)
		error = arena_control(a, "muzzy_decay_ms", &at_once, sizeof(at_once));
	if (!error)
		error = arena_control(a, "extent_hooks", &hooks, sizeof(hooks));
	return error;
}

int arenas_create(const struct place *place, membind_fn membind, struct arenas **ret_arenas)
{
	unsigned homes = place_homes(place), i;
	struct arenas *all;
	int error = 0;

	all = calloc(1, sizeof(*all) + homes * sizeof(all->of[0]));
	if (!all)
		return -ENOMEM;
	all->topology = place_topology(place);
	all->membind = membind;
	pthread_mutex_init(&all->lock, NULL);
	for (i = 0; !error && i < homes; i++)
		error = arena_create(&all->of[i], all, place_nodeset(place, i));
	if (!error)
		error = try_chunk(all);
	if (error)
		arenas_destroy(all);
	else
		*ret_arenas = all;
	return error;
}

void arenas_destroy(struct arenas *all)
{
	unsigned i;

	for (i = 0; i < all->count; i++)
		arena_control(&all->of[i], "destroy", NULL, 0);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
