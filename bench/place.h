/* SPDX-License-Identifier: MIT */
/*
 * Which CPU each thread runs on, as planned by hwloc over the CPUs that this process may use
 * (taskset and cpusets are respected, and a CPU time quota of a control group is known).
 */
#ifndef BENCH_PLACE_H
#define BENCH_PLACE_H

#include <stdbool.h>
#include <stddef.h>

struct place;

/* Names and what they mean, for help and `list`; the last has no name. */
struct place_policy {
	const char *name;
	const char *summary;
};
extern const struct place_policy place_policies[];

/*
 * @policy: compact, scatter, none or list:0,2 (CPU numbers as the system knows them). On error a
 * message has been printed: -EINVAL: bad text or a CPU that is not there; -ENOMEM; -EIO: hwloc
 * failed.
 */
__attribute__((warn_unused_result)) int place_create(const char *policy, struct place **ret_place);
void place_destroy(struct place *place);

/* The policy as text. */
const char *place_name(const struct place *place);

/* CPUs this process may use, by affinity and cpuset. */
unsigned place_cpus(const struct place *place);

/* CPUs' worth of time it may use; place_cpus() unless a quota is lower. */
double place_quota(const struct place *place);

/* One line about the machine as hwloc sees it: packages, cores, CPUs, NUMA nodes. */
void place_describe(const struct place *place, char *text, size_t size);

/* The hwloc topology, an hwloc_topology_t, for what else is to be asked of it. */
void *place_topology(const struct place *place);

/* Most homes that a pool can have. */
#define HOMES_MOST 64

/* NUMA nodes, as homes of node memory: 1..HOMES_MOST. */
unsigned place_homes(const struct place *place);

/* The home that is nearest to `cpu`; 0 for -1. */
unsigned place_home(const struct place *place, int cpu);

/* The set of NUMA nodes, an hwloc_const_nodeset_t, that a home is: one. */
const void *place_nodeset(const struct place *place, unsigned home);

/* Warns, once for each number, if `threads` will have to share CPUs. */
void place_warn_crowded(const struct place *place, unsigned threads);

/*
 * Fill plan[0..threads-1] with CPU numbers, or -1 where the policy is none. Threads beyond the
 * CPUs share them, starting over.
 */
__attribute__((warn_unused_result)) int place_plan(const struct place *place, unsigned threads,
						   int *plan);

/*
 * Bind the calling thread to `cpu` (-1: leave it free) and see that it is there.
 * Return: 0 or a negative errno (-ENOTSUP: the topology is synthetic, nothing was bound).
 */
__attribute__((warn_unused_result)) int place_bind(const struct place *place, int cpu);

/* Does the calling thread run on `cpu`? True for -1. */
bool place_is_on(int cpu);

#endif
