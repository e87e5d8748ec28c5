/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"
#include "node_memory.h"
#include "units.h"

const char *isolation_name(enum pt_isolation isolation)
{
	switch (isolation) {
	case PT_ISOLATION_NONE:
		return "none";
	case PT_ISOLATION_RANGE:
		return "range";
	case PT_ISOLATION_SLOT:
		return "slot";
	}
	return "?";
}

const char *pair_missing(const struct pt_format_info *format,
			 const struct pt_strategy_info *strategy)
{
	if (pt_pair_exists(format->name, strategy->name))
		return NULL;
	if (strategy->software_bits > format->strategy_bits)
		return "needs more software bits than the format leaves";
	return "not compiled into this build";
}

static const char *format_name_at(unsigned index)
{
	const struct pt_format_info *format = pt_format_at(index);

	return format ? format->name : NULL;
}

static const char *strategy_name_at(unsigned index)
{
	const struct pt_strategy_info *strategy = pt_strategy_at(index);

	return strategy ? strategy->name : NULL;
}

static void complain_unknown(const char *what, const char *name,
			     const char *(*name_at)(unsigned index))
{
	char known[512] = "";
	size_t used = 0;
	unsigned i;

	for (i = 0; name_at(i) && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
					 name_at(i));
	complain("%s: '%s' is not one of %s", what, name, known);
}

const struct pt_format_info *select_format(const char *what, const char *name)
{
	const struct pt_format_info *format = pt_format_find(name);

	if (!format)
		complain_unknown(what, name, format_name_at);
	return format;
}

const struct pt_strategy_info *select_strategy(const char *what, const char *name)
{
	const struct pt_strategy_info *strategy = pt_strategy_find(name);

	if (!strategy)
		complain_unknown(what, name, strategy_name_at);
	return strategy;
}

static bool list_has(const struct strategy_list *list, const struct pt_strategy_info *strategy)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i] == strategy)
			return true;
	return false;
}

static enum exit_code select_named(const char *what, char **names, size_t count,
				   const struct pt_format_info *format, struct strategy_list *list)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct pt_strategy_info *strategy = select_strategy(what, names[i]);

		if (!strategy)
			return EXIT_USAGE;
		if (pair_missing(format, strategy)) {
			complain("%s: %s with format %s: %s", what, strategy->name, format->name,
				 pair_missing(format, strategy));
			return EXIT_UNSUPPORTED;
		}
		if (!list_has(list, strategy))
			list->items[list->count++] = strategy;
	}
	return EXIT_FINE;
}

static unsigned count_strategies(void)
{
	unsigned count = 0;

	while (pt_strategy_at(count))
		count++;
	return count;
}

enum exit_code select_strategies(const char *what, const char *text,
				 const struct pt_format_info *format, struct strategy_list *ret)
{
	struct strategy_list list = {0};
	unsigned known = count_strategies(), i;
	enum exit_code code;
	size_t count;
	char **names;

	list.items = calloc(known + 1, sizeof(*list.items));
	if (!list.items)
		return EXIT_RESOURCES;
	if (!strcmp(text, "all")) {
		for (i = 0; i < known; i++)
			if (!pair_missing(format, pt_strategy_at(i)))
				list.items[list.count++] = pt_strategy_at(i);
		*ret = list;
		return EXIT_FINE;
	}
	if (parse_words(what, text, &names, &count)) {
		strategy_list_free(&list);
		return EXIT_USAGE;
	}
	code = select_named(what, names, count, format, &list);
	free(names);
	if (code)
		strategy_list_free(&list);
	else
		*ret = list;
	return code;
}

void strategy_list_free(struct strategy_list *list)
{
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

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
			    const struct pt_strategy_info *strategy, struct node_memory *memory,
			    size_t max_bytes)
{
	struct pt_pool_config pool = {
		.size = sizeof(pool),
		.node_shift = format->node_shift,
		.max_bytes = max_bytes,
	};
	struct pt_config config = {
		.size = sizeof(config),
		.format = format->name,
		.strategy = strategy->name,
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
	complain("cannot create a %s for strategy %s, format %s: %s", what, strategy->name,
		 format->name, strerror(-error));
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
