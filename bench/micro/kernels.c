/* SPDX-License-Identifier: MIT */
#include "clock.h"
#include "kernels.h"

#define RANDOM_SEED 42

/* The value is needed, says this, though nobody looks at it. */
static inline void use(uint64_t value)
{
	__asm__ volatile("" : : "r"(value));
}

static inline bool unlikely(bool condition)
{
	return __builtin_expect(condition, 0);
}

static inline uint64_t random_page(struct rng *rng)
{
	return rng_next(rng) >> (64 - SUBJECT_PAGE_BITS);
}

/* The next page depends on what was found, so that the loads of one query wait for the last's. */
static inline uint64_t dependent_page(struct rng *rng, uint64_t pa)
{
	return ((rng_next(rng) >> (64 - SUBJECT_PAGE_BITS)) + pa / FLOOR_PAGE) &
	       (SUBJECT_PAGES - 1);
}

/* ----------------------------------------------------------------------------- query -- */

static inline uint64_t floor_queries(struct subject *s, uint64_t operations, bool dependent)
{
	const struct floor f = s->floor;
	uint64_t sum = 0, pa = 0, flags;
	struct rng rng;

	rng_seed(&rng, RANDOM_SEED, 0);
	for (; operations; operations--) {
		uint64_t va = subject_va(dependent ? dependent_page(&rng, pa) : random_page(&rng));

		if (unlikely(!floor_query(&f, va, &pa, &flags)))
			subject_wrong(s, "floor_query", va, 0);
		sum += pa;
		use(flags);
	}
	return sum;
}

static uint64_t floor_query_independent(struct subject *s, uint64_t operations)
{
	return floor_queries(s, operations, false);
}

static uint64_t floor_query_dependent(struct subject *s, uint64_t operations)
{
	return floor_queries(s, operations, true);
}

static inline uint64_t table_queries(struct subject *s, uint64_t operations, bool dependent)
{
	struct pt_thread *self = s->self;
	struct pt_table *table = s->table;
	struct pt_mapping mapping;
	uint64_t sum = 0, pa = 0;
	struct rng rng;

	rng_seed(&rng, RANDOM_SEED, 0);
	for (; operations; operations--) {
		uint64_t va = subject_va(dependent ? dependent_page(&rng, pa) : random_page(&rng));
		int error = pt_query(self, table, va, &mapping);

		if (unlikely(error || mapping.kind != PT_KIND_LEAF))
			subject_wrong(s, "pt_query", va, error);
		pa = mapping.item.pa;
		sum += pa;
		use(mapping.item.prop);
	}
	return sum;
}

static uint64_t table_query_independent(struct subject *s, uint64_t operations)
{
	return table_queries(s, operations, false);
}

static uint64_t table_query_dependent(struct subject *s, uint64_t operations)
{
	return table_queries(s, operations, true);
}

static inline uint64_t table_walks(struct subject *s, uint64_t operations, bool dependent)
{
	struct pt_thread *self = s->self;
	struct pt_table *table = s->table;
	uint64_t sum = 0;
	struct rng rng;
	pt_prop_t prop;
	pt_pa_t pa = 0;

	rng_seed(&rng, RANDOM_SEED, 0);
	for (; operations; operations--) {
		uint64_t va = subject_va(dependent ? dependent_page(&rng, pa) : random_page(&rng));
		int error = pt_walk(self, table, va, &pa, &prop);

		if (unlikely(error))
			subject_wrong(s, "pt_walk", va, error);
		sum += pa;
		use(prop);
	}
	return sum;
}

static uint64_t table_walk_independent(struct subject *s, uint64_t operations)
{
	return table_walks(s, operations, false);
}

static uint64_t table_walk_dependent(struct subject *s, uint64_t operations)
{
	return table_walks(s, operations, true);
}

/* ------------------------------------------------------------- map and unmap of pages -- */

