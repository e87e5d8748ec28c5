/* SPDX-License-Identifier: MIT */
/* A program of several commands, each of which parses its own options. */
#ifndef STRESS_COMMAND_H
#define STRESS_COMMAND_H

#include <stddef.h>

enum exit_code {
	EXIT_FINE = 0,
	EXIT_USAGE = 1,
	EXIT_VIOLATION = 2,
	EXIT_RESOURCES = 3,
	EXIT_UNSUPPORTED = 4,
	EXIT_SIGNAL = 5,
};

struct command {
	const char *name, *about;
	int (*run)(int argc, char **argv);
};

/* One line on stderr, behind the name of the program and its command. */
void command_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Run the command that argv[1] names; its own argv[0] is then "ptstress NAME". */
int command_main(const struct command *commands, size_t count, int argc, char **argv);

#endif
