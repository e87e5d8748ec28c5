/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logbook.h"
#include "nodelock.h"
#include "options.h"
#include "units.h"

#define HOUR_NS UINT64_C(3600000000000)

enum option_key {
	KEY_STRATEGY = 'S',
	KEY_FORMAT = 'f',
	KEY_THREADS = 't',
	KEY_DURATION = 'd',
	KEY_OPS = 'n',
	KEY_SEED = 's',
	KEY_PAGES = 'p',
	KEY_MIX = 256,
	KEY_YIELD,
	KEY_DELAY,
	KEY_STUTTER,
	KEY_NODE_LOCK,
	KEY_RECLAIM,
	KEY_STALL,
	KEY_PLACE,
	KEY_HISTORY,
	KEY_CLOCK,
	KEY_READERS,
	KEY_FAIL_FAST,
	KEY_JUNIT,
	KEY_TAP,
};

static const struct argp_option argp_options[] = {
	{"strategy", KEY_STRATEGY, "LIST", 0, "Strategies (all)", 1},
	{"format", KEY_FORMAT, "LIST", 0, "Formats: x86_64, toy (all)", 1},
	{"pages", KEY_PAGES, "LIST", 0, "hot, hot:PAGES (4..64), wide (hot:16)", 1},
	{"threads", KEY_THREADS, "LIST", 0, "Numbers of threads; bare has one (2)", 1},
	{"readers", KEY_READERS, "N", 0, "Threads that only look (a quarter)", 1},
	{"node-lock", KEY_NODE_LOCK, "LIST", 0,
	 "Of `ptstress list`, or all: those that the strategy has, in turn (all)", 1},
	{"reclaim-mode", KEY_RECLAIM, "NAME", 0, "callback, sync, both: in turn (both)", 1},
	{"duration", KEY_DURATION, "TIME", 0, "Of each case: 500ms 10s 2m (2s)", 2},
	{"ops", KEY_OPS, "N", 0, "Of each case, instead of --duration", 2},
	{"seed", KEY_SEED, "N", 0, "Of each thread's operations (1)", 2},
	{"mix", KEY_MIX, "SHARES", 0, "query:20,map:5,... of operations", 2},
	{"stutter", KEY_STUTTER, "N", 0, "Operations of a thread until all stop (20000)", 2},
	{"yield", KEY_YIELD, "1/N", 0, "Give way at one in N points (0)", 2},
	{"delay", KEY_DELAY, "1/N[:TIME]", 0, "Be late at one in N points, by up to 50us (0)", 2},
	{"place", KEY_PLACE, "POLICY", 0, "compact, scatter, none, list:0,2 (scatter)", 2},
	{"history", KEY_HISTORY, "N", 0, "Log and judge N calls of each thread, 10000.. (0)", 3},
	{"clock", KEY_CLOCK, "NAME", 0, "Of histories: shared, tsc, none (shared)", 3},
	{"stall", KEY_STALL, "TIME", 0, "No progress for so long is a violation (30s)", 3},
	{"fail-fast", KEY_FAIL_FAST, NULL, 0, "End with the first violation", 3},
	{"junit", KEY_JUNIT, "FILE", 0, "Write results as JUnit XML", 3},
	{"tap", KEY_TAP, "FILE", 0, "Write results in the Test Anything Protocol", 3},
	{0},
};

/* In thousandths: a look at all tables costs a grace period. */
static const uint32_t default_mix[OP_KINDS] = {
	[OP_QUERY] = 24000, [OP_QUERY_GET] = 3000, [OP_WALK] = 10000,   [OP_ACCESS] = 3000,
	[OP_READ] = 14000,  [OP_WRITE] = 14000,    [OP_CURSOR] = 22000, [OP_MAP] = 8000,
	[OP_UNMAP] = 7000,  [OP_PROTECT] = 6000,   [OP_MARK] = 1000,    [OP_MERGE] = 600,
	[OP_PRUNE] = 600,   [OP_HARVEST] = 1500,   [OP_RECLAIM] = 1,
};

static int parse_names(const char *what, const char *text, struct names *ret)
{
	free(ret->words);
	ret->words = NULL;
	return parse_words(what, text, &ret->words, &ret->count);
}

