/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* sched_getaffinity() */
#include <argp.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results.h"
#include "run_options.h"
#include "units.h"

#define DURATION_LEAST UINT64_C(1000000)
#define DURATION_MOST UINT64_C(3600000000000)
#define SIZE_LEAST UINT64_C(4096)
#define SIZE_MOST (UINT64_C(1) << 56)
#define THREADS_TEXT 32

enum option_key {
	KEY_SUITE = 's',
	KEY_WORKLOAD = 'w',
	KEY_STRATEGY = 'S',
	KEY_FORMAT = 'f',
	KEY_THREADS = 't',
	KEY_REPS = 'r',
	KEY_DURATION = 'd',
	KEY_OUTPUT = 'o',
	KEY_DRY_RUN = 'n',
	KEY_PLACE = 256,
	KEY_NODE_LOCK,
	KEY_NODE_MEMORY,
	KEY_WARMUP,
	KEY_SEED,
	KEY_BASELINE,
	KEY_MIX,
	KEY_CONTENTION,
	KEY_DIST,
	KEY_WORKING_SET,
	KEY_RANGE,
	KEY_DEPENDENT,
	KEY_WHY,
};

static const struct argp_option argp_options[] = {
	{"suite", KEY_SUITE, "NAME", 0, "A choice of workloads: quick, standard", 1},
	{"workload", KEY_WORKLOAD, "LIST", 0, "Workloads by name; see ptbench list", 1},
	{"strategy", KEY_STRATEGY, "LIST", 0, "Strategies (all)", 1},
	{"node-lock", KEY_NODE_LOCK, "LIST", 0, "Locks of nodes: ttas, ticket, queued, all (ttas)",
	 1},
	{"format", KEY_FORMAT, "NAME", 0, "PTE format (x86_64)", 1},
	{"threads", KEY_THREADS, "LIST", 0, "Numbers of threads: 1,2,4..8,16..64*2 (1)", 1},
	{"place", KEY_PLACE, "POLICY", 0, "compact, scatter, none, list:0,2 (scatter)", 1},
	{"node-memory", KEY_NODE_MEMORY, "NAME", 0, "default, or jemalloc: bound to NUMA nodes", 1},

	{"duration", KEY_DURATION, "TIME", 0, "Measured per repetition: 500ms 10s 2m (100ms)", 2},
	{"warmup", KEY_WARMUP, "TIME", 0, "Before that, not measured (20ms)", 2},
	{"reps", KEY_REPS, "N", 0, "Repetitions, all in random order (5)", 2},
	{"seed", KEY_SEED, "N", 0, "Of all that is random (1)", 2},
	{"baseline", KEY_BASELINE, "NAME", 0, "Compare with this strategy (rwlock)", 2},
	{"output", KEY_OUTPUT, "FILE", 0, "Write all repetitions as JSON", 2},
	{"why", KEY_WHY, NULL, 0, "Explain by counting: locks, waits, retries, nodes", 2},
	{"dry-run", KEY_DRY_RUN, NULL, 0, "Only say what would be run", 2},

	{"working-set", KEY_WORKING_SET, "SIZE", 0, "Where random pages lie: 2MiB 1GiB 64GiB", 3},
	{"range", KEY_RANGE, "SIZE", 0, "Bytes of a range call: 2MiB 1GiB", 3},
	{"dist", KEY_DIST, "NAME", 0, "Which page: uniform, zipf:THETA, seq (uniform)", 3},
	{"dependent", KEY_DEPENDENT, NULL, 0, "Each query waits for the one before it", 3},
	{"mix", KEY_MIX, "SHARES", 0, "Per cent: map:20,unmap:20,query:55,protect:5", 3},
	{"contention", KEY_CONTENTION, "LEVEL", 0, "low: own areas, high: one for all (low)", 3},
	{0},
};

/* As given: options depend on one another, so most are looked at when all are known. */
struct parsed {
	struct run_options *options;
	struct settings settings;
	unsigned given; /* a set of enum setting */
	const char *suite, *workloads, *strategies, *node_locks, *format, *threads, *baseline;
	char all_threads[THREADS_TEXT];
};

