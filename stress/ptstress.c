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
		fprintf(stderr, "ptstress: cannot run %s: %s\n", path, strerror(errno));
		return EXIT_RESOURCES;
	}
	fprintf(stderr, "ptstress: this build has no explorer (%s); build without sanitizers\n",
		EXPLORER);
	return EXIT_UNSUPPORTED;
}

static const struct command commands[] = {
	{"differential", "run the same programs on every strategy, and compare", differential_main},
	{"explore", "run small programs under all schedules", run_explorer},
	{"run", "let threads fight for pages while oracles watch", run_main},
	{"list", "what there is to explore", run_explorer},
	{"selftest", "check that the explorer finds seeded bugs", run_explorer},
};

int main(int argc, char **argv)
{
	return command_main(commands, sizeof(commands) / sizeof(commands[0]), argc, argv);
}
