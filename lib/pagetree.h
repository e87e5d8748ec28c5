/* SPDX-License-Identifier: MIT */
/*
 * pagetree: concurrent multi-level page tables.
 *
 * One tree algorithm, many PTE formats, many locking strategies. A table is created for one
 * (format, strategy) pair; every call on it goes through one indirect call, and everything below
 * that is compiled for the pair.
 *
 * Words
 *   level     1 is the leaf table, `levels` is the root.
 *   node      one table page; a slot is one entry of it.
 *   slot kind what a slot holds: see enum pt_kind.
 *   range     a virtual address and a length in bytes. (The last byte of the address space can be
 *             named this way; an exclusive end could not.)
 *   top       the highest level whose slots a cursor may map, take, mark or protect as a whole.
 *   item      what a leaf maps: physical address, level and properties. A tracked item carries one
 *             reference, which moves into the table when it is mapped and out of it when dropped.
 *   gather    what calls removed, until it is flushed everywhere and may be freed.
 *
 * Guarantees are named by the letters of the correctness contract: Q1 no tearing, Q2 per-page
 * linearisable, Q3 not a snapshot, C1 isolation, C2 all or nothing, R1/R2 reclamation, T1/T2 TLB,
 * S1 shape, P1 progress.
 *
 * What comes below, in the order in which it is needed: formats; pools, threads and tables, to open
 * one; looking at an address; calls on a range; cursors, for several changes in one transaction;
 * gathers, to flush once for many; counted items; shared tables; statistics; upkeep.
 *
 * Errors are negative errno values from a closed set:
 *   -EINVAL   an argument is malformed: alignment, length, level, property, mark, name, or a thread
 *             or gather that does not belong to the table (calls that only look do not check it)
 *   -ERANGE   a well-formed address or level outside what the table or the cursor covers
 *   -EEXIST   something is mapped there already
 *   -ENOENT   nothing is mapped there
 *   -ENOMEM   out of nodes or memory
 *   -EDEADLK  this thread already holds a cursor, so that blocking could deadlock
 *   -EACCES   the access is not permitted (pt_access() only)
 *   -EBUSY    the object is still in use, or has one owner who shares it with nobody; or the call
 *             would have to wait and was asked only to try
 *   -EAGAIN   another thread is just changing it: it will be free, or in use, soon
 *   -EOVERFLOW  a count is at its bound
 * A call that fails has changed nothing (C2; with slot isolation see pt_thread_done()) and has not
 * written its ret_ arguments.
 * The library never prints, aborts or exits.
 *
 * Threads: every call that takes a struct pt_thread must be made by the thread that registered it.
 */
#ifndef PAGETREE_H
#define PAGETREE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PT_MUST_CHECK __attribute__((warn_unused_result))
#define PT_API __attribute__((visibility("default")))
#else
#define PT_MUST_CHECK
#define PT_API
#endif

typedef uint64_t pt_va_t; /* virtual address */
typedef uint64_t pt_pa_t; /* physical address */

/*
 * Properties of a leaf: a set of the bits below and one cache policy. What a format can express is
 * in pt_format_info.props; anything else is -EINVAL, never silently dropped.
 */
typedef uint32_t pt_prop_t;

#define PT_READ 0x0001u
#define PT_WRITE 0x0002u
#define PT_USER 0x0004u
#define PT_EXEC 0x0008u
#define PT_ACCESSED 0x0020u
#define PT_DIRTY 0x0040u
#define PT_GLOBAL 0x0100u
#define PT_TRACKED 0x0200u /* the item carries a reference; reserved: protect must not change it */
#define PT_SOFT0 0x0400u   /* software bits: kept by the table, ignored by the MMU */
#define PT_SOFT1 0x0800u
#define PT_CACHE_SHIFT 12
#define PT_CACHE_MASK (7u << PT_CACHE_SHIFT)

enum pt_cache {
	PT_CACHE_WRITE_BACK = 0,
	PT_CACHE_WRITE_THROUGH = 1,
	PT_CACHE_WRITE_COMBINING = 2,
	PT_CACHE_WRITE_PROTECTED = 3,
	PT_CACHE_UNCACHED = 4,
	PT_CACHE_NR = 5,
};

#define PT_CACHE(policy) ((pt_prop_t)(policy) << PT_CACHE_SHIFT)
#define PT_CACHE_OF(prop) ((enum pt_cache)(((prop)&PT_CACHE_MASK) >> PT_CACHE_SHIFT))

enum pt_kind {
	PT_KIND_EMPTY,  /* all-zero */
	PT_KIND_MARK,   /* software state of an unmapped range */
	PT_KIND_LEAF,   /* maps memory, though perhaps not for the MMU (no PT_READ) */
	PT_KIND_TABLE,  /* refers to a node one level down */
	PT_KIND_FROZEN, /* under removal; queries report it as EMPTY */
};

enum pt_isolation {
	PT_ISOLATION_NONE,  /* one thread only */
	PT_ISOLATION_RANGE, /* overlapping cursors are strictly serialisable */
	PT_ISOLATION_SLOT,  /* only each slot change is atomic; see pt_thread_done() */
};

struct pt_item {
	pt_pa_t pa; /* aligned to the page size of `level` */
	pt_prop_t prop;
	unsigned level; /* 1 = base page */
};

/* What a query finds: the whole slot that covers the address asked for. */
struct pt_mapping {
	pt_va_t va;          /* first address of the slot */
	uint64_t len;        /* bytes the slot spans */
	enum pt_kind kind;   /* EMPTY, MARK or LEAF */
	struct pt_item item; /* LEAF: what is mapped at `va` */
	uint64_t mark;       /* MARK: the value given to pt_mark() */
};

struct pt_pool;
struct pt_thread;
struct pt_table;
struct pt_item_ops;
struct pt_taken;
struct pt_check_report;

/* ------------------------------------------------------------------- formats and strategies -- */

struct pt_format_info {
	const char *name;
	unsigned levels;
	unsigned index_bits; /* slots per node = 1 << index_bits */
	unsigned page_shift;
	unsigned va_bits;
	unsigned pa_bits;
	bool sign_extended;     /* addresses above the lower half have all high bits set */
	uint32_t leaf_levels;   /* bit l set: level l may hold leaves */
	unsigned node_shift;    /* bytes of a node = 1 << node_shift */
	pt_prop_t props;        /* property bits a leaf can carry (cache policies: caches) */
	uint32_t caches;        /* bit p set: enum pt_cache value p can be expressed */
	unsigned mark_bits;     /* marks are below 1 << mark_bits */
	unsigned strategy_bits; /* software bits left to strategies */
};

struct pt_strategy_info {
	const char *name;
	const char *summary;
	enum pt_isolation isolation;
	bool readers_share; /* read cursors on overlapping ranges run together */
	bool lock_free_query;
	bool disjoint_parallel; /* calls on ranges in different leaf tables write no common cache line; */
	bool disjoint_building; /* nor where these are only being made */
	bool disjoint_slots; /* calls on different pages of one leaf table never wait for each other */
	bool reuses;         /* tables are used again without a grace period; walks notice */
	/* Kinds of node locks it has: bit i is pt_node_lock_at(i), the lowest what a table has unless
	 * asked; 0: it locks no nodes. */
	unsigned node_locks;
	bool replicates;        /* each NUMA home of the pool has a copy of the tree */
	unsigned software_bits; /* of each slot; at most the format's strategy_bits */
	unsigned node_bytes;    /* of the 64 bytes of node metadata */
};

/*
 * Enumerate what is built in; find by name. NULL past the last index, or when unknown.
 * Context of all calls up to the pools: any; no registration needed. Cost: some string comparisons.
 */