/* `1/16`, or 0 for never; what follows is at *ret_rest. */
static int parse_one_in(const char *what, const char *text, uint32_t *ret, const char **ret_rest)
{
	char number[32];
	uint64_t n;
	size_t length;

	*ret_rest = "";
	if (!strcmp(text, "0")) {
		*ret = 0;
		return 0;
	}
	if (strncmp(text, "1/", 2)) {
		complain("%s: '%s' is neither 0 nor of the form 1/16", what, text);
		return -EINVAL;
	}
	length = strcspn(text + 2, ":");
	snprintf(number, sizeof(number), "%.*s", (int)length, text + 2);
	if (parse_number(what, number, 1, 1000000, &n))
		return -EINVAL;
	*ret = (uint32_t)n;
	*ret_rest = text + 2 + length;
	return 0;
}

static int parse_yield(const char *text, struct inject *ret)
{
	const char *rest;

	if (parse_one_in("--yield", text, &ret->yield, &rest))
		return -EINVAL;
	if (*rest)
		complain("--yield: '%s' is not of the form 1/16", text);
	return *rest ? -EINVAL : 0;
}

static int parse_delay(const char *text, struct inject *ret)
{
	const char *rest;

	if (parse_one_in("--delay", text, &ret->delay, &rest))
		return -EINVAL;
	return *rest ? parse_duration("--delay", rest + 1, 1000, 1000000000, &ret->delay_ns) : 0;
}

static int parse_share(const char *word, struct mix *mix)
{
	const char *colon = strchr(word, ':');
	uint64_t share;

	for (unsigned kind = OP_QUERY; colon && kind < OP_KINDS; kind++)
		if (strlen(op_names[kind]) == (size_t)(colon - word) &&
		    !strncmp(op_names[kind], word, (size_t)(colon - word))) {
			if (parse_number("--mix", colon + 1, 0, 1000000, &share))
				return -EINVAL;
			mix->weight[kind] = (uint32_t)share;
			return 0;
		}
	complain("--mix: '%s' is not of the form OPERATION:SHARE; operations are query query_get "
		 "walk access read write cursor map unmap protect mark merge prune harvest reclaim",
		 word);
	return -EINVAL;
}

static int parse_mix(const char *text, struct mix *ret)
{
	struct names shares = {0};
	struct mix mix = {0};
	int rc = parse_names("--mix", text, &shares);

	for (size_t i = 0; !rc && i < shares.count; i++)
		rc = parse_share(shares.words[i], &mix);
	free(shares.words);
	for (unsigned kind = 0; kind < OP_KINDS; kind++)
		mix.sum += mix.weight[kind];
	if (!rc)
		*ret = mix;
	return rc;
}

/* In some phases there are only cursors, in some only calls without: something must be left. */
static int check_mix(const struct mix *mix)
{
	uint32_t looks = 0;

	for (unsigned kind = OP_QUERY; kind <= OP_WRITE; kind++)
		looks += mix->weight[kind];
	if (looks)
		return 0;
	complain(
		"--mix: at least one of query, query_get, walk, access, read and write must have a "
		"share: it is what threads do when they may not change anything");
	return -EINVAL;
}

static int parse_reclaim(const char *text, const char **ret)
{
	if (strcmp(text, "callback") && strcmp(text, "sync") && strcmp(text, "both")) {
		complain("--reclaim-mode: '%s' is not callback, sync or both", text);
		return -EINVAL;
	}
	*ret = text;
	return 0;
}

static int parse_pages(const char *text, struct names *ret)
{
	int rc = parse_names("--pages", text, ret);
	uint64_t hot;
	bool wide;

	for (size_t i = 0; !rc && i < ret->count; i++)
		rc = space_parse("--pages", ret->words[i], &wide, &hot);
	return rc;
}

/* Less than an operation may need would be no room at all. */
static int parse_history(const char *text, uint64_t *ret)
{
	if (!strcmp(text, "0")) {
		*ret = 0;
		return 0;
	}
	return parse_number("--history", text, LOGBOOK_LEAST, UINT64_C(1) << 26, ret);
}

static int parse_clock(const char *text, enum clock_mode *ret)
{
	if (clock_find(text, ret))
		return 0;
	complain("--clock: '%s' is not shared, tsc or none", text);
	return -EINVAL;
}