/* A run of 512 operations is one pass over the leaf table, alternately mapping and unmapping. */
static uint64_t floor_toggle(struct subject *s, uint64_t operations)
{
	uint64_t base = subject_private(0), done = 0;
	unsigned pass, i;

	for (pass = 0; done < operations; pass++, done += FLOOR_SLOTS) {
		const uint16_t *order = s->order[pass % SUBJECT_ORDERS];

		for (i = 0; i < FLOOR_SLOTS; i++) {
			uint64_t va = base + order[i] * FLOOR_PAGE;

			if (unlikely(pass & 1 ? !floor_unmap(&s->floor, va)
					      : !floor_map(&s->floor, va, va | SUBJECT_FLAGS)))
				subject_wrong(s, "floor_map or floor_unmap", va, 0);
		}
	}
	return done;
}

uint64_t kernel_toggle(struct subject *s, unsigned index, uint64_t operations)
{
	uint64_t base = subject_private(index), done = 0, pages = 1;
	struct pt_thread *self = s->self;
	struct pt_table *table = s->table;
	unsigned pass, i;

	for (pass = 0; done < operations; pass++, done += FLOOR_SLOTS) {
		const uint16_t *order = s->order[pass % SUBJECT_ORDERS];

		for (i = 0; i < FLOOR_SLOTS; i++) {
			uint64_t va = base + order[i] * FLOOR_PAGE;
			int error =
				pass & 1 ? pt_unmap(self, table, va, FLOOR_PAGE, NULL, &pages)
					 : pt_map(self, table, va, FLOOR_PAGE, va, SUBJECT_PROP, 1);

			if (unlikely(error || pages != 1))
				subject_wrong(s, "pt_map or pt_unmap", va, error);
		}
	}
	return done;
}

static uint64_t table_toggle(struct subject *s, uint64_t operations)
{
	return kernel_toggle(s, 0, operations);
}

/* ----------------------------------------------------------------------------- protect -- */

/* The leaf table of thread 1, which only this kernel uses, stays mapped. */
static void prepare_protect(struct subject *s)
{
	uint64_t va = subject_private(1);

	if (s->is_floor ? !floor_map_table(&s->floor, va, va | SUBJECT_FLAGS)
			: pt_map(s->self, s->table, va, FLOOR_TABLE_SPAN, va, SUBJECT_PROP, 1))
		subject_wrong(s, "mapping", va, 0);
}

static uint64_t floor_protects(struct subject *s, uint64_t operations)
{
	uint64_t base = subject_private(1), done = 0;
	unsigned pass, i;

	for (pass = 0; done < operations; pass++, done += FLOOR_SLOTS) {
		const uint16_t *order = s->order[pass % SUBJECT_ORDERS];
		uint64_t set = pass & 1 ? FLOOR_W : 0, clear = FLOOR_W ^ set;

		for (i = 0; i < FLOOR_SLOTS; i++) {
			uint64_t va = base + order[i] * FLOOR_PAGE;

			if (unlikely(!floor_protect(&s->floor, va, set, clear)))
				subject_wrong(s, "floor_protect", va, 0);
		}
	}
	return done;
}

static uint64_t table_protects(struct subject *s, uint64_t operations)
{
	uint64_t base = subject_private(1), done = 0, pages;
	struct pt_thread *self = s->self;
	struct pt_table *table = s->table;
	unsigned pass, i;

	for (pass = 0; done < operations; pass++, done += FLOOR_SLOTS) {
		const uint16_t *order = s->order[pass % SUBJECT_ORDERS];
		pt_prop_t set = pass & 1 ? PT_WRITE : 0, clear = PT_WRITE ^ set;

		for (i = 0; i < FLOOR_SLOTS; i++) {
			uint64_t va = base + order[i] * FLOOR_PAGE;
			int error =
				pt_protect(self, table, va, FLOOR_PAGE, set, clear, NULL, &pages);

			if (unlikely(error || pages != 1))
				subject_wrong(s, "pt_protect", va, error);
		}
	}
	return done;
}

