/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void usage(const struct command *commands, size_t count, FILE *out)
{
	fprintf(out, "Usage: ptstress COMMAND [OPTION...]\n"
		     "Break page tables, or fail to.\n\n");
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].about);
	fprintf(out, "\n`ptstress COMMAND --help` explains a command's options.\n"
		     "Exit codes: 0 fine, 1 usage, 2 a violation was found, 3 no resources,\n"
		     "4 not supported by this build, 5 stopped by a signal\n");
}

void command_complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* What cannot be written has not been said. Also when argp exits after --help. */
static void close_stdout(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		command_complain("cannot write to the standard output: %s", strerror(errno));
		_exit(EXIT_RESOURCES);
	}
}

int command_main(const struct command *commands, size_t count, int argc, char **argv)
{
	static char name[32];

	atexit(close_stdout);
	/* The options' own lines say which take arguments. */
	setenv("ARGP_HELP_FMT", "no-dup-args-note", 0);
	if (argc < 2) {
		usage(commands, count, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(commands, count, stdout);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < count; i++)
		if (!strcmp(argv[1], commands[i].name)) {
			snprintf(name, sizeof(name), "ptstress %s", commands[i].name);
			/* as messages shall call it */
			argv[1] = program_invocation_short_name = name;
			return commands[i].run(argc - 1, argv + 1);
		}
	command_complain("no command '%s'", argv[1]);
	usage(commands, count, stderr);
	return EXIT_USAGE;
}