/* It would be a file of that name, which nobody means. */
static int parse_file(const char *what, const char *text, const char **ret)
{
	if (!*text || !strcmp(text, "-")) {
		complain("%s: '%s' is not a usable path", what, text);
		return -EINVAL;
	}
	*ret = text;
	return 0;
}

static int parse_one(struct run_options *o, int key, const char *text)
{
	uint64_t readers;

	switch (key) {
	case KEY_STRATEGY:
		return parse_names("--strategy", text, &o->strategies);
	case KEY_FORMAT:
		return parse_names("--format", text, &o->formats);
	case KEY_PAGES:
		return parse_pages(text, &o->pages);
	case KEY_NODE_LOCK:
		o->node_locks_named = strcmp(text, "all") != 0;
		return parse_names("--node-lock", text, &o->node_locks);
	case KEY_THREADS:
		free(o->threads);
		o->threads = NULL;
		return parse_list("--threads", text, 1, THREADS_MOST, &o->threads, &o->nr_threads);
	case KEY_DURATION:
		o->timed = true;
		return parse_duration("--duration", text, 1000000, 1000 * HOUR_NS, &o->duration_ns);
	case KEY_OPS:
		return parse_number("--ops", text, 1, UINT64_C(1) << 50, &o->ops);
	case KEY_SEED:
		return parse_number("--seed", text, 0, UINT64_MAX, &o->seed);
	case KEY_STUTTER:
		return parse_number("--stutter", text, 1, UINT64_C(1) << 40, &o->stutter);
	case KEY_STALL:
		return parse_duration("--stall", text, 100000000, HOUR_NS, &o->stall_ns);
	case KEY_YIELD:
		return parse_yield(text, &o->inject);
	case KEY_DELAY:
		return parse_delay(text, &o->inject);
	case KEY_HISTORY:
		return parse_history(text, &o->history);
	case KEY_CLOCK:
		return parse_clock(text, &o->clock);
	case KEY_READERS:
		if (parse_number("--readers", text, 0, THREADS_MOST, &readers))
			return -EINVAL;
		o->readers = (int)readers;
		return 0;
	case KEY_MIX:
		o->mix_text = text;
		return parse_mix(text, &o->mix);
	case KEY_RECLAIM:
		return parse_reclaim(text, &o->reclaim);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct run_options *o = state->input;
	int rc = 0;

	switch (key) {
	case KEY_PLACE:
		o->place = text;
		break;
	case KEY_FAIL_FAST:
		o->fail_fast = true;
		break;
	case KEY_JUNIT:
		rc = parse_file("--junit", text, &o->junit);
		break;
	case KEY_TAP:
		rc = parse_file("--tap", text, &o->tap);
		break;
	case ARGP_KEY_ARG:
		complain("unexpected argument '%s'", text);
		return EINVAL;
	default:
		rc = parse_one(o, key, text);
	}
	return rc == ARGP_ERR_UNKNOWN ? rc : -rc;
}

/* ---- names that must exist ---- */

static const char *strategy_name(unsigned i)
{
	const struct pt_strategy_info *s = pt_strategy_at(i);

	return s ? s->name : NULL;
}

static const char *format_name(unsigned i)
{
	const struct pt_format_info *f = pt_format_at(i);

	return f ? f->name : NULL;
}

/* `all` becomes every name there is. */
static enum exit_code resolve(const char *what, const char *(*name_at)(unsigned), struct names *n)
{
	char all[256] = "";
	unsigned known;

	for (known = 0; name_at(known); known++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", known ? "," : "",
			 name_at(known));
	if (n->count == 1 && !strcmp(n->words[0], "all"))
		return parse_names(what, all, n) ? EXIT_RESOURCES : EXIT_FINE;
	for (size_t i = 0; i < n->count; i++) {
		for (known = 0; name_at(known) && strcmp(name_at(known), n->words[i]); known++)
			;
		if (!name_at(known)) {
			complain("%s: there is no '%s', only %s and all", what, n->words[i], all);
			return EXIT_USAGE;
		}
	}
	return EXIT_FINE;
}

/* A kind that nobody has would be passed by tables of other kinds. */
static enum exit_code check_node_locks(const struct run_options *o)
{
	for (size_t i = 0; i < o->node_locks.count; i++) {
		const char *kind = o->node_locks.words[i];
		size_t k = 0;

		while (k < o->strategies.count &&
		       !strategy_has_node_lock(o->strategies.words[k], kind))
			k++;
		if (k == o->strategies.count) {
			complain("--node-lock: no strategy that is to run has '%s'", kind);
			return EXIT_USAGE;
		}
	}
	return EXIT_FINE;
}

enum exit_code run_options_parse(int argc, char **argv, struct run_options *ret)
{
	static const struct argp argp = {
		.options = argp_options,
		.parser = parse_option,
		.doc = "Let threads fight for pages while oracles watch.\v"
		       "A case is a strategy, a format, pages and a number of threads.",
	};
	struct run_options o = {
		.duration_ns = UINT64_C(2000000000),
		.seed = 1,
		.stutter = 20000,
		.stall_ns = UINT64_C(30000000000),
		.reclaim = "both",
		.place = "scatter",
		.readers = -1,
		.inject = {.delay_ns = 50000},
	};
	enum exit_code code = EXIT_FINE;

	for (unsigned kind = 0; kind < OP_KINDS; kind++)
		o.mix.sum += o.mix.weight[kind] = default_mix[kind];
	argp_err_exit_status = EXIT_USAGE;
	if (parse_names("", "all", &o.strategies) || parse_names("", "all", &o.formats) ||
	    parse_names("", "hot:16", &o.pages) || parse_names("", "all", &o.node_locks) ||
	    parse_list("", "2", 1, THREADS_MOST, &o.threads, &o.nr_threads))
		code = EXIT_RESOURCES;
	if (!code && (argp_parse(&argp, argc, argv, 0, NULL, &o) || check_mix(&o.mix)))
		code = EXIT_USAGE;
	if (!code && o.ops && o.timed) {
		complain("a case ends after --ops or after --duration, not both");
		code = EXIT_USAGE;
	}
	if (!code && o.history && clock_unsupported(o.clock)) {
		complain("--clock %s: %s", clock_name(o.clock), clock_unsupported(o.clock));
		code = EXIT_UNSUPPORTED;
	}
	if (!code)
		code = resolve("--strategy", strategy_name, &o.strategies);
	if (!code)
		code = resolve("--format", format_name, &o.formats);
	if (!code)
		code = resolve("--node-lock", pt_node_lock_at, &o.node_locks);
	if (!code && o.node_locks_named)
		code = check_node_locks(&o);
	if (code)
		run_options_free(&o);
	else
		*ret = o;
	return code;
}

void run_options_free(struct run_options *o)
{
	free(o->strategies.words);
	free(o->formats.words);
	free(o->pages.words);
	free(o->node_locks.words);
	free(o->threads);
}

void run_options_text(const struct run_options *o, char *text, size_t size)
{
	char duration[UNITS_TEXT], delay[UNITS_TEXT];
	int n = 0;

#define ADD(...) (n += n < (int)size ? snprintf(text + n, size - (size_t)n, __VA_ARGS__) : 0)
	if (o->ops)
		ADD("--ops %" PRIu64, o->ops);
	else
		ADD("--duration %s", format_duration(duration, o->duration_ns));
	ADD(" --seed %" PRIu64 " --stutter %" PRIu64, o->seed, o->stutter);
	ADD(" --node-lock ");
	for (size_t i = 0; i < o->node_locks.count; i++)
		ADD("%s%s", i ? "," : "", o->node_locks.words[i]);
	ADD(" --reclaim-mode %s --place %s", o->reclaim, o->place);
	ADD(" --stall %s%s", format_duration(duration, o->stall_ns),
	    o->fail_fast ? " --fail-fast" : "");
	if (o->inject.yield)
		ADD(" --yield 1/%u", o->inject.yield);
	if (o->inject.delay)
		ADD(" --delay 1/%u:%s", o->inject.delay,
		    format_duration(delay, o->inject.delay_ns));
	if (o->readers >= 0)
		ADD(" --readers %d", o->readers);
	if (o->history)
		ADD(" --history %" PRIu64 " --clock %s", o->history, clock_name(o->clock));
	if (o->mix_text)
		ADD(" --mix %s", o->mix_text);
#undef ADD
}
