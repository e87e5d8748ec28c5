/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "kernels.h"
#include "must.h"
#include "subject.h"

void subject_wrong(const struct subject *s, const char *call, uint64_t va, int64_t result)
{
	complain("%s: %s at 0x%" PRIx64 " returned %" PRId64, s->name, call, va, result);
	exit(EXIT_VIOLATION);
}

static void need(const struct subject *s, const char *what, int error)
{
	if (!error)
		return;
	complain("%s: %s: error %d", s->name, what, error);
	exit(EXIT_RESOURCES);
}

static void draw_orders(struct subject *s)
{
	uint32_t values[FLOOR_SLOTS];
	struct rng rng;
	unsigned i, k;

	rng_seed(&rng, 1, 0);
	for (i = 0; i < FLOOR_SLOTS; i++)
		values[i] = i;
	for (k = 0; k < SUBJECT_ORDERS; k++) {
		rng_shuffle(&rng, values, FLOOR_SLOTS);
		for (i = 0; i < FLOOR_SLOTS; i++)
			s->order[k][i] = (uint16_t)values[i];
	}
}

static void create(struct subject *s, const char *name, const char *node_lock, bool stats)
{
	/* Less than by default, so that valgrind can have it; retired memory has the same bound. */
	struct pt_pool_config pool = {.size = sizeof(pool), .max_bytes = (size_t)256 << 20};
	struct pt_config config = {
		.size = sizeof(config),
		.format = "x86_64",
		.strategy = name,
		.node_lock = node_lock,
		.stats = stats,
	};

	*s = (struct subject){.name = name, .is_floor = !strcmp(name, "floor")};
	draw_orders(s);
	if (s->is_floor) {
		need(s, "memory", floor_create(&s->floor, SUBJECT_TABLES + 64));
		return;
	}
	need(s, "pt_pool_create", pt_pool_create(&pool, &s->pool));
	need(s, "pt_thread_register", pt_thread_register(s->pool, &s->self));
	config.pool = s->pool;
	need(s, "pt_table_create", pt_table_create(s->self, &config, &s->table));
}

void subject_create(struct subject *s, const char *name)
{
	create(s, name, NULL, false);
}

void subject_create_locking(struct subject *s, const char *name, const char *node_lock)
{
	create(s, name, node_lock, false);
}

void subject_create_counting(struct subject *s, const char *name)
{
	create(s, name, NULL, true);
}

void subject_destroy(struct subject *s)
{
	if (s->is_floor) {
		floor_destroy(&s->floor);
		return;
	}
	need(s, "pt_table_destroy", pt_table_destroy(s->self, s->table));
	need(s, "pt_thread_unregister", pt_thread_unregister(s->self));
	need(s, "pt_pool_destroy", pt_pool_destroy(s->pool));
}

void subject_settle(struct subject *s)
{
	if (!s->is_floor)
		need(s, "pt_thread_reclaim", pt_thread_reclaim(s->self));
}

void subject_bring(struct subject *s, bool full)
{
	const struct kernel *kernel = kernel_find(full ? "map-2M" : "unmap-2M");

	if (s->full == full)
		return;
	kernel_run(kernel, s, SUBJECT_PAGES);
	subject_settle(s);
	s->full = full;
}

/* What a query by either way finds at @va: the physical address; 0: nothing. */
static uint64_t look(struct subject *s, uint64_t va)
{
	struct pt_mapping mapping;
	uint64_t pa = 0, flags = 0;
	pt_prop_t prop;
	pt_pa_t walked;
	int error;

	if (s->is_floor) {
		if (floor_query(&s->floor, va, &pa, &flags) && flags != SUBJECT_FLAGS)
			subject_wrong(s, "floor_query", va, (int64_t)flags);
		return pa;
	}
	error = pt_query(s->self, s->table, va, &mapping);
	if (error)
		subject_wrong(s, "pt_query", va, error);
	if (mapping.kind == PT_KIND_LEAF) {
		pa = mapping.item.pa + (va - mapping.va);
		if (mapping.item.prop != SUBJECT_PROP)
			subject_wrong(s, "pt_query", va, mapping.item.prop);
	}
	error = pt_walk(s->self, s->table, va, &walked, &prop);
	if (error ? error != -ENOENT || pa : walked != pa || prop != SUBJECT_PROP)
		subject_wrong(s, "pt_walk", va, error);
	return pa;
}

uint64_t subject_verify(struct subject *s)
{
	uint64_t page;

	subject_bring(s, true);
	for (page = 0; page < SUBJECT_PAGES + FLOOR_SLOTS; page++) {
		uint64_t va = subject_va(page) + page % FLOOR_PAGE;
		uint64_t want = page < SUBJECT_PAGES ? subject_pa(page) + page % FLOOR_PAGE : 0;
		uint64_t found = look(s, va);

		if (found != want)
			subject_wrong(s, "a query", va, (int64_t)found);
	}
	return page;
}
