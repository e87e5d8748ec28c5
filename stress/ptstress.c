/* SPDX-License-Identifier: MIT */
/* ptstress: breaks page tables, or fails to. Each command parses its own options. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore/explore.h"
#include "selftest/selftest.h"

static int selftest_main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		printf("Usage: ptstress selftest\n"
		       "Check that the explorer finds bugs in small programs that have one each.\n");
		return 0;
	}
	if (argc > 1) {
		fprintf(stderr, "ptstress: selftest takes no arguments\n");
		return 1;
	}
	return explore_setup() ? 3 : selftest_run();
}

static const struct command {
	const char *name, *about;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"explore", "run scenarios under all schedules up to a bound", explore_main},
	{"list", "what there is to explore", explore_list_main},
	{"selftest", "check that the explorer finds seeded bugs", selftest_main},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	fprintf(out, "Usage: ptstress COMMAND [OPTION...]\n"
		     "Break page tables: small programs under every schedule, each checked.\n\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].about);
	fprintf(out, "\n`ptstress COMMAND --help` explains a command's options.\n"
		     "Exit codes: 0 fine, 1 usage, 2 a violation was found, 3 no resources\n");
}

/* What cannot be written has not been said. Also when argp exits after --help. */
static void close_stdout(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "ptstress: cannot write to the standard output: %s\n",
			strerror(errno));
		_exit(3);
	}
}

int main(int argc, char **argv)
{
	char name[32];

	atexit(close_stdout);
	/* The options' own lines say which take arguments. */
	setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	if (argc < 2) {
		usage(stderr);
		return 1;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name)) {
			snprintf(name, sizeof(name), "ptstress %s", commands[i].name);
			argv[1] = name; /* as usage messages shall call it */
			return commands[i].run(argc - 1, argv + 1);
		}
	fprintf(stderr, "ptstress: no command '%s'\n", argv[1]);
	usage(stderr);
	return 1;
}
