/* SPDX-License-Identifier: MIT */
/*
 * ptstress-explore: the commands that need the instrumented library, which has the same symbols as
 * the one that ships. ptstress runs this program.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "explore.h"
#include "selftest/selftest.h"

static int selftest_main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		printf("Usage: ptstress selftest\n"
		       "Check that the explorer finds bugs in small programs that have one each.\n");
		return EXIT_FINE;
	}
	if (argc > 1) {
		command_complain("unexpected argument '%s'", argv[1]);
		return EXIT_USAGE;
	}
	return explore_setup() ? EXIT_RESOURCES : selftest_run();
}

static const struct command commands[] = {
	{"explore", "run scenarios under all schedules up to a bound", explore_main},
	{"list", "what there is to explore", explore_list_main},
	{"selftest", "check that the explorer finds seeded bugs", selftest_main},
};

int main(int argc, char **argv)
{
	return command_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