PT_API const struct pt_format_info *pt_format_at(unsigned index);
PT_API const struct pt_strategy_info *pt_strategy_at(unsigned index);
PT_API const struct pt_format_info *pt_format_find(const char *name);
PT_API const struct pt_strategy_info *pt_strategy_find(const char *name);

/* Is this pair built? */
PT_API bool pt_pair_exists(const char *format, const char *strategy);

/*
 * Enumerate the locks that nodes can have, with strategies that lock nodes: names for
 * pt_config.node_lock. NULL past the last index.
 *   ttas    test and test-and-set: the cheapest when nobody waits; unfair
 *   ticket  in the order of arrival; all waiters watch one word
 *   queued  in the order of arrival; each waiter watches a word of its own (MCS)
 *   mutex   waiters sleep, in no order: for more threads than CPUs, or nodes held for long
 * or, with strategies whose nodes have reader/writer locks:
 *   phasefair  readers and writers take turns; waiters spin
 *   pthread    readers go before writers, who may starve; waiters sleep: what pthread_rwlock_t does
 *   bravo      phasefair, but readers leave a mark of their own instead of touching the lock, while no
 *              writer wants it (Dice and Kogan)
 *   bravo-pt   the same over pthread
 */
PT_API const char *pt_node_lock_at(unsigned index);

/* ----------------------------------------------------------------------- address arithmetic -- */

/* Bytes mapped by one slot of `level`; `level` in 1..levels. */
PT_API uint64_t pt_page_size(const struct pt_format_info *f, unsigned level);

/* Index of the slot of `level` that covers `va`. */
PT_API unsigned pt_slot_index(const struct pt_format_info *f, pt_va_t va, unsigned level);

/*
 * First and last address, inclusive, of the top-level slots [top_first, top_end).
 * @leading: the bits above those that the format translates, in their place, as in pt_config; 0 for
 * sign-extended formats, which derive them.
 * Return: 0, or -EINVAL if the index range is empty, too large, or crosses the two halves of a
 * sign-extended address space, or @leading is not as said. Source: Asterinas vaddr_range().
 */
PT_API PT_MUST_CHECK int pt_index_range(const struct pt_format_info *f, unsigned top_first,
					unsigned top_end, pt_va_t leading, pt_va_t *ret_first,
					pt_va_t *ret_last);

/*
 * Cut the front of a mapping into the largest leaf: the highest level not above `max_level` that
 * may hold leaves, to whose size `va` and `pa` are aligned, and whose size is at most `len`.
 * Calling it repeatedly, advancing by *ret_size, yields the fewest leaves.
 * @va, @pa, @len: bytes, aligned to the base page; @max_level: 1..levels.
 * Return: the level, or -EINVAL on misalignment, zero length, wrap-around or a bad level.
 * Source: Asterinas largest_pages().
 */
PT_API PT_MUST_CHECK int pt_largest_page(const struct pt_format_info *f, pt_va_t va, pt_pa_t pa,
					 uint64_t len, unsigned max_level, uint64_t *ret_size);

/* ------------------------------------------------------------------------------------ pools -- */

/*
 * Where chunks of node memory come from. A chunk is `chunk_bytes` long, aligned to that, inside the
 * pool's region, and zeroed. Called by one thread at a time, and must not call the library.
 */
struct pt_chunk_ops {
	/*
	 * Back [addr, addr + bytes) with zeroed memory near @home, below `homes`: threads of that
	 * home will use it. Return: 0, or a negative errno: other homes are tried, and the same
	 * address may be asked for again.
	 */
	int (*get)(void *ctx, void *addr, size_t bytes, unsigned home);
	/* Give the memory back; the address range stays reserved. When the pool is destroyed. */
	void (*put)(void *ctx, void *addr, size_t bytes);
};

enum pt_reclaim {
	PT_RECLAIM_CALLBACK, /* retired nodes are freed by a background callback */
	PT_RECLAIM_SYNC,     /* the thread that retires them waits for a grace period itself */
};

struct pt_pool_config {
	size_t size;           /* sizeof(struct pt_pool_config), for growth of this struct */
	unsigned node_shift;   /* bytes of a node, log2, 4..16; 0: 12. Must equal the formats' */
	size_t chunk_bytes;    /* power of two, at least 64 nodes, whole pages; 0: 2 MiB */
	size_t max_bytes;      /* most node memory; rounded up to whole chunks; at most 1 << 31
				* nodes; 0: 64 GiB. Of `region`: all of it, whole chunks */
	unsigned magazine;     /* free nodes a thread keeps, 8..1024; at times twice that; 0: 64 */
	size_t retired_bound;  /* bytes retired but not freed at which begin waits, and try-begin is
				* -EBUSY; 0: a quarter of max_bytes, at most 64 MiB */
	unsigned retire_batch; /* nodes a thread collects for one grace period, 1..1024; 0: 32 */
	enum pt_reclaim reclaim;
	unsigned homes; /* NUMA homes: node memory is kept apart by them, 1..64; 0: 1 */
	/*
	 * Where nodes lie: `max_bytes` of address space, aligned to chunks, which the embedder keeps
	 * until the pool is destroyed; NULL: the pool reserves it. The node at physical address `pa`
	 * is at region + (pa - phys_base).
	 */
	void *region;
	pt_pa_t phys_base; /* physical address of the region's first byte, aligned to chunks */
	/*
	 * Where their metadata lies: 64 bytes for each node of the region, aligned to 64, readable
	 * and writable, content of no matter, the library's alone until the pool is destroyed;
	 * NULL: the pool's own. That of `pa` is at meta + ((pa - phys_base) >> node_shift) * 64.
	 */
	void *meta;
	/* NULL: anonymous memory, huge pages advised; or `region` as it is, zeroed before use. */
	const struct pt_chunk_ops *chunk_ops;
	void *chunk_ctx;
};

struct pt_pool_stats {
	uint64_t node_bytes;    /* in trees, gathers and magazines' hands: taken from chunks */
	uint64_t retired_bytes; /* handed over, waiting for their grace period */
	uint64_t retired_bytes_max;
	uint64_t retired_chains; /* handed over so far: grace periods asked for */
	uint64_t chunk_bytes;    /* backed by the chunk operations */
	uint64_t meta_bytes;     /* metadata of that */
	uint64_t tables;         /* tables that exist */
	uint64_t threads;        /* threads registered */
};

/* Of the chunks of one NUMA home. */
struct pt_home_stats {
	uint64_t node_bytes;    /* taken from them */
	uint64_t strayed_bytes; /* ever taken by threads of other homes, for want of memory there */
	uint64_t chunk_bytes;
};

/*
 * Create a pool of node memory, shared by any number of tables and threads.
 * Return: 0; -EINVAL: a field is out of bounds or not aligned, `region` or `meta` wraps around, or
 * they overlap; -ENOMEM.
 * Context: any; may block. Cost: a few address space reservations.
 */
PT_API PT_MUST_CHECK int pt_pool_create(const struct pt_pool_config *config,
					struct pt_pool **ret_pool);

/*
 * Destroy a pool. Waits for callbacks that still free nodes of it.
 * Return: 0; -EBUSY: tables exist or threads are registered (nothing changed).
 * Context: a thread not registered with it; blocks.
 */
PT_API PT_MUST_CHECK int pt_pool_destroy(struct pt_pool *pool);

/* Context: any. The figures are each exact, together approximate while threads run. */
PT_API void pt_pool_get_stats(struct pt_pool *pool, struct pt_pool_stats *ret_stats);

/* As pt_pool_get_stats(), for one NUMA home. Return: 0; -EINVAL: the pool has no such home. */
PT_API PT_MUST_CHECK int pt_pool_get_home_stats(struct pt_pool *pool, unsigned home,
						struct pt_home_stats *ret_stats);