/* ---------------------------------------------------------------------- leaf tables -- */

/* Table by table over the first GiB; an operation is one page. */
static uint64_t floor_map_tables(struct subject *s, uint64_t operations)
{
	uint64_t page;

	for (page = 0; page < operations; page += FLOOR_SLOTS) {
		uint64_t va = subject_va(page);

		if (unlikely(!floor_map_table(&s->floor, va, subject_pa(page) | SUBJECT_FLAGS)))
			subject_wrong(s, "floor_map_table", va, 0);
	}
	return page;
}

static uint64_t table_map_tables(struct subject *s, uint64_t operations)
{
	uint64_t page;

	for (page = 0; page < operations; page += FLOOR_SLOTS) {
		uint64_t va = subject_va(page);
		int error = pt_map(s->self, s->table, va, FLOOR_TABLE_SPAN, subject_pa(page),
				   SUBJECT_PROP, 1);

		if (unlikely(error))
			subject_wrong(s, "pt_map", va, error);
	}
	return page;
}

static uint64_t floor_unmap_tables(struct subject *s, uint64_t operations)
{
	uint64_t page, pages = 0;

	for (page = 0; page < operations; page += FLOOR_SLOTS)
		pages += floor_unmap_table(&s->floor, subject_va(page));
	return pages;
}

static uint64_t table_unmap_tables(struct subject *s, uint64_t operations)
{
	uint64_t page, pages, sum = 0;

	for (page = 0; page < operations; page += FLOOR_SLOTS) {
		uint64_t va = subject_va(page);
		int error = pt_unmap(s->self, s->table, va, FLOOR_TABLE_SPAN, NULL, &pages);

		if (unlikely(error))
			subject_wrong(s, "pt_unmap", va, error);
		sum += pages;
	}
	return sum;
}

/* All of it by one call, which the floor has no function for. */
static uint64_t table_unmap_at_once(struct subject *s, uint64_t operations)
{
	uint64_t pages;
	int error = pt_unmap(s->self, s->table, 0, operations * FLOOR_PAGE, NULL, &pages);

	if (error)
		subject_wrong(s, "pt_unmap", 0, error);
	return pages;
}

/* -------------------------------------------------------------- in an empty leaf table -- */

enum span_use { SPAN_HUGE, SPAN_SPLIT, SPAN_NODE };

/*
 * Map a huge page, or one page, in the span of the leaf table behind all others, and unmap the whole
 * span; in between a huge page may be split.
 */
static inline uint64_t table_spans(struct subject *s, uint64_t operations, enum span_use use)
{
	uint64_t va = SUBJECT_PRIVATE - FLOOR_TABLE_SPAN, n, pages = 0, sum = 0;
	uint64_t len = use == SPAN_NODE ? FLOOR_PAGE : FLOOR_TABLE_SPAN;

	for (n = 0; n < operations; n++) {
		int error = pt_map(s->self, s->table, va, len, va, SUBJECT_PROP, 2);

		if (!error && use == SPAN_SPLIT)
			error = pt_protect(s->self, s->table, va, FLOOR_PAGE, 0, PT_WRITE, NULL,
					   &pages);
		if (!error)
			error = pt_unmap(s->self, s->table, va, FLOOR_TABLE_SPAN, NULL, &pages);
		if (unlikely(error || pages != len / FLOOR_PAGE))
			subject_wrong(s, "pt_map, pt_protect or pt_unmap", va, error);
		sum += pages;
	}
	return sum;
}

static uint64_t table_huge(struct subject *s, uint64_t operations)
{
	return table_spans(s, operations, SPAN_HUGE);
}

static uint64_t table_split(struct subject *s, uint64_t operations)
{
	return table_spans(s, operations, SPAN_SPLIT);
}

static uint64_t table_node(struct subject *s, uint64_t operations)
{
	return table_spans(s, operations, SPAN_NODE);
}

