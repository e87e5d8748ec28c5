/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "embed.h"
#include "node_memory.h"

enum exit_code embed_exit_code(int error)
{
	return error == -ENOTSUP || error == -ENOSYS ? EXIT_UNSUPPORTED : EXIT_RESOURCES;
}

static int create_table(struct embed *embed, const struct pt_config *config)
{
	struct pt_thread *self;
	int error, left;

	error = pt_thread_register(embed->pool, &self);
	if (error)
		return error;
	error = pt_table_create(self, config, &embed->table);
	left = pt_thread_unregister(self);
	return error ? error : left;
}

enum exit_code embed_create(struct embed *embed, const struct pt_format_info *format,
			    const struct contender *contender, struct node_memory *memory,
			    bool counts)
{
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = format->node_shift,
	};
	struct pt_config config = {
		.size = sizeof(config),
		.format = format->name,
		.strategy = contender->strategy->name,
		.node_lock = contender->node_lock,
		.stats = counts,
	};
	const char *what = "node pool";
	int error;

	if (memory)
		node_memory_configure(memory, &pool);
	error = pt_pool_create(&pool, &embed->pool);
	if (!error) {
		what = "table";
		config.pool = embed->pool;
		error = create_table(embed, &config);
		if (error && pt_pool_destroy(embed->pool))
			warn("a pool could not be destroyed");
	}
	if (!error)
		return EXIT_FINE;
	complain("cannot create a %s for strategy %s, format %s: %s", what,
		 contender->strategy->name, format->name, strerror(-error));
	return embed_exit_code(error);
}

int embed_destroy(struct embed *embed, uint64_t *ret_leaked)
{
	struct pt_pool_stats stats;
	struct pt_thread *self;
	int error, left;

	error = pt_thread_register(embed->pool, &self);
	if (error)
		return error;
	error = pt_table_destroy(self, embed->table);
	pt_thread_reclaim(self);
	left = pt_thread_unregister(self);
	if (error || left)
		return error ? error : left;
	pt_pool_get_stats(embed->pool, &stats);
	*ret_leaked = stats.node_bytes + stats.retired_bytes;
	return pt_pool_destroy(embed->pool);
}