/* ---------------------------------------------------------------------------------- threads -- */

/*
 * Register the calling thread with a pool: it may then use every table of that pool.
 * A system thread may hold several registrations, one for each pool; while a cursor is open by one
 * of them, no call that may block may be made by another (that is not checked).
 * Return: 0; -ENOMEM: also when 65535 threads are registered.  Context: any; may block.
 */
PT_API PT_MUST_CHECK int pt_thread_register(struct pt_pool *pool, struct pt_thread **ret_self);

/*
 * Give back the magazine, hand over what is retired, end the registration.
 * Return: 0; -EBUSY: this thread holds a cursor.
 * Context: no cursor open; in PT_RECLAIM_SYNC mode, and who has used tables of strategy `rangelock`,
 * may wait for a grace period.
 */
PT_API PT_MUST_CHECK int pt_thread_unregister(struct pt_thread *self);

/*
 * Take nodes from the chunks of NUMA home @home from now on; 0 is where a thread begins. Nodes in
 * its magazine go back where they belong, nodes in trees stay. When @home has no memory left, nodes
 * of other homes are taken rather than none: see pt_home_stats.
 * Return: 0; -EINVAL: the pool has no such home; -EBUSY: this thread holds a cursor.
 * Context: no cursor open. Never blocks. Cost: what the magazine holds, if the home changes.
 */
PT_API PT_MUST_CHECK int pt_thread_set_home(struct pt_thread *self, unsigned home);

/*
 * Announce that the thread holds no reference into any table. Needed regularly with the qsbr
 * flavour of RCU, where a registered thread that sleeps or waits for others holds up reclamation;
 * costs nothing with the other flavours. Must not be called while a cursor is open.
 */
PT_API void pt_thread_quiescent(struct pt_thread *self);

/*
 * Hand over everything this thread has retired, and wait until that, and whatever other threads
 * have handed over to callbacks, is free and its drop hooks have run. (In PT_RECLAIM_SYNC mode
 * there are no callbacks: other threads free their own.)
 * Return: 0; -EDEADLK: this thread holds a cursor.  Context: blocks for a grace period.
 */
PT_API int pt_thread_reclaim(struct pt_thread *self);

/*
 * How far a call on a range came that failed, on a table whose strategy isolates slots: so many bytes
 * from the beginning of its range (pt_cursor_mark() and the like: from where the cursor stood) are as if
 * it had succeeded, and references of tracked items there have moved; the rest is as it was. With range
 * isolation it is nothing, whatever this says. pt_clone(): bytes of @dst; of @src more may be protected.
 * Of the last call of this thread that took a range and was not refused for its arguments.
 * Context: any.
 */
PT_API uint64_t pt_thread_done(const struct pt_thread *self);

/*
 * Testing: from now on this thread gets at most `after` nodes; a call that reserves more than are
 * left fails with -ENOMEM. UINT64_MAX (the initial state): no limit.
 */
PT_API void pt_thread_fail_alloc(struct pt_thread *self, uint64_t after);

/* ----------------------------------------------------------------------------------- tables -- */

/*
 * Make every CPU (or device) forget translations of [va, va + len), len > 0; `tables`: also cached
 * table entries. Returns when all have acknowledged (T1); a CPU in the middle of an access does so
 * when that is done. A hook that looks for whom to wait begins with a full barrier: what was
 * removed may have been so by a plain store, which others do not see yet. The hook of a kernel
 * table must reach the CPUs that run tables which borrow its half, too. Runs without locks, but for
 * pt_merge(), which holds its range over the flush, and pt_cursor_end() of a thread that holds
 * other cursors: the hook must then not wait for a thread that may be waiting for the range, unless
 * that thread acknowledges flushes while it waits (P1), nor open a cursor.
 */
typedef void (*pt_flush_fn)(void *ctx, pt_va_t va, uint64_t len, bool tables);

/*
 * What a table is for. A kernel table manages the upper half by default; all its root slots refer
 * to tables from its creation to its end (so top_pinned is implied), for other tables borrow them.
 * A device table (IOMMU) is like a user table that borrows nothing; its owners share it by
 * pt_table_get(). Source: Asterinas KernelPtConfig, UserPtConfig, IommuPtConfig.
 */
enum pt_role {
	PT_ROLE_USER,
	PT_ROLE_KERNEL,
	PT_ROLE_DEVICE,
};

struct pt_config {
	size_t size; /* sizeof(struct pt_config), for growth of this struct */
	const char *format;
	const char *strategy; /* NULL: "rcu" */
	const char *
		node_lock; /* of pt_node_lock_at(); NULL, or a kind that the strategy does not have:
				* the lowest that it has */
	struct pt_pool *pool;
	unsigned top_first; /* root slots this table manages: [top_first, top_end); */
	unsigned top_end;   /* both 0: the upper half (kernel role); else all, or the lower half if
			     * addresses are sign-extended or `kernel` is given */
	/*
	 * What all addresses of the table begin with: the bits above those that the format
	 * translates, in their place (~0 << 48 for the upper of two AArch64 tables). An address
	 * with others is -ERANGE. Must be 0 where addresses are sign-extended.
	 */
	pt_va_t leading;
	enum pt_role role;
	/*
	 * User role: share this kernel table's half, or NULL. It has the same format, leading bits
	 * and pool, its range lies apart, and either both strategies are `bare` or neither; if the
	 * kernel's `reuses` tables, so must this one's. pt_walk() and pt_access() follow this table's own
	 * root there, as the hardware does; pt_query() and pt_query_get() ask the kernel table, by
	 * its strategy; everything else is -ERANGE. What is mapped in the kernel table later is seen
	 * as well. Holds a reference of it.
	 */
	struct pt_table *kernel;
	/*
	 * Last address, inclusive as all ends here are, that cursors and changes may reach; 0: the
	 * last one managed. Walks and queries may look behind it. One less than a multiple of the
	 * base page. (Asterinas' users end a page below the hole: (1 << 47) - 4096 - 1.)
	 */
	pt_va_t bound;
	bool top_pinned;                    /* root slots that refer to tables are never cleared */
	const struct pt_item_ops *item_ops; /* NULL: PT_TRACKED is -EINVAL */
	void *item_ctx;
	pt_flush_fn flush; /* NULL: nothing caches translations */
	void *flush_ctx;
	/* Load a root register; may be NULL. See pt_table_activate(). Must not call the library. */
	void (*activate)(void *ctx, pt_pa_t root_pa);
	void *activate_ctx;
	bool stats; /* count: see pt_table_get_stats() */
};

/*
 * Create an empty table; its creator holds the first reference.
 * Return: 0; -EINVAL: unknown names, a pair that is not built, hooks missing, an index range,
 * leading bits, a role, a bound or a kernel table that do not fit, a pool of another node size,
 * beyond the format's physical addresses, or not that of @self; -EBUSY: config->kernel has as many
 * references as can be counted; -ENOMEM.
 * Context: may block. Cost: one node; kernel role: and one for each root slot.
 * Source: Asterinas PageTable::empty().
 */
PT_API PT_MUST_CHECK int pt_table_create(struct pt_thread *self, const struct pt_config *config,
					 struct pt_table **ret_table);

/*
 * Destroy a table and all it maps: flushes, drops tracked items, frees the nodes; if its strategy
 * `reuses` them, they are retired instead.
 * The caller guarantees that no other thread uses the table any more and that every gather of it
 * has been synced.
 * Return: 0; -EBUSY: this thread holds a cursor on it, or there are other references: tables that
 * share it, CPUs it is active on, pt_table_get(); -EDEADLK: on another table; -EINVAL: @self is
 * of another pool.
 * Context: no cursor open; may block. Cost: every node once.
 */
