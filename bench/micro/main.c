/* SPDX-License-Identifier: MIT */
/* ptmicro: loops over single operations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "say.h"
#include "suite.h"
#include "targets.h"

static const char help[] =
	"Usage: ptmicro [--node-lock LIST] [--benchmark_...]\n"
	"       ptmicro --targets [--quick]\n"
	"Measure single operations: of the library, by every strategy; of floors, which\n"
	"are hand-written loops that do the same without library, locks or RCU; of its\n"
	"locks, and of RCU.\n\n"
	"  --node-lock LIST             locks of nodes: ttas, ticket, queued, all (ttas)\n"
	"  --targets                    the library's ratios to the floors, each with\n"
	"                               what it may be; --quick: fewer repetitions\n"
	"  --once NAME                  run one loop once, for a profiler; prints the\n"
	"                               number of operations\n"
	"  --list-kernels               names for --once\n"
	"  --help                       this text\n\n"
	"Google Benchmark's options, among them\n"
	"  --benchmark_list_tests=true  names of all benchmarks\n"
	"  --benchmark_filter=REGEX     which to run: '^query/', 'strategy:rcu', 'lock/'\n"
	"  --benchmark_min_time=0.1     seconds for each, without a unit\n"
	"  --benchmark_repetitions=N    with mean, median and deviation\n"
	"  --benchmark_out=FILE         results as JSON; also --benchmark_format=json\n\n"
	"Times are for one operation; where whole tables are mapped or unmapped, for one\n"
	"page. Exit codes: 0 fine, 1 usage, 2 a result was wrong, 3 no resources\n\n"
	"\"Library was built as DEBUG\" speaks of Google Benchmark, as Debian packages it.\n\n"
	"A first look:\n"
	"  ptmicro --benchmark_filter='^(query|protect)/' --benchmark_min_time=0.1\n";

/*
 * The value of `--node-lock VALUE` or `--node-lock=VALUE`, which is taken out of argv; @value if it is not
 * there, NULL if its value is not. All else is Google Benchmark's.
 */
static const char *take_node_lock(int *argc, char **argv, const char *value)
{
	static const char option[] = "--node-lock";
	const size_t length = sizeof(option) - 1;
	int i, left = 1;

	for (i = 1; i < *argc; i++) {
		bool ours = !strncmp(argv[i], option, length);

		if (ours && argv[i][length] == '=')
			value = argv[i] + length + 1;
		else if (ours && !argv[i][length])
			value = argv[++i];
		else
			argv[left++] = argv[i];
		if (!value)
			break;
	}
	*argc = left;
	argv[left] = NULL;
	return value;
}

/* Options that stand by themselves, used otherwise: Google Benchmark would only not know them. */
static bool is_misused(const char *first)
{
	if (!strcmp(first, "--once"))
		complain("--once takes one name and nothing else; --list-kernels shows them");
	else if (!strcmp(first, "--quick"))
		complain("--quick belongs to --targets: --targets --quick");
	else if (!strcmp(first, "--list-kernels"))
		complain("--list-kernels takes nothing else");
	else
		return false;
	return true;
}

static int run_suite(int argc, char **argv)
{
	const char *node_locks = take_node_lock(&argc, argv, "ttas");
	struct contender_list contenders;
	enum exit_code code;
	unsigned ran;

	if (!node_locks) {
		complain("--node-lock: which? see --help");
		return EXIT_USAGE;
	}
	code = select_contenders("all", node_locks, pt_format_find("x86_64"), &contenders);
	if (code)
		return code;
	bm_options(&argc, argv);
	bm_context("pagetree_version", build_version);
	bm_context("pagetree_revision", build_revision);
	suite_tables(&contenders);
	suite_dispatch();
	suite_locks();
	suite_rcu();
	ran = bm_run();
	suite_end();
	contender_list_free(&contenders);
	return ran ? EXIT_FINE : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	bool quick = argc == 3 && !strcmp(argv[2], "--quick");

	atexit(say_finish);
	if (argc == 2 && (!strcmp(first, "--help") || !strcmp(first, "-h"))) {
		fputs(help, stdout);
		return EXIT_FINE;
	}
	if (argc == 2 && !strcmp(first, "--list-kernels"))
		return targets_list();
	if (argc == 3 && !strcmp(first, "--once"))
		return targets_once(argv[2]);
	if (!strcmp(first, "--targets")) {
		if (argc == 2 || quick)
			return targets_run(quick);
		complain("--targets takes --quick and nothing else");
		return EXIT_USAGE;
	}
	return is_misused(first) ? EXIT_USAGE : run_suite(argc, argv);
}
