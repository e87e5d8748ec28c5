/* SPDX-License-Identifier: MIT */
/* ptbench list: what there is to choose from. */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "contenders.h"
#include "place.h"
#include "results.h"
#include "run.h"
#include "suites.h"
#include "text_table.h"

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

static void heading(const char *text, bool color)
{
	printf("%s%s%s\n", color ? "\033[1m" : "", text, color ? "\033[0m" : "");
}

static void print_and_destroy(struct table *table, bool color)
{
	table_print(table, stdout, color);
	table_destroy(table);
	putchar('\n');
}

static void print_strategies(bool color)
{
	static const char *const columns[] = {
		"<strategy",
		"<isolation",
		"<readers\nshare",
		"<lock-free\nquery",
		"<disjoint\nparallel",
		"<idea",
		NULL,
	};
	struct table *table = table_create(columns);
	const struct pt_strategy_info *strategy;
	unsigned i;

	for (i = 0; (strategy = pt_strategy_at(i)); i++) {
		table_cell(table, "%s", strategy->name);
		table_cell(table, "%s", isolation_name(strategy->isolation));
		table_cell(table, "%s", yes_no(strategy->readers_share));
		table_cell(table, "%s", yes_no(strategy->lock_free_query));
		table_cell(table, "%s", yes_no(strategy->disjoint_parallel));
		table_cell(table, "%s", strategy->summary);
	}
	print_and_destroy(table, color);
}

static void print_formats(bool color)
{
	static const char *const columns[] = {
		"<format",
		">levels",
		">page",
		">bits of\naddress",
		">software\nbits",
		"<not with strategy",
		NULL,
	};
	struct table *table = table_create(columns);
	const struct pt_strategy_info *strategy;
	const struct pt_format_info *format;
	char page[UNITS_TEXT];
	unsigned f, s;

	for (f = 0; (format = pt_format_at(f)); f++) {
		char missing[1024] = "-";
		size_t used = 0;

		for (s = 0; (strategy = pt_strategy_at(s)); s++)
			if (pair_missing(format, strategy) && used < sizeof(missing))
				used += (size_t)snprintf(missing + used, sizeof(missing) - used,
							 "%s%s: %s", used ? "; " : "",
							 strategy->name,
							 pair_missing(format, strategy));
		table_cell(table, "%s", format->name);
		table_cell(table, "%u", format->levels);
		table_cell(table, "%s", format_size(page, UINT64_C(1) << format->page_shift));
		table_cell(table, "%u", format->va_bits);
		table_cell(table, "%u", format->strategy_bits);
		table_cell(table, "%s", missing);
	}
	print_and_destroy(table, color);
}

static void print_workloads(bool color)
{
	static const char *const columns[] = {"<workload", "<options and defaults", NULL};
	struct table *table = table_create(columns);
	unsigned i;

	for (i = 0; workloads[i]; i++) {
		const struct workload *workload = workloads[i];
		char settings[256];

		settings_print(settings, sizeof(settings), &workload->defaults, workload->settings,
			       SETTINGS_COMMAND);
		table_cell(table, "%s", workload->name);
		table_cell(table, "%s", workload->summary);
		table_skip(table);
		table_cell(table, " %s%s", settings,
			   workload->settings & SETTING_DEPENDENT ? " [--dependent]" : "");
	}
	print_and_destroy(table, color);
}

/* Kinds of node locks, and the strategies that have them. */
static void print_kinds(unsigned kinds)
{
	const struct pt_strategy_info *strategy;
	const char *before = "";
	unsigned i;

	for (i = 0; pt_node_lock_at(i); i++) {
		if (!(kinds >> i & 1))
			continue;
		printf("%s%s", before, pt_node_lock_at(i));
		before = ", ";
	}
	before = " (for ";
	for (i = 0; (strategy = pt_strategy_at(i)); i++) {
		if (strategy->node_locks != kinds)
			continue;
		printf("%s%s", before, strategy->name);
		before = ", ";
	}
	printf(")\n");
}

static void print_node_locks(bool color)
{
	const struct pt_strategy_info *strategy;
	unsigned seen = 0, i;

	heading("node lock", color);
	for (i = 0; (strategy = pt_strategy_at(i)); i++) {
		if (strategy->node_locks & ~seen)
			print_kinds(strategy->node_locks);
		seen |= strategy->node_locks;
	}
	putchar('\n');
}

static void print_choices(bool color)
{
	unsigned i;

	heading("placement", color);
	for (i = 0; place_policies[i].name; i++)
		printf("%-9s  %s\n", place_policies[i].name, place_policies[i].summary);
	putchar('\n');
	heading("suite", color);
	for (i = 0; suites[i].name; i++)
		printf("%-9s  %s\n", suites[i].name, suites[i].summary);
}