PT_API PT_MUST_CHECK int pt_table_destroy(struct pt_thread *self, struct pt_table *table);

/* What the MMU's root register must hold. */
PT_API pt_pa_t pt_table_root(const struct pt_table *table);

/*
 * The same on the CPUs of NUMA home @home, which have a copy of the tree by themselves if the strategy
 * `replicates`. With any root translations are right, once what was changed has been flushed (T1). That
 * something has been mapped a home's tree may not know yet: who faults there, where pt_walk() finds a
 * translation, brings it forward by pt_query(), by a thread of that home.
 * @home: any number; those that the pool does not have get the same root as home 0.
 */
PT_API pt_pa_t pt_table_root_at(const struct pt_table *table, unsigned home);

/* First and last address managed; without what is borrowed, whatever the bound. */
PT_API void pt_table_range(const struct pt_table *table, pt_va_t *ret_first, pt_va_t *ret_last);

PT_API const struct pt_format_info *pt_table_format(const struct pt_table *table);
PT_API const struct pt_strategy_info *pt_table_strategy(const struct pt_table *table);
/* The kind of node lock it has; as configured, if its strategy locks no nodes. */
PT_API const char *pt_table_node_lock(const struct pt_table *table);

/* --------------------------------------------------------------------------- types of calls -- */

/* Storage of a cursor; set up by pt_cursor_begin() or pt_cursor_try_begin(), must not move. */
struct pt_cursor {
	uint64_t opaque[24];
};

/* Storage of a gather; set up by pt_gather_init(), must not move. */
struct pt_gather {
	uint64_t opaque[32];
};

enum pt_mode {
	PT_READ_ONLY, /* query, find; never allocates */
	PT_CHANGE,    /* also take, protect; allocates only to split */
	PT_BUILD,     /* also map, mark; creates tables on the way down */
};

/*
 * Called for each leaf that was removed through a gather, after the flush, without locks; the
 * item's accessed and dirty bits are final (T2). May call the library, but not with that gather.
 */
typedef void (*pt_removed_fn)(void *ctx, pt_va_t va, const struct pt_item *item);

/*
 * New properties for one mapping. Runs under the table's locks: must not call into the library. May
 * be called more than once: before a split, and when the hardware has changed the entry meanwhile.
 * Returns the new properties, PT_ACCESSED and PT_DIRTY included.
 */
typedef pt_prop_t (*pt_protect_fn)(void *ctx, pt_va_t va, const struct pt_item *old);

/*
 * Called by pt_harvest() for each leaf that has been used, once, with the bits it had. Runs under
 * the table's locks: must not call into the library.
 */
typedef void (*pt_harvest_fn)(void *ctx, pt_va_t va, const struct pt_item *item);

enum pt_access {
	PT_ACCESS_READ,
	PT_ACCESS_WRITE,
	PT_ACCESS_EXEC,
};

/*
 * The one indirect call: a table begins with a pointer to these, and the functions below call
 * through it. Not for direct use.
 */
struct pt_ops {
	int (*walk)(struct pt_thread *self, struct pt_table *table, pt_va_t va, pt_pa_t *ret_pa,
		    pt_prop_t *ret_prop);
	int (*access)(struct pt_thread *self, struct pt_table *table, pt_va_t va,
		      enum pt_access access, bool user, pt_pa_t *ret_pa);
	int (*query)(struct pt_thread *self, struct pt_table *table, pt_va_t va,
		     struct pt_mapping *ret);
	int (*query_get)(struct pt_thread *self, struct pt_table *table, pt_va_t va,
			 struct pt_mapping *ret);
	int (*map)(struct pt_thread *self, struct pt_table *table, pt_va_t va, uint64_t len,
		   pt_pa_t pa, pt_prop_t prop, unsigned max_level);
	int (*unmap)(struct pt_thread *self, struct pt_table *table, pt_va_t va, uint64_t len,
		     struct pt_gather *gather, uint64_t *ret_pages);
	int (*protect)(struct pt_thread *self, struct pt_table *table, pt_va_t va, uint64_t len,
		       pt_prop_t set, pt_prop_t clear, struct pt_gather *gather,
		       uint64_t *ret_pages);
	int (*clone)(struct pt_thread *self, struct pt_table *src, struct pt_table *dst, pt_va_t va,
		     uint64_t len, pt_prop_t set, pt_prop_t clear, struct pt_gather *gather,
		     uint64_t *ret_pages);
	int (*mark)(struct pt_thread *self, struct pt_table *table, pt_va_t va, uint64_t len,
		    uint64_t mark);
	int (*prune)(struct pt_thread *self, struct pt_table *table, pt_va_t va, uint64_t len,
		     struct pt_gather *gather, uint64_t *ret_nodes);
	int (*harvest)(struct pt_thread *self, struct pt_table *table, pt_va_t va, uint64_t len,
		       pt_prop_t clear, pt_harvest_fn fn, void *ctx, struct pt_gather *gather,
		       uint64_t *ret_leaves);
	int (*merge)(struct pt_thread *self, struct pt_table *table, pt_va_t va, uint64_t len,
		     unsigned max_level, uint64_t *ret_merged);
	int (*check)(struct pt_thread *self, struct pt_table *table, struct pt_check_report *ret);
	int (*cursor_begin)(struct pt_thread *self, struct pt_table *table, pt_va_t va,
			    uint64_t len, enum pt_mode mode, unsigned top, struct pt_cursor *c);
	int (*cursor_try_begin)(struct pt_thread *self, struct pt_table *table, pt_va_t va,
				uint64_t len, enum pt_mode mode, unsigned top, struct pt_cursor *c);
	void (*cursor_end)(struct pt_cursor *c);
	int (*cursor_query)(struct pt_cursor *c, struct pt_mapping *ret);
	int (*cursor_find_next)(struct pt_cursor *c, uint64_t len, pt_va_t *ret_va);
	int (*cursor_jump)(struct pt_cursor *c, pt_va_t va);
	int (*cursor_map)(struct pt_cursor *c, const struct pt_item *item);
	int (*cursor_take_next)(struct pt_cursor *c, uint64_t len, struct pt_gather *gather,
				struct pt_taken *ret);
	int (*cursor_protect_next)(struct pt_cursor *c, uint64_t len, pt_protect_fn fn, void *ctx,
				   struct pt_gather *gather, pt_va_t *ret_va, uint64_t *ret_len);
	int (*cursor_mark)(struct pt_cursor *c, uint64_t len, uint64_t mark);
	int (*gather_sync)(struct pt_gather *g);
};

/* The public head of struct pt_table and of struct pt_cursor and pt_gather storage. */
struct pt_ops_head {
	const struct pt_ops *ops;
};

#define PT_OPS(object) (((const struct pt_ops_head *)(const void *)(object))->ops)

/* --------------------------------------------------------------------- looking at an address -- */

/*
 * Translate as the hardware would: lock-free with every strategy (`bare`: if no other thread
 * changes the table), no side effects.
 * @va: any address. *ret_pa: the physical address of that byte.
 * Return: 0; -ENOENT: no translation, or one the MMU would not use; -ERANGE: @va neither managed
 * nor in a borrowed kernel half.
 * Context: any, also with a cursor open. Never blocks.
 * Cost: one load per level. Source: Asterinas PageTable::page_walk().
 */
static inline PT_MUST_CHECK int pt_walk(struct pt_thread *self, struct pt_table *table, pt_va_t va,
					pt_pa_t *ret_pa, pt_prop_t *ret_prop)
{
	return PT_OPS(table)->walk(self, table, va, ret_pa, ret_prop);
}

