/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <gnu/libc-version.h>
#include <hwloc.h>
#ifdef HAVE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "build.h"
#include "machine.h"
#include "place.h"
#include "results.h"

#define TEXT 256

/* The first line of a file, without the newline; false if there is none. */
static bool read_line(const char *path, char text[TEXT])
{
	FILE *file = fopen(path, "r");
	bool found;

	if (!file)
		return false;
	found = fgets(text, TEXT, file);
	fclose(file);
	if (found)
		text[strcspn(text, "\n")] = 0;
	return found;
}

/* What follows "key :" in /proc/cpuinfo, of the first CPU. */
static bool read_cpuinfo(const char *key, char text[TEXT])
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	size_t length = strlen(key);
	char line[8192];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');

		if (!colon || strncmp(line, key, length) || !isspace((unsigned char)line[length]))
			continue;
		colon += strspn(colon, ": \t");
		snprintf(text, TEXT, "%.*s", (int)strcspn(colon, "\n"), colon);
		found = true;
	}
	fclose(file);
	return found;
}

static bool is_virtual(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[8192];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
	fclose(file);
	return found;
}

double machine_mhz(void)
{
	char text[TEXT];

	return read_cpuinfo("cpu MHz", text) ? atof(text) : 0;
}

uint64_t machine_steal_ms(void)
{
	uint64_t steal = 0;
	char text[TEXT];

	if (read_line("/proc/stat", text))
		sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &steal);
	return steal * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static json_t *text_or_null(bool found, const char *text)
{
	return json_must(found ? json_string(text) : json_null());
}

static void set_file(json_t *object, const char *key, const char *path)
{
	char text[TEXT];
	bool found = read_line(path, text);

	json_object_set_new(object, key, text_or_null(found, text));
}

/* FNV-1a over what is the same after a reboot: enough to tell two machines apart. */
static json_t *machine_id(const json_t *machine)
{
	char *text = json_dumps(machine, JSON_SORT_KEYS | JSON_COMPACT);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char id[32];
	const char *c;

	for (c = text; c && *c; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	free(text);
	snprintf(id, sizeof(id), "%016" PRIx64, hash);
	return json_must(json_string(id));
}

json_t *machine_describe(const struct place *place)
{
	hwloc_topology_t topology = place_topology(place);
	int cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
	json_t *machine = json_must(json_object());
	struct utsname name;
	char text[TEXT];
	bool found;

	found = read_cpuinfo("model name", text);
	json_object_set_new(machine, "cpu", text_or_null(found, text));
	place_describe(place, text, sizeof(text));
	json_object_set_new(machine, "topology", json_must(json_string(text)));
	json_object_set_new(machine, "virtual", json_boolean(is_virtual()));
	json_object_set_new(machine, "smt",
			    json_boolean(cores > 0 && place_cpus(place) > (unsigned)cores));
	json_object_set_new(machine, "numa_nodes",
			    json_integer(hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_NUMANODE)));
	json_object_set_new(machine, "id", machine_id(machine));

	if (!uname(&name)) {
		snprintf(text, sizeof(text), "%s %s %s", name.sysname, name.release, name.machine);
		json_object_set_new(machine, "kernel", json_must(json_string(text)));
	}
	set_file(machine, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	set_file(machine, "huge_pages", "/sys/kernel/mm/transparent_hugepage/enabled");
	set_file(machine, "aslr", "/proc/sys/kernel/randomize_va_space");
	json_object_set_new(machine, "cpu_quota", json_real(place_quota(place)));
	return machine;
}

json_t *machine_caches(const struct place *place)
{
	static const struct {
		hwloc_obj_type_t type;
		const char *name;
	} kinds[] = {
		{HWLOC_OBJ_L1CACHE, "Data"},
		{HWLOC_OBJ_L1ICACHE, "Instruction"},
		{HWLOC_OBJ_L2CACHE, "Unified"},
		{HWLOC_OBJ_L3CACHE, "Unified"},
	};
	hwloc_topology_t topology = place_topology(place);
	json_t *caches = json_must(json_array());
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		hwloc_obj_t cache = hwloc_get_obj_by_type(topology, kinds[i].type, 0);

		if (!cache)
			continue;
		json_array_append_new(
			caches,
			json_must(json_pack("{s:s, s:i, s:I, s:i}", "type", kinds[i].name, "level",
					    (int)cache->attr->cache.depth, "size",
					    (json_int_t)cache->attr->cache.size, "num_sharing",
					    hwloc_bitmap_weight(cache->cpuset))));
	}
	return caches;
}

#if defined(__SANITIZE_THREAD__)
#define SANITIZER "thread"
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZER "address"
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZER "thread"
#elif __has_feature(address_sanitizer)
#define SANITIZER "address"
#endif
#endif

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#ifndef SANITIZER
#define SANITIZER NULL
#endif

/* Who answers malloc(): jemalloc, where it is linked. */
#ifdef HAVE_JEMALLOC
#define MALLOC "jemalloc " JEMALLOC_VERSION
#else
#define MALLOC "libc"
#endif

const char *build_type(void)
{
#ifdef NDEBUG
	return "release";
#else
	return "debug";
#endif
}

const char *build_flaw(void)
{
	if (SANITIZER)
		return "has a sanitizer";
#ifndef NDEBUG
	return "checks assertions";
#elif !defined(__OPTIMIZE__)
	return "is not optimised";
#else
	return NULL;
#endif
}

static json_t *library_versions(void)
{
	unsigned hwloc = hwloc_get_api_version();
	char text[64];

	snprintf(text, sizeof(text), "%u.%u.%u", hwloc >> 16, hwloc >> 8 & 0xff, hwloc & 0xff);
	return json_must(json_pack("{s:s, s:s, s:s, s:s, s:s}", "malloc", MALLOC, "liburcu",
				   build_rcu, "hwloc_api", text, "jansson", jansson_version_str(),
				   "libc", gnu_get_libc_version()));
}

json_t *build_describe(void)
{
	bool ndebug = !strcmp(build_type(), "release");

	return json_must(json_pack("{s:s, s:s, s:b, s:s?, s:s, s:s, s:o}", "compiler", COMPILER,
				   "flags", build_flags, "ndebug", ndebug, "sanitizer", SANITIZER,
				   "version", build_version, "revision", build_revision,
				   "libraries", library_versions()));
}
