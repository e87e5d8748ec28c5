/* SPDX-License-Identifier: MIT */
/* ptbench: one program, one command each for what it can do. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "replay/replay.h"
#include "run.h"
#include "say.h"

struct command {
	const char *name;
	const char *full; /* as getopt and argp are to show it */
	int (*run)(int argc, char **argv);
	const char *summary;
};

static const struct command commands[] = {
	{"list", "ptbench list", list_command, "strategies, formats, workloads, placements"},
	{"run", "ptbench run", run_command, "measure strategies on workloads"},
	{"replay", "ptbench replay", replay_command, "replay a recorded program on the strategies"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	size_t i;

	fprintf(out,
		"Usage: ptbench COMMAND [OPTION...]\n"
		"Measure page tables: what does which locking cost, and was the table right?\n\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n`ptbench COMMAND --help` explains a command's options.\n"
		     "Exit codes: 0 fine, 1 usage, 2 a table was wrong, 3 no resources,\n"
		     "            4 not possible here, 5 interrupted\n\n"
		     "A first look:  ptbench run --suite quick\n");
}

int main(int argc, char **argv)
{
	size_t i;

	atexit(say_finish);
	argp_err_exit_status = EXIT_USAGE;
	/* The options' own lines say which take arguments; so help fits a screen. */
	setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		argv[1] = (char *)commands[i].full;
		return commands[i].run(argc - 1, argv + 1);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("ptbench %s (%s)\n", build_version, build_revision);
		return EXIT_FINE;
	}
	complain("'%s' is not a command; they are list, run and replay", argv[1]);
	return EXIT_USAGE;
}
