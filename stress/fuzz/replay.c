/* SPDX-License-Identifier: MIT */
/*
 * fuzz_replay FILE|DIRECTORY...: run what the fuzzer has found, with any compiler and without it.
 * Each file is a case (TAP).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "program.h"
#include "support.h"

#define MOST_FILES 4096
#define MOST_BYTES (1 << 20)

/* What a sanitizer finds is a violation, too. (Both functions are the run times' own names.) */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "exitcode=2";
}

const char *__ubsan_default_options(void)
{
	return "halt_on_error=1:exitcode=2:print_stacktrace=1";
}

struct files {
	char *of[MOST_FILES];
	unsigned n;
};

static void refuse(const char *path, const char *why)
{
	fprintf(stderr, "fuzz_replay: %s: %s\n", path, why);
	exit(1);
}

static void add_file(struct files *files, const char *path)
{
	if (files->n == MOST_FILES)
		refuse(path, "more files than 4096");
	files->of[files->n] = strdup(path);
	if (!files->of[files->n++])
		exit(3);
}

static void add(struct files *files, const char *path)
{
	struct dirent **entries;
	struct stat stat_of;
	char inside[4096];
	int n;

	if (stat(path, &stat_of))
		refuse(path, strerror(errno));
	if (!S_ISDIR(stat_of.st_mode)) {
		add_file(files, path);
		return;
	}
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		refuse(path, strerror(errno));
	for (int i = 0; i < n; i++) {
		snprintf(inside, sizeof(inside), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			add_file(files, inside);
		free(entries[i]);
	}
	free(entries);
}

/* A case of the group; @state: its path. */
static void run_file(void **state)
{
	const char *path = *state;
	uint8_t *bytes = malloc(MOST_BYTES);
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!bytes || !f)
		refuse(path, strerror(errno));
	n = fread(bytes, 1, MOST_BYTES, f);
	if (ferror(f))
		refuse(path, strerror(errno));
	if (n == MOST_BYTES)
		refuse(path, "too long to be a program: 1048576 bytes or more");
	fclose(f);
	bytes = realloc(bytes, n ? n : 1); /* so that reading behind it is noticed */
	fuzz_program(bytes, n);
	free(bytes);
}

int main(int argc, char **argv)
{
	static struct files files;
	struct CMUnitTest *tests;
	int failed;

	if (argc < 2 || argv[1][0] == '-') {
		fprintf(stderr, "Usage: fuzz_replay FILE|DIRECTORY...\n");
		return argc < 2 || strcmp(argv[1], "--help") != 0;
	}
	for (int i = 1; i < argc; i++)
		add(&files, argv[i]);
	if (!files.n)
		refuse(argv[1], "no file in it");
	tests = calloc(files.n, sizeof(*tests));
	if (!tests)
		return 3;
	for (unsigned i = 0; i < files.n; i++)
		tests[i] = (struct CMUnitTest){
			.name = files.of[i], .test_func = run_file, .initial_state = files.of[i]};
	failed = _cmocka_run_group_tests("fuzz", tests, files.n, NULL, NULL);
	for (unsigned i = 0; i < files.n; i++)
		free(files.of[i]);
	free(tests);
	if (failed)
		return 2;
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	fprintf(stderr, "fuzz_replay: cannot write to the standard output\n");
	return 3;
}
