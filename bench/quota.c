/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "quota.h"

/* Version 2: `cpu.max` holds "QUOTA PERIOD" or "max PERIOD", in microseconds. */
static bool read_v2(const char *group, double *ret_cpus)
{
	char path[PATH_MAX + 32];
	double quota, period;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/cpu.max", group);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%lf %lf", &quota, &period) == 2 && period > 0) {
		*ret_cpus = quota / period;
		found = true;
	}
	fclose(file);
	return found;
}

static bool read_value(const char *group, const char *name, double *ret)
{
	char path[PATH_MAX + 32];
	bool found;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", group, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	found = fscanf(file, "%lf", ret) == 1;
	fclose(file);
	return found;
}

/* Version 1: two files; a quota of -1 is none. */
static bool read_v1(const char *group, double *ret_cpus)
{
	double quota, period;

	if (!read_value(group, "cpu.cfs_quota_us", &quota) ||
	    !read_value(group, "cpu.cfs_period_us", &period) || quota <= 0 || period <= 0)
		return false;
	*ret_cpus = quota / period;
	return true;
}

/* From the group `path` below `mount` up to `mount` itself. */
static double lowest_on_path(const char *mount, const char *path,
			     bool (*read)(const char *group, double *ret_cpus), double cpus)
{
	char group[PATH_MAX];
	size_t root = strlen(mount);
	double here;

	if (snprintf(group, sizeof(group), "%s%s", mount, path) >= (int)sizeof(group))
		return cpus;
	for (;;) {
		char *slash;

		if (read(group, &here) && here < cpus)
			cpus = here;
		slash = strrchr(group, '/');
		if (!slash || strlen(group) <= root)
			return cpus;
		*slash = 0;
	}
}

/* Is `name` in the comma separated `list`? */
static bool has_controller(const char *list, const char *name)
{
	size_t length = strlen(name);

	while (list) {
		if (!strncmp(list, name, length) && (!list[length] || list[length] == ','))
			return true;
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return false;
}

double quota_cpus(const char *membership, const char *mount, double cpus)
{
	char line[PATH_MAX + 64], v1[PATH_MAX];
	FILE *file = fopen(membership, "r");

	if (!file)
		return cpus;
	/* Each line is ID:CONTROLLERS:PATH; version 2 has no controllers. */
	while (fgets(line, sizeof(line), file)) {
		char *rest = line, *controllers, *path;

		line[strcspn(line, "\n")] = 0;
		strsep(&rest, ":");
		controllers = strsep(&rest, ":");
		path = rest;
		if (!path)
			continue;
		if (!*controllers) {
			cpus = lowest_on_path(mount, path, read_v2, cpus);
		} else if (has_controller(controllers, "cpu")) {
			snprintf(v1, sizeof(v1), "%s/cpu", mount);
			cpus = lowest_on_path(v1, path, read_v1, cpus);
		}
	}
	fclose(file);
	return cpus;
}
