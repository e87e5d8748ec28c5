/* SPDX-License-Identifier: MIT */
/* ptmicro: small loops. */
#include <stdio.h>
#include <string.h>

#include "say.h"
#include "targets.h"

static const char help[] =
	"Usage: ptmicro --targets [--quick]\n"
	"Measure the library's operations by floors, hand-written loops that do the same.\n\n"
	"      --targets       a line for each target; --quick: fewer repetitions\n"
	"      --list-kernels  KERNEL/SUBJECT, all there are\n"
	"      --once NAME     one of these once, for a profiler: prints the operations done\n"
	"      --help          this text\n\n"
	"scripts/perf-check builds and calls it.\n"
	"Exit codes: 0 fine, 1 usage, 2 a result was wrong, 3 no resources\n";

int main(int argc, char **argv)
{
	const char *first = argc > 1 ? argv[1] : "";
	bool quick = argc == 3 && !strcmp(argv[2], "--quick");

	if (!strcmp(first, "--help") && argc == 2) {
		fputs(help, stdout);
		return EXIT_FINE;
	}
	if (!strcmp(first, "--list-kernels") && argc == 2)
		return targets_list();
	if (!strcmp(first, "--once") && argc == 3)
		return targets_once(argv[2]);
	if (!strcmp(first, "--targets") && (argc == 2 || quick))
		return targets_run(quick);
	fputs(help, stderr);
	return EXIT_USAGE;
}
