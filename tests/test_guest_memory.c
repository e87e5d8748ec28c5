/* SPDX-License-Identifier: MIT */
/*
 * A page table that lives in a virtual machine's memory, as a hypervisor that builds one for its
 * guest has it: guest-physical memory is a file mapped here; a part of it is the pool's region, and
 * the chunk operations are the hypervisor's. Whoever else has the file, such as the device model in
 * another process, walks the table by the processor's manual. Source: Intel SDM volume 3, 4.5.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define GUEST_BASE (UINT64_C(5) << 30) /* guest-physical address of the file's first byte */
#define GUEST_BYTES ((size_t)64 << 20)
#define NODES_AT ((size_t)16 << 20) /* where in the guest's memory nodes lie */
#define NODES_BYTES ((size_t)8 << 20)
#define CHUNK ((size_t)256 << 10) /* 64 nodes */

#define P UINT64_C(0x1)
#define W UINT64_C(0x2)
#define U UINT64_C(0x4)
#define PS UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)
#define ADDRESS UINT64_C(0x000ffffffffff000)

struct guest {
	struct fixture fx; /* its table lies in the guest's memory */
	int file, other;   /* mapped here; and another opening of the same file */
	char *memory;
	char *meta;
	unsigned chunks; /* given to the pool */
	unsigned most;   /* more than these are refused */
	bool strange;    /* a chunk that is none, or nobody's */
	bool used[NODES_BYTES / CHUNK];
};

/* ---- the hypervisor's memory ---- */

static bool *chunk_at(struct guest *g, void *addr, size_t bytes)
{
	size_t offset = (size_t)((char *)addr - (g->memory + NODES_AT));

	g->strange |= bytes != CHUNK || offset % CHUNK || offset >= NODES_BYTES;
	return &g->used[offset / CHUNK];
}

static int guest_get(void *ctx, void *addr, size_t bytes, unsigned home)
{
	struct guest *g = ctx;
	bool *used = chunk_at(g, addr, bytes);

	(void)home;
	if (g->chunks == g->most)
		return -ENOSPC;
	g->strange |= *used;
	*used = true;
	g->chunks++;
	return mprotect(addr, bytes, PROT_READ | PROT_WRITE) ? -ENOMEM : 0;
}

static void guest_put(void *ctx, void *addr, size_t bytes)
{
	struct guest *g = ctx;
	bool *used = chunk_at(g, addr, bytes);

	g->strange |= !*used;
	*used = false;
	g->chunks--;
	mprotect(addr, bytes, PROT_NONE);
}

/* Guest memory aligned to chunks; where nodes may come to lie it cannot be touched yet. */
static void map_file(struct guest *g)
{
	char name[] = "/tmp/guest-memory-XXXXXX";
	char *room;

	g->file = mkstemp(name);
	assert_true(g->file >= 0);
	g->other = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(g->other >= 0);
	expect_ok(unlink(name));
	expect_ok(ftruncate(g->file, (off_t)GUEST_BYTES));
	room = mmap(NULL, GUEST_BYTES + CHUNK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(room != MAP_FAILED);
	g->memory = room + (-(uintptr_t)room & (CHUNK - 1));
	assert_ptr_equal(mmap(g->memory, GUEST_BYTES, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED, g->file, 0),
			 g->memory);
	expect_ok(mprotect(g->memory + NODES_AT, NODES_BYTES, PROT_NONE));
}

static void boot(struct guest *g, struct fixture *fx)
{
	static const struct pt_chunk_ops ops = {.get = guest_get, .put = guest_put};
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.chunk_bytes = CHUNK,
		.max_bytes = NODES_BYTES,
		.chunk_ops = &ops,
		.chunk_ctx = g,
	};

	if (strcmp(fx->format->name, "x86_64") != 0)
		skip();
	memset(g, 0, sizeof(*g));
	g->fx = *fx;
	g->most = NODES_BYTES / CHUNK;
	map_file(g);
	g->meta = aligned_alloc(64, (NODES_BYTES >> 12) * 64);
	assert_non_null(g->meta);
	pool.region = g->memory + NODES_AT;
	pool.phys_base = GUEST_BASE + NODES_AT;
	pool.meta = g->meta;
	fx = &g->fx;
	expect_ok(pt_pool_create(&pool, &fx->pool));
	fx->config.pool = fx->pool;
	fx->config.item_ops = NULL;
	fx->config.flush = NULL;
	expect_ok(pt_thread_register(fx->pool, &fx->self));
	expect_ok(pt_table_create(fx->self, &fx->config, &fx->table));
}

static void shut_down(struct guest *g)
{
	expect_ok(pt_table_destroy(g->fx.self, g->fx.table));
	expect_ok(pt_thread_unregister(g->fx.self));
	assert_true(g->chunks > 0);
	expect_ok(pt_pool_destroy(g->fx.pool));
	assert_int_equal(g->chunks, 0);
	assert_false(g->strange);
	/* the mapping is still ours */
	expect_ok(mprotect(g->memory + NODES_AT, NODES_BYTES, PROT_READ | PROT_WRITE));
	memset(g->memory + NODES_AT, 0xff, NODES_BYTES);
	expect_ok(munmap(g->memory, GUEST_BYTES));
	free(g->meta);
	close(g->file);
	close(g->other);
}

/* ---- the other side ---- */