static int parse_setting(struct parsed *p, int key, const char *text)
{
	switch (key) {
	case KEY_WORKING_SET:
		p->given |= SETTING_WORKING_SET;
		return parse_size("--working-set", text, SIZE_LEAST, SIZE_MOST,
				  &p->settings.working_set);
	case KEY_RANGE:
		p->given |= SETTING_RANGE;
		return parse_size("--range", text, SIZE_LEAST, SIZE_MOST, &p->settings.range);
	case KEY_MIX:
		p->given |= SETTING_MIX;
		return settings_parse_mix("--mix", text, p->settings.mix);
	case KEY_CONTENTION:
		p->given |= SETTING_CONTENTION;
		return settings_parse_contention("--contention", text, &p->settings.shared);
	case KEY_DIST:
		p->given |= SETTING_DIST;
		return distribution_parse("--dist", text, &p->settings.dist);
	case KEY_DEPENDENT:
		p->given |= SETTING_DEPENDENT;
		p->settings.dependent = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int parse_number_option(struct parsed *p, int key, const char *text)
{
	struct run_options *o = p->options;
	uint64_t number = 0;
	int error;

	switch (key) {
	case KEY_DURATION:
		return parse_duration("--duration", text, DURATION_LEAST, DURATION_MOST,
				      &o->duration_ns);
	case KEY_WARMUP:
		return parse_duration("--warmup", text, 0, DURATION_MOST, &o->warmup_ns);
	case KEY_REPS:
		error = parse_number("--reps", text, 1, 1000, &number);
		o->repetitions = (unsigned)number;
		return error;
	case KEY_SEED:
		return parse_number("--seed", text, 0, INT64_MAX, &o->seed);
	default:
		return parse_setting(p, key, text);
	}
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct parsed *p = state->input;

	switch (key) {
	case KEY_SUITE:
		p->suite = text;
		return 0;
	case KEY_WORKLOAD:
		p->workloads = text;
		return 0;
	case KEY_STRATEGY:
		p->strategies = text;
		return 0;
	case KEY_NODE_LOCK:
		p->node_locks = text;
		return 0;
	case KEY_FORMAT:
		p->format = text;
		return 0;
	case KEY_THREADS:
		p->threads = text;
		return 0;
	case KEY_PLACE:
		p->options->place = text;
		return 0;
	case KEY_NODE_MEMORY:
		p->options->node_memory = text;
		return 0;
	case KEY_BASELINE:
		p->baseline = text;
		return 0;
	case KEY_OUTPUT:
		p->options->output = text;
		return 0;
	case KEY_WHY:
		p->options->why = true;
		return 0;
	case KEY_DRY_RUN:
		p->options->dry_run = true;
		return 0;
	case ARGP_KEY_ARG:
		complain("run: unexpected argument '%s'", text);
		return EINVAL;
	default:
		return parse_number_option(p, key, text);
	}
}

static void complain_workload(const char *name)
{
	char known[512] = "";
	size_t i;

	for (i = 0; workloads[i]; i++) {
		strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, workloads[i]->name, sizeof(known) - strlen(known) - 1);
	}
	complain("--workload: '%s' is not one of %s", name, known);
}

static enum exit_code add_variant(struct parsed *p, const char *name, unsigned differs,
				  const struct settings *settings)
{
	struct run_options *o = p->options;
	struct variant *variant = &o->variants[o->variant_count];

	variant->workload = workload_find(name);
	if (!variant->workload) {
		complain_workload(name);
		return EXIT_USAGE;
	}
	variant->settings = variant->workload->defaults;
	settings_override(&variant->settings, settings, differs);
	settings_override(&variant->settings, &p->settings, p->given);
	if (variant->workload->each_once && variant->settings.dist.kind == DIST_ZIPF) {
		complain("--dist: %s visits each page once, so zipf means nothing", name);
		return EXIT_USAGE;
	}
	o->variant_count++;
	return EXIT_FINE;
}

/* 1, 2, 4.. and as many as there are CPUs for this process. */
static const char *threads_up_to_all(char text[THREADS_TEXT])
{
	cpu_set_t allowed;
	long cpus = sched_getaffinity(0, sizeof(allowed), &allowed) ? sysconf(_SC_NPROCESSORS_ONLN)
								    : CPU_COUNT(&allowed);

	if (cpus > (long)THREADS_MOST)
		cpus = THREADS_MOST;
	if (cpus < 2)
		return "1";
	snprintf(text, THREADS_TEXT, cpus & (cpus - 1) ? "1..%ld*2,%ld" : "1..%ld*2", cpus, cpus);
	return text;
}

static enum exit_code add_suite(struct parsed *p)
{
	const struct suite *suite = suite_find("--suite", p->suite);
	enum exit_code code = EXIT_FINE;
	size_t count = 0, i;

	if (!suite)
		return EXIT_USAGE;
	if (!p->threads)
		p->threads = suite->threads ? suite->threads : threads_up_to_all(p->all_threads);
	while (suite->entries[count].workload)
		count++;
	p->options->variants = calloc(count, sizeof(struct variant));
	if (!p->options->variants)
		return EXIT_RESOURCES;
	for (i = 0; !code && i < count; i++)
		code = add_variant(p, suite->entries[i].workload, suite->entries[i].differs,
				   &suite->entries[i].settings);
	return code;
}

static enum exit_code add_workloads(struct parsed *p)
{
	enum exit_code code = EXIT_FINE;
	size_t count, i;
	char **names;

	if (parse_words("--workload", p->workloads, &names, &count))
		return EXIT_USAGE;
	p->options->variants = calloc(count, sizeof(struct variant));
	if (!p->options->variants)
		code = EXIT_RESOURCES;
	for (i = 0; !code && i < count; i++)
		code = add_variant(p, names[i], 0, &p->settings);
	free(names);
	return code;
}

static enum exit_code choose_variants(struct parsed *p)
{
	unsigned used = 0, bit;
	enum exit_code code;
	size_t i;

	if (!p->suite == !p->workloads) {
		complain("run: give a --suite or a --workload%s; `ptbench list` shows them",
			 p->suite ? ", not both" : "");
		return EXIT_USAGE;
	}
	code = p->suite ? add_suite(p) : add_workloads(p);
	if (code)
		return code;
	for (i = 0; i < p->options->variant_count; i++)
		used |= p->options->variants[i].workload->settings;
	for (bit = 0; bit < SETTING_NR; bit++)
		if ((p->given & ~used) >> bit & 1)
			warn("--%s has no effect on what is run", setting_name(bit));
	return EXIT_FINE;
}

static enum exit_code resolve(struct parsed *p)
{
	struct run_options *o = p->options;
	enum exit_code code;

	o->format = select_format("--format", p->format);
	o->baseline = select_strategy("--baseline", p->baseline);
	if (!o->format || !o->baseline)
		return EXIT_USAGE;
	code = select_contenders(p->strategies, p->node_locks, o->format, &o->contenders);
	if (!code)
		code = choose_variants(p);
	if (!code && parse_list("--threads", p->threads ? p->threads : "1", 1, THREADS_MOST,
				&o->threads, &o->thread_count))
		code = EXIT_USAGE;
	if (!code && o->output && results_check_path(o->output))
		code = EXIT_USAGE;
	return code;
}

enum exit_code run_options_parse(int argc, char **argv, struct run_options *ret)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse_option,
		.doc = "Measure strategies on workloads, and check that the tables were right.",
	};
	struct parsed parsed = {
		.options = ret,
		.strategies = "all",
		.node_locks = "ttas",
		.format = "x86_64",
		.baseline = "rwlock",
	};

	*ret = (struct run_options){
		.place = "scatter",
		.node_memory = "default",
		.warmup_ns = 20000000,
		.duration_ns = 100000000,
		.repetitions = 5,
		.seed = 1,
	};
	if (argp_parse(&argp, argc, argv, 0, NULL, &parsed))
		return EXIT_USAGE;
	return resolve(&parsed);
}

void run_options_free(struct run_options *options)
{
	free(options->variants);
	free(options->threads);
	contender_list_free(&options->contenders);
}
