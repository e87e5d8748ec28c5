/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* sched_getcpu */
#include <errno.h>
#include <hwloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"
#include "quota.h"
#include "say.h"
#include "units.h"

enum policy { POLICY_COMPACT, POLICY_SCATTER, POLICY_NONE, POLICY_LIST };

const struct place_policy place_policies[] = {
	[POLICY_COMPACT] = {"compact", "neighbouring CPUs first"},
	[POLICY_SCATTER] = {"scatter", "as far apart as the machine allows"},
	[POLICY_NONE] = {"none", "not bound"},
	[POLICY_LIST] = {"list:0,2", "on these CPUs, in this order"},
	{NULL, NULL},
};

struct place {
	enum policy policy;
	char *name;
	hwloc_topology_t topology;
	bool real; /* the topology is that of this machine, so that threads can be bound */
	unsigned cpus;
	double quota;
	unsigned *list;
	size_t list_count;
};

static int load_with(hwloc_topology_t *ret_topology, unsigned long flags)
{
	hwloc_topology_t topology;

	if (hwloc_topology_init(&topology))
		return -EIO;
	if (hwloc_topology_set_flags(topology, flags) || hwloc_topology_load(topology)) {
		hwloc_topology_destroy(topology);
		return -EIO;
	}
	*ret_topology = topology;
	return 0;
}

static int load_topology(struct place *place)
{
	/* Without these the affinity this process was started with would be overruled. */
	unsigned long flags =
		HWLOC_TOPOLOGY_FLAG_RESTRICT_TO_CPUBINDING | HWLOC_TOPOLOGY_FLAG_IS_THISSYSTEM;
	int error = load_with(&place->topology, 0);

	/* A machine described by hwloc's own variables is planned on, but not bound to. */
	if (!error && hwloc_topology_is_thissystem(place->topology)) {
		hwloc_topology_destroy(place->topology);
		place->topology = NULL;
		place->real = true;
		error = load_with(&place->topology, flags);
	}
	if (error)
		return error;
	place->cpus = (unsigned)hwloc_get_nbobjs_by_type(place->topology, HWLOC_OBJ_PU);
	place->quota = place->cpus;
	if (place->real)
		place->quota = quota_cpus("/proc/self/cgroup", "/sys/fs/cgroup", place->cpus);
	return place->cpus ? 0 : -EIO;
}

static int parse_policy(struct place *place, const char *text)
{
	unsigned i;

	place->name = strdup(text);
	if (!place->name)
		return -ENOMEM;
	if (!strncmp(text, "list:", 5)) {
		place->policy = POLICY_LIST;
		return parse_list("--place", text + 5, 0, 65535, &place->list, &place->list_count);
	}
	for (i = 0; i < POLICY_LIST; i++) {
		if (!strcmp(text, place_policies[i].name)) {
			place->policy = (enum policy)i;
			return 0;
		}
	}
	complain("--place: '%s' is not one of compact, scatter, none, list:CPU,...", text);
	return -EINVAL;
}

static int check_list(const struct place *place)
{
	size_t i;

	for (i = 0; i < place->list_count; i++) {
		char allowed[256];

		if (hwloc_get_pu_obj_by_os_index(place->topology, place->list[i]))
			continue;
		hwloc_bitmap_list_snprintf(allowed, sizeof(allowed),
					   hwloc_topology_get_topology_cpuset(place->topology));
		complain("--place: no CPU %u here; this process may use %s", place->list[i],
			 allowed);
		return -EINVAL;
	}
	return 0;
}

int place_create(const char *policy, struct place **ret_place)
{
	struct place *place = calloc(1, sizeof(*place));
	int error;

	if (!place)
		return -ENOMEM;
	error = parse_policy(place, policy);
	if (!error) {
		error = load_topology(place);
		if (error)
			complain("hwloc cannot read the topology of this machine");
	}
	if (!error)
		error = check_list(place);
	if (error) {
		place_destroy(place);
		return error;
	}
	if (!place->real)
		warn("the topology is not that of this machine, threads and memory are not bound");
	*ret_place = place;
	return 0;
}

void place_destroy(struct place *place)
{
	if (place->topology)
		hwloc_topology_destroy(place->topology);
	free(place->list);
	free(place->name);
	free(place);
}

const char *place_name(const struct place *place)
{
	return place->name;
}

unsigned place_cpus(const struct place *place)
{
	return place->cpus;
}

double place_quota(const struct place *place)
{
	return place->quota;
}