static uint64_t read_entry(struct guest *g, uint64_t node, pt_va_t va, unsigned level)
{
	uint64_t index = va >> (12 + 9 * (level - 1)) & 511, entry;

	assert_true(node % 4096 == 0 && node >= GUEST_BASE + NODES_AT &&
		    node < GUEST_BASE + NODES_AT + NODES_BYTES);
	assert_int_equal(pread(g->other, &entry, sizeof(entry),
			       (off_t)(node - GUEST_BASE + index * sizeof(entry))),
			 sizeof(entry));
	return entry;
}

/* Translate by the manual, from nothing but the root's address. False: not present. */
static bool walk(struct guest *g, uint64_t root, pt_va_t va, pt_pa_t *ret_pa, pt_prop_t *ret_prop)
{
	uint64_t entry = read_entry(g, root, va, 4), offset;
	unsigned level = 4;

	while ((entry & P) && level > 1 && !(entry & PS))
		entry = read_entry(g, entry & ADDRESS, va, --level);
	if (!(entry & P))
		return false;
	offset = (UINT64_C(1) << (12 + 9 * (level - 1))) - 1;
	*ret_pa = (entry & ADDRESS & ~offset) | (va & offset);
	*ret_prop = PT_READ | (entry & W ? PT_WRITE : 0) | (entry & U ? PT_USER : 0) |
		    (entry & NX ? 0 : PT_EXEC);
	return true;
}

/* Both sides say the same of @va. Returns whether it is mapped. */
static bool same_at(struct guest *g, pt_va_t va)
{
	const pt_prop_t seen_by_both = PT_READ | PT_WRITE | PT_USER | PT_EXEC;
	pt_prop_t prop, other_prop;
	pt_pa_t pa, other_pa;
	bool mapped = !pt_walk(g->fx.self, g->fx.table, va, &pa, &prop);

	assert_int_equal(walk(g, pt_table_root(g->fx.table), va, &other_pa, &other_prop), mapped);
	if (mapped) {
		assert_int_equal(pa, other_pa);
		assert_int_equal(prop & seen_by_both, other_prop);
	}
	return mapped;
}

/* ---- tests ---- */

static void a_table_in_guest_memory_is_walked_from_outside(struct fixture *fx)
{
	struct guest g;
	pt_va_t va;
	unsigned mapped = 0;

	boot(&g, fx);
	fx = &g.fx;
	map(fx, fx->base, 8 * fx->huge + 5 * fx->page, FRAMES, RWU | PT_EXEC);
	expect_ok(pt_map(fx->self, fx->table, fx->base + 16 * fx->huge, 4 * fx->huge,
			 FRAMES + fx->giant, RW, 1));
	map(fx, fx->base + fx->giant, fx->giant, FRAMES + 2 * fx->giant, PT_READ);
	protect(fx, fx->base + fx->huge + 3 * fx->page, 2 * fx->huge, 0, PT_WRITE);
	protect(fx, fx->base + 17 * fx->huge, fx->huge, PT_USER | PT_EXEC, 0);
	unmap(fx, fx->base + 7 * fx->page, 3 * fx->page);
	unmap(fx, fx->base + 18 * fx->huge, fx->huge);
	unmap(fx, fx->base + fx->giant + 2 * fx->huge, 3 * fx->page);
	for (va = fx->base; va < fx->base + 24 * fx->huge; va += fx->page)
		mapped += same_at(&g, va + 0x123);
	assert_int_equal(mapped, 8 * 512 + 5 + 4 * 512 - 3 - 512);
	for (va = fx->base + fx->giant; va < fx->base + fx->giant + 4 * fx->huge; va += fx->page)
		mapped += same_at(&g, va);
	assert_int_equal(mapped, 8 * 512 + 5 + 4 * 512 - 3 - 512 + 4 * 512 - 3);
	assert_false(same_at(&g, fx->base - 1));
	assert_true(same_at(&g, fx->base + 2 * fx->giant - 1));
	assert_false(same_at(&g, fx->base + 2 * fx->giant));
	check(fx);
	shut_down(&g);
}

/* A provider that says no to the k-th chunk, for every k that a call needs. */
static void a_provider_that_refuses_leaves_everything_as_it_was(struct fixture *fx)
{
	struct guest g;
	unsigned k, i;
	int rc;

	boot(&g, fx);
	fx = &g.fx;
	map(fx, fx->base, 3 * fx->page, FRAMES, RW);
	for (k = 1;; k++) {
		g.most = k;
		rc = pt_map(fx->self, fx->table, fx->base + fx->giant, 250 * fx->huge, FRAMES, RW,
			    1);
		if (!rc)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_int_equal(g.chunks, k);
		assert_int_equal(check(fx).leaves, 3);
		for (i = 0; i < 4; i++)
			assert_int_equal(same_at(&g, fx->base + i * fx->page), i < 3);
		for (i = 0; i < 250; i++)
			assert_false(same_at(&g, fx->base + fx->giant + i * fx->huge));
	}
	assert_int_equal(k, 4); /* 64 nodes each: 4 for the pages, 1 + 250 more */
	assert_int_equal(check(fx).leaves, 3 + 250 * 512);
	for (i = 0; i < 250; i++)
		assert_true(same_at(&g, fx->base + fx->giant + i * fx->huge));
	shut_down(&g);
}

int main(void)
{
	static const struct test_case cases[] = {
		TEST(a_table_in_guest_memory_is_walked_from_outside),
		TEST(a_provider_that_refuses_leaves_everything_as_it_was),
	};

	return run_on_all_pairs("guest_memory", cases, sizeof(cases) / sizeof(cases[0]));
}
