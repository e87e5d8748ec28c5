/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "node_memory.h"
#include "place.h"
#include "results.h"

#ifdef HAVE_JEMALLOC
#include "arena.h"
#endif

struct node_memory {
	const char *name;
	unsigned homes;
	const struct pt_chunk_ops *chunk_ops; /* NULL: the library's */
	void *chunk_ctx;
};

#ifdef HAVE_JEMALLOC
static enum exit_code use_arenas(struct node_memory *memory, const struct place *place)
{
	struct arenas *arenas;
	int error = arenas_create(place, hwloc_set_area_membind, &arenas);

	if (error == -ENOTSUP)
		complain("--node-memory: this jemalloc does not take memory as it is offered");
	else if (error)
		complain("--node-memory: memory cannot be bound to NUMA nodes here: %s",
			 strerror(-error));
	if (error)
		return error == -ENOMEM ? EXIT_RESOURCES : EXIT_UNSUPPORTED;
	memory->chunk_ops = &arenas_chunk_ops;
	memory->chunk_ctx = arenas;
	return EXIT_FINE;
}

static void release(struct node_memory *memory)
{
	if (memory->chunk_ctx)
		arenas_destroy(memory->chunk_ctx);
}
#else
static enum exit_code use_arenas(struct node_memory *memory, const struct place *place)
{
	(void)memory;
	(void)place;
	complain("--node-memory: this build has no jemalloc");
	return EXIT_UNSUPPORTED;
}

static void release(struct node_memory *memory)
{
	(void)memory;
}
#endif

enum exit_code node_memory_create(const char *choice, const struct place *place,
				  struct node_memory **ret_memory)
{
	struct node_memory *memory = must(calloc(1, sizeof(*memory)));
	enum exit_code code = EXIT_FINE;

	memory->name = choice;
	memory->homes = place_homes(place);
	if (!strcmp(choice, "jemalloc")) {
		code = use_arenas(memory, place);
	} else if (strcmp(choice, "default")) {
		complain("--node-memory: '%s' is not one of default, jemalloc", choice);
		code = EXIT_USAGE;
	}
	if (code)
		free(memory);
	else
		*ret_memory = memory;
	return code;
}

void node_memory_destroy(struct node_memory *memory, bool in_use)
{
	if (!in_use)
		release(memory);
	free(memory);
}

void node_memory_configure(struct node_memory *memory, struct pt_pool_config *pool)
{
	pool->homes = memory->homes;
	pool->chunk_ops = memory->chunk_ops;
	pool->chunk_ctx = memory->chunk_ctx;
}

const char *node_memory_name(const struct node_memory *memory)
{
	return memory->name;
}

json_t *node_memory_describe(const struct node_memory *memory)
{
	return json_must(
		json_pack("{s:s, s:i}", "provider", memory->name, "homes", (int)memory->homes));
}