/*
 * Do what the hardware does on an access: translate, check the permission, set the accessed bit
 * and on a write the dirty bit by compare-exchange. For software MMUs and tests.
 * Return: 0; -ENOENT: no translation; -EACCES: not permitted (nothing set); -ERANGE.
 * Context: any. Lock-free. Cost: one load per level, at most one successful compare-exchange.
 */
static inline PT_MUST_CHECK int pt_access(struct pt_thread *self, struct pt_table *table,
					  pt_va_t va, enum pt_access access, bool user,
					  pt_pa_t *ret_pa)
{
	return PT_OPS(table)->access(self, table, va, access, user, ret_pa);
}

/*
 * What covers @va, by the strategy's own query (Q1, Q2). A tracked item is reported without a
 * reference: see pt_query_get(), or hold a cursor.
 * Return: 0 (also when EMPTY); -ERANGE: @va neither managed nor in a borrowed kernel half, for
 * which the kernel table answers; -EDEADLK: this thread holds a cursor and queries take locks.
 * Context: any, and never blocks, if the strategy's queries are lock-free; else no cursor open, may
 * block. Cost: one load per level, and what the strategy adds.
 */
static inline PT_MUST_CHECK int pt_query(struct pt_thread *self, struct pt_table *table, pt_va_t va,
					 struct pt_mapping *ret)
{
	return PT_OPS(table)->query(self, table, va, ret);
}

/*
 * As pt_query(), and a tracked item comes with a reference of its own (the clone hook); the caller
 * drops it. Holds the page as a read cursor does, whatever the strategy.
 * Return: 0; -ERANGE: as pt_query(); -EDEADLK: this thread holds a cursor; -EINVAL: @self is of
 * another pool; what the clone hook says if it refuses: by pt_frame_item_ops() -EOVERFLOW, or
 * -ERANGE for what are no managed frames.
 * Context: no cursor open; may block. Cost: as a read cursor on one page.
 */
static inline PT_MUST_CHECK int pt_query_get(struct pt_thread *self, struct pt_table *table,
					     pt_va_t va, struct pt_mapping *ret)
{
	return PT_OPS(table)->query_get(self, table, va, ret);
}

/* -------------------------------------------------------------------------- calls on a range -- */

/*
 * Each of these is a transaction by itself. What holds for all of them and for those of "upkeep":
 *   @va, @len   multiples of the base page, @len > 0, and no wrap-around, else -EINVAL; within the
 *               bound, else -ERANGE
 *   @gather     NULL: what must be flushed is flushed when the call returns (T1), and what was
 *               removed is retired; else both are added to it, and the caller syncs. What another
 *               thread's call has changed in the same pages is flushed by that call, which may be
 *               later; but what is removed is always flushed, even if nobody may use it (R2)
 *   ret_ counts may be NULL
 * Context: no cursor open (-EDEADLK). May block: while others hold the range, while too much
 * retired memory waits, and in the flush hook.
 */

/*
 * Map [va, va + len) to [pa, pa + len), by the largest leaves up to @max_level (pt_largest_page()).
 * Marks in the range are replaced, and tables that hold no mapping give way to a huge leaf. With
 * PT_TRACKED in @prop one reference for each of those leaves moves into the table.
 * @pa: a multiple of the base page, and all of it below 1 << pa_bits of the format; @max_level:
 * 1..levels.
 * Return: 0; -EINVAL; -ERANGE; -EEXIST: something in the range is mapped; -ENOMEM; -EDEADLK. On
 * error references stay with the caller.
 * Cost: the walk and one store per leaf.
 */
static inline PT_MUST_CHECK int pt_map(struct pt_thread *self, struct pt_table *table, pt_va_t va,
				       uint64_t len, pt_pa_t pa, pt_prop_t prop, unsigned max_level)
{
	return PT_OPS(table)->map(self, table, va, len, pa, prop, max_level);
}

/*
 * Remove every mapping and mark in [va, va + len). Huge leaves across an edge are split; tables
 * that lie wholly inside are detached by one store.
 * @ret_pages: base pages that were mapped.
 * Return: 0; -EINVAL: also a tracked leaf across an edge, if there is no split hook; -ERANGE;
 * -ENOMEM: for splits, or what the gather must remember; -EDEADLK.
 * Cost: O(nodes) of the range, plus the slots at its edges.
 */
static inline PT_MUST_CHECK int pt_unmap(struct pt_thread *self, struct pt_table *table, pt_va_t va,
					 uint64_t len, struct pt_gather *gather,
					 uint64_t *ret_pages)
{
	return PT_OPS(table)->unmap(self, table, va, len, gather, ret_pages);
}

/*
 * New properties (old & ~clear) | set for every mapping in [va, va + len); holes are skipped, huge
 * leaves across an edge are split. Accessed and dirty bits that the hardware sets meanwhile survive
 * unless @clear has them (T2).
 * @set, @clear: no PT_TRACKED. A cache policy is replaced as a whole: if either has bits of one,
 * @clear has all of PT_CACHE_MASK.
 * @ret_pages: base pages mapped in the range.
 * Return: 0; -EINVAL: also if the format cannot express the result, or as pt_unmap(); -ERANGE;
 * -ENOMEM: for splits; -EDEADLK.
 * Cost: a load, and perhaps a compare-exchange, per leaf. Source: Asterinas protect_flush_tlb().
 */
static inline PT_MUST_CHECK int pt_protect(struct pt_thread *self, struct pt_table *table,
					   pt_va_t va, uint64_t len, pt_prop_t set, pt_prop_t clear,
					   struct pt_gather *gather, uint64_t *ret_pages)
{
	return PT_OPS(table)->protect(self, table, va, len, set, clear, gather, ret_pages);
}

/*
 * Copy on write, as fork needs it: map in @dst, at the same addresses, what @src maps in [va, va + len),
 * while all of it, in both tables, gets the properties (old & ~clear) | set; clear is PT_WRITE as a rule.
 * For other cursors that is one moment. Marks are copied. Tracked items: a reference of each by the clone
 * hook. Huge leaves stay huge in both; those that reach over an edge of the range are split as by
 * pt_protect(), in @src only if something changes. Accessed and dirty bits of @src survive (T2), the
 * copies have none. Empty tables of @dst give way to huge leaves.
 * @src, @dst: two tables of one pool, format and strategy, with the same item_ops and item_ctx.
 * @set, @clear: as for pt_protect(), without PT_ACCESSED and PT_DIRTY.
 * @gather: for @src, as for pt_protect(). Until its sync a CPU may still write by old translations of
 * @src to what @dst maps already: so let nobody run on @dst before.
 * @ret_pages: base pages mapped in the range; may be NULL.
 * Return: 0; -EINVAL: also if the tables are the same or do not fit; -ERANGE; -EEXIST: @dst has a
 * mapping or a mark in the range; -ENOMEM; -EDEADLK; what the clone hook says if it refuses:
 * -EOVERFLOW by pt_frame_item_ops().
 * Context: no cursor open; may block, for either range with nothing held. Cost: a load and a store per
 * slot of the tables that hold something, what pt_protect() costs, and one store for each table that
 * @dst lacks.
 * Source: Linux copy_page_range().
 */
static inline PT_MUST_CHECK int pt_clone(struct pt_thread *self, struct pt_table *src,
					 struct pt_table *dst, pt_va_t va, uint64_t len,
					 pt_prop_t set, pt_prop_t clear, struct pt_gather *gather,
					 uint64_t *ret_pages)
{
	return PT_OPS(src)->clone(self, src, dst, va, len, set, clear, gather, ret_pages);
}

/*
 * Put software state on the unmapped range [va, va + len), in the largest slots that fit.
 * Marks in the range are replaced; pt_unmap() removes them.
 * @mark: below 1 << mark_bits of the format; 0 is a mark like any other.
 * Return: 0; -EINVAL; -ERANGE; -EEXIST: something in the range is mapped; -ENOMEM; -EDEADLK.
 * Cost: the walk and one store per slot. Source: CortenMM's status.
 */
