/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contenders.h"
#include "must.h"
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

/* ------------------------------------------------------------------------------ node locks -- */

/* The library's own string of that name, or NULL. */
static const char *node_lock_find(const char *name)
{
	const char *known;
	unsigned i;

	for (i = 0; (known = pt_node_lock_at(i)); i++)
		if (!strcmp(known, name))
			return known;
	return NULL;
}

/* What nodes have unless asked; NULL if they have no locks. */
static const char *default_lock(const struct pt_strategy_info *strategy)
{
	return strategy->node_locks ? pt_node_lock_at((unsigned)__builtin_ctz(strategy->node_locks))
				    : NULL;
}

/* @lock is one of pt_node_lock_at(). */
static bool has_lock(const struct pt_strategy_info *strategy, const char *lock)
{
	unsigned i;

	for (i = 0; pt_node_lock_at(i) != lock; i++)
		;
	return strategy->node_locks >> i & 1;
}

/* Distinct kinds in the order of @text; *ret has room for all there are. */
static enum exit_code select_locks(const char *text, const char **ret, size_t *ret_count)
{
	enum exit_code code = EXIT_FINE;
	size_t words, i, k;
	char **names;

	*ret_count = 0;
	if (!strcmp(text, "all")) {
		while ((ret[*ret_count] = pt_node_lock_at((unsigned)*ret_count)))
			++*ret_count;
		return EXIT_FINE;
	}
	if (parse_words("--node-lock", text, &names, &words))
		return EXIT_USAGE;
	for (i = 0; !code && i < words; i++) {
		const char *known = node_lock_find(names[i]);

		if (!known) {
			complain_unknown("--node-lock", names[i], pt_node_lock_at);
			code = EXIT_USAGE;
		}
		for (k = 0; k < *ret_count && ret[k] != known; k++)
			;
		if (known && k == *ret_count)
			ret[(*ret_count)++] = known;
	}
	free(names);
	return code;
}

/* ------------------------------------------------------------------------------ strategies -- */

static bool has_strategy(const struct contender_list *list, const struct pt_strategy_info *strategy)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].strategy == strategy)
			return true;
	return false;
}

static bool all_have_defaults(const struct contender_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].node_lock != default_lock(list->items[i].strategy))
			return false;
	return true;
}

static bool some_have(const struct contender_list *list, const char *lock)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].node_lock == lock)
			return true;
	return false;
}

static bool some_lock_nodes(const struct contender_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].node_lock)
			return true;
	return false;
}

/* @locks: the kinds, the last is NULL. A strategy that has none of these has what is its default. */
static void add(struct contender_list *list, const struct pt_strategy_info *strategy,
		const char *const *locks)
{
	size_t before = list->count;
	const char *const *lock;

	if (has_strategy(list, strategy))
		return;
	for (lock = locks; *lock; lock++)
		if (has_lock(strategy, *lock))
			list->items[list->count++] = (struct contender){strategy, *lock};
	if (list->count > before)
		return;
	list->some_once |= locks[1] != NULL;
	list->items[list->count++] = (struct contender){strategy, default_lock(strategy)};
}

static enum exit_code add_named(struct contender_list *list, char **names, size_t count,
				const struct pt_format_info *format, const char *const *locks)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct pt_strategy_info *strategy = select_strategy("--strategy", names[i]);

		if (!strategy)
			return EXIT_USAGE;
		if (pair_missing(format, strategy)) {
			complain("--strategy: %s with format %s: %s", strategy->name, format->name,
				 pair_missing(format, strategy));
			return EXIT_UNSUPPORTED;
		}
		add(list, strategy, locks);
	}
	return EXIT_FINE;
}

static enum exit_code add_strategies(struct contender_list *list, const char *text,
				     const struct pt_format_info *format, const char *const *locks)
{
	const struct pt_strategy_info *strategy;
	enum exit_code code;
	size_t count;
	char **names;
	unsigned i;

	if (!strcmp(text, "all")) {
		for (i = 0; (strategy = pt_strategy_at(i)); i++)
			if (!pair_missing(format, strategy))
				add(list, strategy, locks);
		return EXIT_FINE;
	}
	if (parse_words("--strategy", text, &names, &count))
		return EXIT_USAGE;
	code = add_named(list, names, count, format, locks);
	free(names);
	return code;
}

static size_t count_names(const char *(*name_at)(unsigned index))
{
	unsigned count = 0;

	while (name_at(count))
		count++;
	return count;
}

static void warn_of_idle(const struct contender_list *list, const char **locks, size_t asked)
{
	size_t i;

	for (i = 0; i < asked; i++)
		if (!some_have(list, locks[i]))
			warn("--node-lock %s has no effect: no strategy that is run has it",
			     locks[i]);
}

enum exit_code select_contenders(const char *strategies, const char *node_locks,
				 const struct pt_format_info *format, struct contender_list *ret)
{
	size_t kinds = count_names(pt_node_lock_at), asked = 0;
	const char **locks = must(calloc(kinds + 1, sizeof(*locks)));
	struct contender_list list = {0};
	enum exit_code code;
	bool plain;

	list.items = must(calloc(count_names(strategy_name_at) * kinds, sizeof(*list.items)));
	code = select_locks(node_locks, locks, &asked);
	if (!code)
		code = add_strategies(&list, strategies, format, locks);
	plain = asked == 1 && locks[0] == pt_node_lock_at(0);
	list.default_locks = all_have_defaults(&list);
	if (!code && !plain && !some_lock_nodes(&list))
		warn("--node-lock has no effect on what is run: nobody locks nodes");
	else if (!code && !plain && strcmp(node_locks, "all") != 0)
		warn_of_idle(&list, locks, asked);
	free(locks);
	if (code)
		contender_list_free(&list);
	else
		*ret = list;
	return code;
}

void contender_list_free(struct contender_list *list)
{
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

static const char *print_lock(char text[CONTENDER_NAME], const char *before,
			      const struct contender *contender)
{
	*text = 0;
	if (contender->node_lock != default_lock(contender->strategy))
		snprintf(text, CONTENDER_NAME, "%s%s", before, contender->node_lock);
	return text;
}

const char *contender_suffix(char text[CONTENDER_NAME], const struct contender *contender)
{
	return print_lock(text, "/lock:", contender);
}

const char *contender_option(char text[CONTENDER_NAME], const struct contender *contender)
{
	return print_lock(text, " --node-lock ", contender);
}

const char *contender_label(char text[CONTENDER_NAME], const struct contender_list *list,
			    const struct contender *contender)
{
	bool tells = contender->node_lock && !list->default_locks;

	snprintf(text, CONTENDER_NAME, "%s%s%s", contender->strategy->name, tells ? " " : "",
		 tells ? contender->node_lock : "");
	return text;
}

const char *contender_baseline(char text[CONTENDER_NAME], const struct contender_list *list,
			       const struct pt_strategy_info *strategy)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i].strategy == strategy)
			return contender_label(text, list, &list->items[i]);
	snprintf(text, CONTENDER_NAME, "%s", strategy->name);
	return text;
}

void contender_baseline_note(const struct contender_list *list,
			     const struct pt_strategy_info *baseline, FILE *out)
{
	if (!has_strategy(list, baseline))
		fprintf(out, "Nothing is compared with %s, which is not run: see --baseline.\n",
			baseline->name);
}

void contender_legend(const struct contender_list *list, FILE *out)
{
	if (list->default_locks)
		return;
	fprintf(out, "strategy      with the kind of its node locks%s\n",
		list->some_once ? "; who has none of these is run once" : "");
}
