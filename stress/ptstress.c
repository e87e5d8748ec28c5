/* SPDX-License-Identifier: MIT */
/*
 * ptstress: breaks page tables, or fails to. What needs the instrumented library is a program of its
 * own beside this one, because both libraries have the same symbols.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "differential/differential.h"
#include "pagetree.h"
#include "run/run.h"

#define EXPLORER "ptstress-explore"

/* The explorer lies where this program lies. */
static int explorer_path(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - sizeof(EXPLORER));
	char *name;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	name = strrchr(path, '/');
	if (!name)
		return -ENOENT;
	strcpy(name + 1, EXPLORER);
	return 0;
}

/* argv[0] is "ptstress NAME": the explorer gets NAME as its first argument. */
static int run_explorer(int argc, char **argv)
{
	char path[PATH_MAX];
	char *arguments[argc + 2];

	arguments[0] = (char *)"ptstress";
	arguments[1] = strrchr(argv[0], ' ') + 1;
	memcpy(arguments + 2, argv + 1, (size_t)argc * sizeof(*argv));
	if (!explorer_path(path, sizeof(path)))
		execv(path, arguments);
	if (errno != ENOENT) {
		command_complain("cannot run %s: %s", path, strerror(errno));
		return EXIT_RESOURCES;
	}
	command_complain(
		"there is no explorer, %s: `ninja -C BUILD` makes it, if BUILD has no sanitizer",
		path);
	return EXIT_UNSUPPORTED;
}

/* What the explorer does not know, then what it does. */
static int list_main(int argc, char **argv)
{
	const struct pt_strategy_info *strategy;
	const struct pt_format_info *format;

	for (unsigned i = 0; argc == 1 && (format = pt_format_at(i)); i++)
		printf("format    %-22s %u levels of %u entries\n", format->name, format->levels,
		       1u << format->index_bits);
	for (unsigned i = 0; argc == 1 && (strategy = pt_strategy_at(i)); i++)
		if (strategy->isolation == PT_ISOLATION_NONE)
			printf("strategy  %-22s %s; not for `explore`\n", strategy->name,
			       strategy->summary);
	fflush(stdout);
	return run_explorer(argc, argv);
}

static const struct command commands[] = {
	{"differential", "run the same programs on every strategy, and compare", differential_main},
	{"explore", "run small programs under all schedules", run_explorer},
	{"run", "let threads fight for pages while oracles watch", run_main},
	{"list", "what there is to choose from", list_main},
	{"selftest", "check that the explorer finds seeded bugs", run_explorer},
};

int main(int argc, char **argv)
{
	return command_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