static inline PT_MUST_CHECK int pt_mark(struct pt_thread *self, struct pt_table *table, pt_va_t va,
					uint64_t len, uint64_t mark)
{
	return PT_OPS(table)->mark(self, table, va, len, mark);
}

/* ---------------------------------------------------------------------------------- cursors -- */

/*
 * Open a transaction on [va, va + len): with range isolation no overlapping cursor is open until
 * pt_cursor_end(), read cursors aside. The cursor stands at @va.
 * @top: 1..levels.
 * Return: 0; -EINVAL; -ERANGE; -ENOMEM: PT_BUILD only; -EDEADLK: the thread holds a cursor.
 * Context: no cursor open; blocks while others hold the range, or while too much retired memory
 * waits. Cost: the walk to the covering node, and one lock per node below it in the range.
 * Source: Asterinas PageTable::cursor_mut(), CortenMM section 4.
 */
static inline PT_MUST_CHECK int pt_cursor_begin(struct pt_thread *self, struct pt_table *table,
						pt_va_t va, uint64_t len, enum pt_mode mode,
						unsigned top, struct pt_cursor *c)
{
	return PT_OPS(table)->cursor_begin(self, table, va, len, mode, top, c);
}

/*
 * As pt_cursor_begin(), but where that would wait, for whoever holds some of the range or for
 * retired memory, this is -EBUSY with nothing held; so also where it would wait for a moment only.
 * Hence a thread that holds cursors may open more, on other tables; they may end in any order. Who
 * is refused and waits for others with what it holds may wait for ever: end the other cursors and
 * begin again.
 * Return: as pt_cursor_begin(), but -EDEADLK: the thread holds a cursor on this table; -EBUSY.
 * Context: cursors on other tables may be open. Never waits for another thread's cursor. Cost: as
 * pt_cursor_begin(); refused: at most twice the locks it took.
 */
static inline PT_MUST_CHECK int pt_cursor_try_begin(struct pt_thread *self, struct pt_table *table,
						    pt_va_t va, uint64_t len, enum pt_mode mode,
						    unsigned top, struct pt_cursor *c)
{
	return PT_OPS(table)->cursor_try_begin(self, table, va, len, mode, top, c);
}

/*
 * Close the transaction. Does not flush what a gather holds: see pt_gather_sync(). Flushes and
 * retires tables without mappings that gave way to a huge leaf or mark, for which it may block; if
 * the thread holds other cursors it only flushes, see pt_flush_fn, and what is retired is handed
 * over by a later call.
 */
static inline void pt_cursor_end(struct pt_cursor *c)
{
	PT_OPS(c)->cursor_end(c);
}

/* Where the cursor stands; one past the range when it has reached the end. */
PT_API pt_va_t pt_cursor_va(const struct pt_cursor *c);

/*
 * The slot that covers the cursor's address; it may begin before and end behind the range.
 * Return: 0 (also when EMPTY); -ERANGE: at the end of the range.  The cursor does not move.
 */
static inline PT_MUST_CHECK int pt_cursor_query(struct pt_cursor *c, struct pt_mapping *ret)
{
	return PT_OPS(c)->cursor_query(c, ret);
}

/*
 * Move to the next mapped address at or behind the cursor, within @len bytes.
 * @len: a multiple of the base page, > 0, not beyond the range's end.
 * Return: 0: the cursor stands there, and *ret_va is it; -ENOENT: the cursor stands behind the
 * @len bytes; -EINVAL; -ERANGE.
 */
static inline PT_MUST_CHECK int pt_cursor_find_next(struct pt_cursor *c, uint64_t len,
						    pt_va_t *ret_va)
{
	return PT_OPS(c)->cursor_find_next(c, len, ret_va);
}

/* Move to @va, a multiple of the base page. Return: 0; -EINVAL; -ERANGE: outside the range. */
static inline PT_MUST_CHECK int pt_cursor_jump(struct pt_cursor *c, pt_va_t va)
{
	return PT_OPS(c)->cursor_jump(c, va);
}

/*
 * Map @item at the cursor and move behind it. Marks below it go, one that covers more is split.
 * Return: 0; -EINVAL: mode, level, alignment, properties; -ERANGE: beyond the range, or a level
 * above top; -EEXIST; -ENOMEM.  On error the reference of a tracked item stays with the caller.
 */
static inline PT_MUST_CHECK int pt_cursor_map(struct pt_cursor *c, const struct pt_item *item)
{
	return PT_OPS(c)->cursor_map(c, item);
}

/* What pt_cursor_take_next() removed. */
struct pt_taken {
	pt_va_t va;
	uint64_t len;
	bool subtree;        /* a whole table; its leaves are reported through the gather */
	struct pt_item item; /* !subtree: the leaf */
	uint64_t pages;      /* base pages that were mapped by what was taken */
};

/*
 * Remove the next mapping within @len bytes, a leaf or (not above top, and if anything is mapped
 * below) a whole table, and move behind it. Marks and empty tables before it are removed as well. A
 * leaf that reaches beyond the @len bytes is split first.
 * @gather: takes over what must be flushed and freed; not NULL.
 * Return: 0; -ENOENT: nothing mapped (marks are removed, the cursor stands behind the @len bytes);
 * -EINVAL: mode, length, gather, or as pt_unmap(); -ERANGE; -ENOMEM.
 */
static inline PT_MUST_CHECK int pt_cursor_take_next(struct pt_cursor *c, uint64_t len,
						    struct pt_gather *gather, struct pt_taken *ret)
{
	return PT_OPS(c)->cursor_take_next(c, len, gather, ret);
}

/*
 * Give the next mapping within @len bytes new properties and move behind it; a leaf that reaches
 * beyond the @len bytes or before the cursor is split first.
 * @gather: what must be flushed; not NULL.
 * Return: 0: *ret_va, *ret_len are what was changed; -ENOENT: nothing mapped (the cursor stands
 * behind the @len bytes); -EINVAL: mode, length, gather, or as pt_unmap(), or @fn changed
 * PT_TRACKED or asked for what the format cannot express; -ERANGE; -ENOMEM.
 */
static inline PT_MUST_CHECK int pt_cursor_protect_next(struct pt_cursor *c, uint64_t len,
						       pt_protect_fn fn, void *ctx,
						       struct pt_gather *gather, pt_va_t *ret_va,
						       uint64_t *ret_len)
{
	return PT_OPS(c)->cursor_protect_next(c, len, fn, ctx, gather, ret_va, ret_len);
}

/*
 * Mark @len bytes at the cursor, in slots not above top, and move behind them.
 * Return: 0; -EINVAL: mode, length, mark; -ERANGE: beyond the range; -EEXIST; -ENOMEM.
 */
static inline PT_MUST_CHECK int pt_cursor_mark(struct pt_cursor *c, uint64_t len, uint64_t mark)
{
	return PT_OPS(c)->cursor_mark(c, len, mark);
}

/* ---------------------------------------------------------------------------------- gathers -- */

/*
 * Start collecting for one table and one thread. @removed may be NULL.
 * Cost: constant, touches a few words.
 */
PT_API void pt_gather_init(struct pt_gather *g, struct pt_thread *self, struct pt_table *table,
			   pt_removed_fn removed, void *ctx);

/*
 * Flush, wait for acknowledgement, report removed leaves, hand everything to reclamation. After it
 * no CPU translates by an old entry (T1). The gather is empty afterwards and may be used again.
 * Return: 0; -EDEADLK: the thread holds a cursor, on which others may wait who must acknowledge.
 * Context: may block (in PT_RECLAIM_SYNC mode for a grace period).
 */
