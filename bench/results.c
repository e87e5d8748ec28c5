/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "place.h"
#include "results.h"
#include "say.h"

#define SCHEMA "1.0"

struct results {
	json_t *root;
	json_t *extra; /* the context's `pagetree` */
	json_t *rows;
};

json_t *json_must(json_t *value)
{
	if (!value) {
		complain("out of memory, or text that is not UTF-8");
		exit(EXIT_RESOURCES);
	}
	return value;
}

int results_check_path(const char *path)
{
	char copy[PATH_MAX];
	struct stat status;
	int error = 0;

	/* "-" would become a file of that name, which nobody who writes it wants. */
	if (!*path || !strcmp(path, "-") ||
	    snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy)) {
		complain("--output: '%s' is not a usable path", path);
		return -EINVAL;
	}
	if (!stat(path, &status) && S_ISDIR(status.st_mode))
		error = EISDIR;
	else if (access(dirname(copy), W_OK | X_OK))
		error = errno;
	if (error) {
		complain("cannot write %s: %s", path, strerror(error));
		return -error;
	}
	return 0;
}

static json_t *date(void)
{
	char text[64];
	time_t now = time(NULL);
	struct tm local;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &local));
	return json_must(json_string(text));
}

static json_t *host_name(void)
{
	char name[256] = "";

	gethostname(name, sizeof(name) - 1);
	return json_must(json_string(name));
}

static json_t *load_average(void)
{
	double load[3] = {0};

	getloadavg(load, 3);
	return json_must(json_pack("[f, f, f]", load[0], load[1], load[2]));
}

static json_t *command_line(int argc, char **argv)
{
	json_t *list = json_must(json_array());
	int i;

	for (i = 0; i < argc; i++)
		json_array_append_new(list, json_must(json_string(argv[i])));
	return list;
}

struct results *results_create(int argc, char **argv, uint64_t seed, const struct place *place)
{
	struct results *results = malloc(sizeof(*results));
	json_t *context;

	if (!results)
		json_must(NULL);
	results->extra = json_must(json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:s}", "schema",
					     SCHEMA, "time_semantics", "wall_ns_per_op_per_thread",
					     "machine", machine_describe(place), "build",
					     build_describe(), "argv", command_line(argc, argv),
					     "seed", (json_int_t)seed, "place", place_name(place)));
	context = json_must(json_pack(
		"{s:o, s:o, s:s, s:i, s:i, s:b, s:o, s:o, s:s, s:i, s:O}", "date", date(),
		"host_name", host_name(), "executable", "ptbench", "num_cpus",
		(int)place_cpus(place), "mhz_per_cpu", (int)machine_mhz(), "cpu_scaling_enabled", 0,
		"caches", machine_caches(place), "load_avg", load_average(), "library_build_type",
		build_type(), "json_schema_version", 1, "pagetree", results->extra));
	results->rows = json_must(json_array());
	results->root =
		json_must(json_pack("{s:o, s:O}", "context", context, "benchmarks", results->rows));
	return results;
}

void results_destroy(struct results *results)
{
	json_decref(results->extra);
	json_decref(results->rows);
	json_decref(results->root);
	free(results);
}

void results_set(struct results *results, const char *key, json_t *value)
{
	json_object_set_new(results->extra, key, json_must(value));
}

void results_add(struct results *results, const struct result_row *row)
{
	json_t *object = json_must(json_pack(
		"{s:s, s:s, s:i, s:i, s:s, s:i, s:i, s:i}", "name", row->name, "run_name",
		row->name, "family_index", (int)row->family, "per_family_instance_index",
		(int)row->instance, "run_type", "iteration", "repetitions", (int)row->repetitions,
		"repetition_index", (int)row->repetition, "threads", (int)row->threads));
	json_t *numbers = json_must(json_pack(
		"{s:I, s:f, s:f, s:s, s:f, s:f, s:I, s:I}", "iterations",
		(json_int_t)row->operations, "real_time", row->wall_ns_per_op, "cpu_time",
		row->cpu_ns_per_op, "time_unit", "ns", "items_per_second", row->ops_per_second,
		"fairness", row->fairness, "node_bytes", (json_int_t)row->node_bytes,
		"retired_bytes_max", (json_int_t)row->retired_bytes_max));

	json_object_update(object, numbers);
	json_decref(numbers);
	if (row->more)
		json_object_set_new(object, "pagetree", row->more);
	json_array_append_new(results->rows, object);
}

static int write_file(const json_t *root, FILE *file)
{
	errno = 0;
	if (json_dumpf(root, file, JSON_INDENT(2)) || fputc('\n', file) == EOF || fflush(file))
		return errno ? -errno : -EIO;
	/* Pipes and terminals cannot be synced. */
	if (fsync(fileno(file)) && errno != EINVAL && errno != EROFS)
		return -errno;
	return 0;
}

/* What is not a regular file, such as /dev/stdout, cannot be replaced by renaming. */
static bool is_special(const char *path)
{
	struct stat status;

	return !stat(path, &status) && !S_ISREG(status.st_mode);
}

static FILE *open_temporary(char *path)
{
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	mode_t mask;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	/* mkstemp() lets only the owner read; a result is to be like any other file. */
	mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	return file;
}

int results_write(const struct results *results, const char *path)
{
	bool special = is_special(path);
	char target[PATH_MAX];
	int error = 0;
	FILE *file;

	if (snprintf(target, sizeof(target), special ? "%s" : "%s.XXXXXX", path) >=
	    (int)sizeof(target)) {
		complain("cannot write %s: %s", path, strerror(ENAMETOOLONG));
		return -ENAMETOOLONG;
	}
	file = special ? fopen(target, "w") : open_temporary(target);
	if (!file) {
		error = -errno;
		complain("cannot write %s: %s", target, strerror(-error));
		return error;
	}
	error = write_file(results->root, file);
	if (fclose(file) && !error)
		error = -errno;
	if (!special && !error && rename(target, path))
		error = -errno;
	if (error) {
		complain("cannot write %s: %s", path, strerror(-error));
		if (!special)
			unlink(target);
	}
	return error;
}