void *place_topology(const struct place *place)
{
	return place->topology;
}

unsigned place_homes(const struct place *place)
{
	int nodes = hwloc_get_nbobjs_by_type(place->topology, HWLOC_OBJ_NUMANODE);

	return nodes < 1 ? 1 : nodes > HOMES_MOST ? HOMES_MOST : (unsigned)nodes;
}

unsigned place_home(const struct place *place, int cpu)
{
	unsigned homes = place_homes(place), home;

	for (home = 0; cpu >= 0 && home < homes; home++) {
		hwloc_obj_t node = hwloc_get_obj_by_type(place->topology, HWLOC_OBJ_NUMANODE, home);

		if (node && hwloc_bitmap_isset(node->cpuset, (unsigned)cpu))
			return home;
	}
	return 0;
}

const void *place_nodeset(const struct place *place, unsigned home)
{
	return hwloc_get_obj_by_type(place->topology, HWLOC_OBJ_NUMANODE, home)->nodeset;
}

static unsigned count_objects(const struct place *place, hwloc_obj_type_t type)
{
	int count = hwloc_get_nbobjs_by_type(place->topology, type);

	return count > 0 ? (unsigned)count : 0;
}

void place_describe(const struct place *place, char *text, size_t size)
{
	snprintf(text, size, "packages %u, cores %u, CPUs %u, NUMA nodes %u",
		 count_objects(place, HWLOC_OBJ_PACKAGE), count_objects(place, HWLOC_OBJ_CORE),
		 place->cpus, count_objects(place, HWLOC_OBJ_NUMANODE));
}

void place_warn_crowded(const struct place *place, unsigned threads)
{
	unsigned cpus = place->policy == POLICY_LIST ? (unsigned)place->list_count : place->cpus;

	if (threads > cpus)
		warn("%u threads share %u CPU%s: their times tell little", threads, cpus,
		     cpus > 1 ? "s" : "");
	else if ((double)threads > place->quota)
		warn("%u threads, but this control group may use the time of %.2g CPUs only",
		     threads, place->quota);
}

/* hwloc spreads `threads` sets evenly over the machine; of each set one CPU is taken. */
static int plan_scatter(const struct place *place, unsigned threads, int *plan)
{
	hwloc_obj_t root = hwloc_get_root_obj(place->topology);
	hwloc_cpuset_t *sets = calloc(threads, sizeof(*sets));
	unsigned i;
	int error;

	if (!sets)
		return -ENOMEM;
	error = hwloc_distrib(place->topology, &root, 1, sets, threads, INT_MAX, 0) ? -EIO : 0;
	for (i = 0; i < threads && sets[i]; i++) {
		plan[i] = hwloc_bitmap_first(sets[i]);
		hwloc_bitmap_free(sets[i]);
	}
	free(sets);
	return error;
}

int place_plan(const struct place *place, unsigned threads, int *plan)
{
	/* Sets of more threads than CPUs overlap: spread over the CPUs once, then start over. */
	unsigned spread = threads < place->cpus ? threads : place->cpus;
	unsigned i;
	int error = 0;

	if (place->policy == POLICY_SCATTER)
		error = plan_scatter(place, spread, plan);
	for (i = 0; !error && i < threads; i++) {
		switch (place->policy) {
		case POLICY_COMPACT:
			plan[i] = (int)hwloc_get_obj_by_type(place->topology, HWLOC_OBJ_PU,
							     i % place->cpus)
					  ->os_index;
			break;
		case POLICY_SCATTER:
			plan[i] = plan[i % spread];
			break;
		case POLICY_LIST:
			plan[i] = (int)place->list[i % place->list_count];
			break;
		case POLICY_NONE:
			plan[i] = -1;
			break;
		}
	}
	return error;
}

bool place_is_on(int cpu)
{
	return cpu < 0 || sched_getcpu() == cpu;
}

int place_bind(const struct place *place, int cpu)
{
	hwloc_cpuset_t set;
	int error = 0;

	if (cpu < 0)
		return 0;
	if (!place->real)
		return -ENOTSUP;
	set = hwloc_bitmap_alloc();
	if (!set || hwloc_bitmap_only(set, (unsigned)cpu))
		error = -ENOMEM;
	else if (hwloc_set_cpubind(place->topology, set,
				   HWLOC_CPUBIND_THREAD | HWLOC_CPUBIND_STRICT))
		error = errno ? -errno : -EIO;
	else if (!place_is_on(cpu))
		error = -EIO;
	hwloc_bitmap_free(set);
	return error;
}