static inline int pt_gather_sync(struct pt_gather *g)
{
	return PT_OPS(g)->gather_sync(g);
}

/* ------------------------------------------------------------------------- items and frames -- */

/*
 * References of tracked items (those with PT_TRACKED). All hooks may run on any thread; clone,
 * split and merge run under the table's locks and must not call into the library or block. With slot
 * isolation there are none: hooks of several threads may run at the same time on the same item, while
 * its drop hook waits for all of them; so a part may be cloned before its whole has been split.
 */
struct pt_item_ops {
	/*
	 * Take one more reference on [pa, pa + size(level)): see pt_query_get(), pt_clone(). Return: 0, or a
	 * negative errno with nothing changed, which the call that asked returns.
	 */
	int (*clone)(void *ctx, pt_pa_t pa, unsigned level);
	/* Give one reference back. Runs without locks, after flush and grace period (R2). */
	void (*drop)(void *ctx, pt_pa_t pa, unsigned level);
	/*
	 * One reference on a huge item becomes one on each of its parts of level - 1.
	 * NULL: tracked huge items cannot be split, a call that would have to is -EINVAL.
	 */
	void (*split)(void *ctx, pt_pa_t pa, unsigned level);
	/*
	 * The reverse: one reference on each part of level - 1 becomes one on [pa, pa + size(level)).
	 * NULL: tracked items are not merged.
	 */
	void (*merge)(void *ctx, pt_pa_t pa, unsigned level);
};

/*
 * Counted frames: physical pages of which the library keeps count and 40 bytes of the embedder's. A
 * frame is unused, in use with a count, unique (one owner, no count), or busy: just being taken or
 * given back. The calls say by their error what they found:
 *   -ENOENT unused   -EEXIST in use   -EAGAIN busy   -EBUSY unique
 *   -ERANGE a frame not managed here   -EINVAL not aligned to frames, or no bytes
 *   -EOVERFLOW the count is at its bound
 * @pa, @bytes: multiples of the frame size. Ranges: all frames or, on error, none; others may see
 * single frames taken for a moment before a range fails.
 * Context: any thread, no registration. Never blocks; hooks run in put and repurpose.
 * Cost: one read-modify-write per frame.
 * Source: Asterinas ostd::mm::frame (Frame, UniqueFrame, Segment).
 */
struct pt_frames;

#define PT_FRAME_STORAGE 40 /* bytes of the embedder's in each frame's metadata */

/* Both may be NULL, and run where the last reference is given back. */
struct pt_frame_ops {
	/* The frame is still busy; @storage is zeroed afterwards. */
	void (*on_drop)(void *ctx, pt_pa_t pa, void *storage);
	/* The frame is unused and may have been taken again; its set may have been destroyed. */
	void (*free)(void *ctx, pt_pa_t pa);
};

struct pt_frames_config {
	size_t size;         /* sizeof(struct pt_frames_config), for growth of this struct */
	pt_pa_t first;       /* physical address of the first frame */
	uint64_t bytes;      /* of physical memory */
	unsigned page_shift; /* bytes of a frame, log2, 4..30; 0: 12 */
	/* An item of level l has 1 << (l - 1) * index_bits frames; at most 16; 0: 9. */
	unsigned index_bits;
	uint64_t max_count; /* references a frame may have, at most (and 0) 1 << 62 */
	void *meta;         /* 64 bytes for each frame, aligned to that; NULL: made here */
	const struct pt_frame_ops *ops; /* NULL: nothing to be told */
	void *ctx;
};

/* All frames are unused. Return: 0; -EINVAL; -ENOMEM. Context: may block. */
PT_API PT_MUST_CHECK int pt_frames_create(const struct pt_frames_config *config,
					  struct pt_frames **ret_frames);

/* Return: 0; -EBUSY: a frame is not unused (nothing changed). Cost: a load per frame. */
PT_API PT_MUST_CHECK int pt_frames_destroy(struct pt_frames *frames);

/*
 * Unused frames get their first reference. Return: 0; -EEXIST; -EAGAIN; -EBUSY; -EINVAL; -ERANGE.
 */
PT_API PT_MUST_CHECK int pt_frame_get_unused(struct pt_frames *frames, pt_pa_t pa, uint64_t bytes);

/*
 * One more reference of frames in use; the caller need hold none. A frame whose last reference is
 * being given back is not brought back.
 * Return: 0; -ENOENT; -EAGAIN; -EBUSY; -EOVERFLOW; -EINVAL; -ERANGE.
 */
PT_API PT_MUST_CHECK int pt_frame_get(struct pt_frames *frames, pt_pa_t pa, uint64_t bytes);

/* Give back a reference that the caller holds of each frame. Return: 0; -EINVAL; -ERANGE. */
PT_API int pt_frame_put(struct pt_frames *frames, pt_pa_t pa, uint64_t bytes);

/*
 * References of a frame in use, at some moment. Return: 0; -ENOENT; -EAGAIN; -EBUSY; -EINVAL;
 * -ERANGE.
 */
PT_API PT_MUST_CHECK int pt_frame_count(struct pt_frames *frames, pt_pa_t pa, uint64_t *ret_count);

/*
 * An unused frame becomes the caller's alone. Return: 0; -EEXIST; -EAGAIN; -EBUSY; -EINVAL;
 * -ERANGE.
 */
PT_API PT_MUST_CHECK int pt_frame_get_unique(struct pt_frames *frames, pt_pa_t pa);

/*
 * The caller's reference, if it is the only one, becomes sole ownership.
 * Return: 0; -EEXIST: there are more; -ENOENT; -EAGAIN; -EBUSY; -EINVAL; -ERANGE.
 */
PT_API PT_MUST_CHECK int pt_frame_to_unique(struct pt_frames *frames, pt_pa_t pa);

/*
 * For the owner of a unique frame: it becomes in use with one reference; it stays unique, but the
 * on_drop hook ends what its storage was for; the same, and it becomes unused, without the free
 * hook.
 * Return: 0; -EEXIST, -ENOENT, -EAGAIN: it is not unique; -EINVAL; -ERANGE.
 */
PT_API PT_MUST_CHECK int pt_frame_to_shared(struct pt_frames *frames, pt_pa_t pa);
PT_API PT_MUST_CHECK int pt_frame_repurpose(struct pt_frames *frames, pt_pa_t pa);
PT_API PT_MUST_CHECK int pt_frame_reset_as_unused(struct pt_frames *frames, pt_pa_t pa);

/*
 * The frame's PT_FRAME_STORAGE bytes, aligned to 8; NULL: not aligned, or not managed here. Who
 * shares a frame synchronises their use.
 */
PT_API void *pt_frame_storage(struct pt_frames *frames, pt_pa_t pa);

/*
 * Hooks by which tracked items are counted frames: pt_config.item_ops, with the frames as item_ctx.
 * An item holds one reference of each of its frames, so items can be split and merged at no cost.
 */
PT_API const struct pt_item_ops *pt_frame_item_ops(void);

/* ---------------------------------------------------------------------------- shared tables -- */

/*
 * One more reference of the same table, for an owner of its own (an IOMMU's second device). The
 * caller has one, or makes sure that somebody keeps his.
 * Return: 0; -EBUSY: as many references as can be counted.
 * Context: any. Cost: one compare-exchange. Source: Asterinas PageTable::shallow_copy().
 */
PT_API PT_MUST_CHECK int pt_table_get(struct pt_table *table);

/*
 * Give a reference back; the last one destroys the table, for which pt_table_destroy()'s conditions
 * hold. Return: 0; -EBUSY, -EDEADLK: this thread holds a cursor; -EINVAL: @self is of another pool.
 * Context: no cursor open; may block. Cost: one atomic subtraction, or the destruction.
 */