const struct kernel kernels[] = {
	{.name = "query",
	 .summary = "query in 1 GiB, independent loads",
	 .area = AREA_READ,
	 .step = 1,
	 .floor = floor_query_independent,
	 .table = table_query_independent},
	{.name = "query-dependent",
	 .summary = "query in 1 GiB, dependent loads",
	 .area = AREA_READ,
	 .step = 1,
	 .floor = floor_query_dependent,
	 .table = table_query_dependent},
	{.name = "walk",
	 .summary = "walk in 1 GiB, independent loads",
	 .area = AREA_READ,
	 .step = 1,
	 .floor = floor_query_independent,
	 .table = table_walk_independent},
	{.name = "walk-dependent",
	 .summary = "walk in 1 GiB, dependent loads",
	 .area = AREA_READ,
	 .step = 1,
	 .floor = floor_query_dependent,
	 .table = table_walk_dependent},
	{.name = "map-unmap",
	 .summary = "map or unmap a random page",
	 .step = 2 * FLOOR_SLOTS,
	 .floor = floor_toggle,
	 .table = table_toggle},
	{.name = "map-2M",
	 .summary = "map 2 MiB of pages, per page",
	 .area = AREA_FILL,
	 .step = SUBJECT_PAGES,
	 .floor = floor_map_tables,
	 .table = table_map_tables},
	{.name = "unmap-2M",
	 .summary = "unmap 2 MiB of pages, per page",
	 .area = AREA_EMPTY,
	 .step = SUBJECT_PAGES,
	 .floor = floor_unmap_tables,
	 .table = table_unmap_tables},
	{.name = "unmap-1G",
	 .summary = "unmap 1 GiB of pages, per page",
	 .area = AREA_EMPTY,
	 .step = SUBJECT_PAGES,
	 .table = table_unmap_at_once},
	{.name = "protect",
	 .summary = "protect a random page",
	 .step = 2 * FLOOR_SLOTS,
	 .floor = floor_protects,
	 .table = table_protects,
	 .prepare = prepare_protect},
	{.name = "huge", .summary = "map and unmap a 2 MiB page", .step = 1, .table = table_huge},
	{.name = "split",
	 .summary = "the same, and split it in between by protecting 4 KiB",
	 .step = 1,
	 .table = table_split},
	{.name = "node",
	 .summary = "map a page where no leaf table is, unmap the table's span",
	 .step = 1,
	 .table = table_node},
	{.name = NULL},
};

const struct kernel *kernel_find(const char *name)
{
	const struct kernel *kernel;

	for (kernel = kernels; kernel->name; kernel++)
		if (!strcmp(kernel->name, name))
			return kernel;
	return NULL;
}

uint64_t kernel_run(const struct kernel *kernel, struct subject *s, uint64_t operations)
{
	return s->is_floor ? kernel->floor(s, operations) : kernel->table(s, operations);
}

/* A function of its own, because scripts/perf-check has its instructions counted. */
__attribute__((noinline, used)) static uint64_t timed_part(const struct kernel *kernel,
							   struct subject *s, uint64_t operations)
{
	uint64_t sum = kernel_run(kernel, s, operations);

	subject_settle(s);
	return sum;
}

/* Filling and emptying must be undone, untimed, before they can be done again. */
uint64_t kernel_time(const struct kernel *kernel, struct subject *s, uint64_t operations,
		     uint64_t *ret_ns)
{
	bool moves = kernel->area == AREA_FILL || kernel->area == AREA_EMPTY;
	uint64_t piece = moves ? SUBJECT_PAGES : operations, sum = 0, done, start;

	*ret_ns = 0;
	for (done = 0; done < operations; done += piece) {
		if (kernel->area != AREA_UNUSED)
			subject_bring(s, kernel->area != AREA_FILL);
		start = clock_process_cpu_ns();
		sum += timed_part(kernel, s, piece);
		*ret_ns += clock_process_cpu_ns() - start;
		if (moves)
			s->full = kernel->area == AREA_FILL;
	}
	return sum;
}