static json_t *strategies_json(void)
{
	json_t *list = json_must(json_array());
	const struct pt_strategy_info *s;
	unsigned i;

	for (i = 0; (s = pt_strategy_at(i)); i++)
		json_array_append_new(
			list,
			json_must(json_pack(
				"{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:i, s:i}",
				"name", s->name, "summary", s->summary, "isolation",
				isolation_name(s->isolation), "readers_share", s->readers_share,
				"lock_free_query", s->lock_free_query, "disjoint_parallel",
				s->disjoint_parallel, "disjoint_building", s->disjoint_building,
				"disjoint_slots", s->disjoint_slots, "reuses", s->reuses,
				"node_locks", s->node_locks != 0, "software_bits",
				(int)s->software_bits, "node_bytes", (int)s->node_bytes)));
	return list;
}

static json_t *formats_json(void)
{
	json_t *list = json_must(json_array());
	const struct pt_format_info *f;
	unsigned i;

	for (i = 0; (f = pt_format_at(i)); i++)
		json_array_append_new(
			list, json_must(json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "name", f->name,
						  "levels", (int)f->levels, "page_shift",
						  (int)f->page_shift, "va_bits", (int)f->va_bits,
						  "pa_bits", (int)f->pa_bits, "software_bits",
						  (int)f->strategy_bits)));
	return list;
}

static json_t *pairs_json(void)
{
	json_t *list = json_must(json_array());
	const struct pt_strategy_info *s;
	const struct pt_format_info *f;
	unsigned i, k;

	for (i = 0; (f = pt_format_at(i)); i++) {
		for (k = 0; (s = pt_strategy_at(k)); k++) {
			const char *missing = pair_missing(f, s);

			json_array_append_new(
				list, json_must(json_pack("{s:s, s:s, s:b, s:s?}", "format",
							  f->name, "strategy", s->name, "built",
							  !missing, "why_not", missing)));
		}
	}
	return list;
}

static json_t *workloads_json(void)
{
	json_t *list = json_must(json_array());
	unsigned i, bit;

	for (i = 0; workloads[i]; i++) {
		const struct workload *w = workloads[i];
		json_t *options = json_must(json_array());

		for (bit = 0; bit < SETTING_NR; bit++)
			if (w->settings >> bit & 1)
				json_array_append_new(options,
						      json_must(json_string(setting_name(bit))));
		json_array_append_new(
			list,
			json_must(json_pack("{s:s, s:s, s:s, s:i, s:o}", "name", w->name, "summary",
					    w->summary, "operation", w->operation, "min_threads",
					    w->min_threads ? (int)w->min_threads : 1, "options",
					    options)));
	}
	return list;
}

static json_t *node_locks_json(void)
{
	json_t *list = json_must(json_array());
	unsigned i;

	for (i = 0; pt_node_lock_at(i); i++)
		json_array_append_new(list, json_must(json_string(pt_node_lock_at(i))));
	return list;
}

static json_t *policies_json(void)
{
	json_t *list = json_must(json_array());
	unsigned i;

	for (i = 0; place_policies[i].name; i++)
		json_array_append_new(list, json_must(json_string(place_policies[i].name)));
	return list;
}

static json_t *suites_json(void)
{
	json_t *list = json_must(json_array());
	unsigned i;

	for (i = 0; suites[i].name; i++)
		json_array_append_new(list, json_must(json_string(suites[i].name)));
	return list;
}

static void print_json(void)
{
	json_t *root = json_must(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "strategies",
					   strategies_json(), "node_locks", node_locks_json(),
					   "formats", formats_json(), "pairs", pairs_json(),
					   "workloads", workloads_json(), "placements",
					   policies_json(), "suites", suites_json()));

	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static const struct argp_option argp_options[] = {
	{"json", 'j', NULL, 0, "For programs to read", 0},
	{0},
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	bool *json = state->input;

	switch (key) {
	case 'j':
		*json = true;
		return 0;
	case ARGP_KEY_ARG:
		complain("list: unexpected argument '%s'", text);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int list_command(int argc, char **argv)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse_option,
		.doc = "Show what there is to choose from.",
	};
	bool color = wants_color(STDOUT_FILENO), json = false;

	if (argp_parse(&argp, argc, argv, 0, NULL, &json))
		return EXIT_USAGE;
	if (json) {
		print_json();
		return EXIT_FINE;
	}
	print_strategies(color);
	print_formats(color);
	print_workloads(color);
	print_node_locks(color);
	print_choices(color);
	return EXIT_FINE;
}