PT_API PT_MUST_CHECK int pt_table_put(struct pt_thread *self, struct pt_table *table);

/* What one CPU (or device) runs on. All zero: nothing. Used by one thread at a time. */
struct pt_cpu {
	uint64_t opaque[2];
};

/*
 * Make @table, or none if NULL, what @cpu runs on. Takes a reference of @table, calls its activate
 * hook, gives the old table's reference back; so a table that is active somewhere stays. Nothing
 * happens if it is active there already. For NULL no hook is called: the caller has taken the CPU
 * off the old root. The hook makes the CPU forget what it cached of the old table.
 * Return: 0; -EINVAL: @self is of another pool; -EBUSY: as pt_table_get(); -EBUSY, -EDEADLK: there
 * is an old table, and this thread holds a cursor.  Context: no cursor open; may block, as
 * pt_table_put().
 * Source: Asterinas PageTable::activate(), first_activate_unchecked().
 */
PT_API PT_MUST_CHECK int pt_table_activate(struct pt_thread *self, struct pt_cpu *cpu,
					   struct pt_table *table);

/* What @cpu runs on, or NULL. */
PT_API struct pt_table *pt_cpu_table(const struct pt_cpu *cpu);

/* ------------------------------------------------------------------------------- statistics -- */

/*
 * What calls on one table did. Queries and walks count nothing. Retired memory mixes nodes of all
 * tables of a pool: see struct pt_pool_stats.
 */
struct pt_stats {
	uint64_t nodes_taken; /* for tables (the root too) and for storage of gathers */
	uint64_t nodes_given; /* given back or retired; held are nodes_taken - nodes_given */
	uint64_t locks;       /* taken for cursors, which one-shot calls have inside */
	uint64_t contended;   /* of these, had to wait */
	uint64_t retries; /* walks begun again, because a node had left the tree, or was about to */
	uint64_t splits;  /* huge leaves and marks split into a table */
	uint64_t detaches; /* tables taken out of the tree as a whole */
	uint64_t path; /* of the locks, those held shared above the covering node: by `coupling` */
	uint64_t revocations; /* of biased locks (BRAVO), by who took them exclusively */
	/* of strategies that replicate: */
	uint64_t appended;  /* records of calls, to the log that the trees follow */
	uint64_t combined;  /* calls that another thread has made, which had the lock */
	uint64_t replayed;  /* records, on a tree that was behind */
	uint64_t uncounted; /* calls of which nothing was counted, for want of memory */
	uint64_t
		lost; /* compare-exchanges that found the slot changed (slot isolation, `rangelock`) */
	uint64_t
		passed; /* ranges of others, on the way to where a range is locked: by `rangelock` */
};

/*
 * What all threads did on a table created with pt_config.stats. Each figure is exact, together they
 * are approximate while threads run.
 * Return: 0; -EINVAL: @table is NULL or does not count.
 * Context: any. Cost: the lines of every 64 threads that have used the table.
 */
PT_API PT_MUST_CHECK int pt_table_get_stats(struct pt_table *table, struct pt_stats *ret_stats);

/*
 * The share of the calling thread since it registered. (`uncounted` is 0.) The shares of all
 * threads that ever used the table sum up to what pt_table_get_stats() says.
 * Return: 0; -EINVAL: @table is NULL or does not count, or @self is of another pool.
 * Context: any. Cost: constant.
 */
PT_API PT_MUST_CHECK int pt_thread_get_stats(struct pt_thread *self, struct pt_table *table,
					     struct pt_stats *ret_stats);

/* ----------------------------------------------------------------------------------- upkeep -- */

/* Calls on a range, these too: what holds for all of those is said there. */

/*
 * Free the tables in [va, va + len) that hold nothing: no mapping, no mark, no table that does.
 * They are what unmapping page by page leaves behind. A table goes only if the range covers all it
 * spans.
 * @ret_nodes: tables detached.
 * Return: 0; -EINVAL; -ERANGE; -EDEADLK. Never allocates.
 * Cost: O(nodes) of the range; leaf tables are judged by their counts.
 */
static inline PT_MUST_CHECK int pt_prune(struct pt_thread *self, struct pt_table *table, pt_va_t va,
					 uint64_t len, struct pt_gather *gather,
					 uint64_t *ret_nodes)
{
	return PT_OPS(table)->prune(self, table, va, len, gather, ret_nodes);
}

/*
 * Which leaves have been used? Calls @fn for each one that overlaps [va, va + len) and has
 * PT_ACCESSED or PT_DIRTY set, and clears the bits of @clear in it; a bit set meanwhile stays (T2).
 * A huge leaf that reaches beyond the range is reported whole, and not split.
 * @clear: 0, only look, or any of PT_ACCESSED and PT_DIRTY.  @fn: may be NULL.
 * @gather: a CPU that has cached the entry as dirty writes on without setting the bit again, until
 * the flush: read a page that was reported dirty after that.
 * @ret_leaves: leaves reported.
 * Return: 0; -EINVAL: also if @clear has other bits; -ERANGE; -EDEADLK. Never allocates.
 * Context: as said there; only looking shares the range with readers.
 * Cost: one load per slot of the tables that map something, one compare-exchange per leaf cleared.
 * Source: Linux folio_referenced(), KVM_GET_DIRTY_LOG.
 */
static inline PT_MUST_CHECK int pt_harvest(struct pt_thread *self, struct pt_table *table,
					   pt_va_t va, uint64_t len, pt_prop_t clear,
					   pt_harvest_fn fn, void *ctx, struct pt_gather *gather,
					   uint64_t *ret_leaves)
{
	return PT_OPS(table)->harvest(self, table, va, len, clear, fn, ctx, gather, ret_leaves);
}

/*
 * Replace tables in [va, va + len) by huge leaves, and these by larger ones: where all entries of a
 * table are contiguous leaves whose properties differ in PT_ACCESSED and PT_DIRTY only, and begin
 * at a multiple of what they map together. Translations stay what they are, at every moment (Q2);
 * the huge leaf has the bits of all its parts, those that the hardware sets meanwhile included
 * (T2). What does not qualify, or is not wholly in the range, is left alone.
 * @max_level: no leaf above it is made; 1..levels.
 * @ret_merged: tables replaced.
 * Return: 0; -EINVAL; -ERANGE; -EDEADLK. Never allocates.
 * Context: as said there; flushes while it holds the range: see pt_flush_fn.
 * Cost: a load per slot of the tables in the range, and two more per slot of those merged.
 * Source: Linux khugepaged (collapse), KVM recover huge pages.
 */
static inline PT_MUST_CHECK int pt_merge(struct pt_thread *self, struct pt_table *table, pt_va_t va,
					 uint64_t len, unsigned max_level, uint64_t *ret_merged)
{
	return PT_OPS(table)->merge(self, table, va, len, max_level, ret_merged);
}

/* Where a check failed: S1 of the correctness contract. */
struct pt_check_report {
	uint64_t nodes;  /* reached; in each of the trees of a strategy that replicates */
	uint64_t leaves; /* of every level */
	uint64_t marks;
	uint64_t mapped_bytes;
	const char *violation; /* NULL: the shape is right; else what is wrong, a constant string */
	pt_va_t va;            /* where */
	unsigned level;
};

/*
 * Verify S1 of the whole table. The caller guarantees that nothing changes meanwhile.
 * Return: 0: right, or wrong as ret->violation says; -EDEADLK: this thread holds a cursor.
 * Cost: every slot once.
 */
static inline PT_MUST_CHECK int pt_check(struct pt_thread *self, struct pt_table *table,
					 struct pt_check_report *ret)
{
	return PT_OPS(table)->check(self, table, ret);
}

#ifdef __cplusplus
}
#endif

#endif
