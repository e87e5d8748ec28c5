/* SPDX-License-Identifier: MIT */
/* How many CPUs' worth of time control groups leave to this process. */
#ifndef BENCH_QUOTA_H
#define BENCH_QUOTA_H

/*
 * The lowest quota among the groups of this process and those above them, or `cpus` if there is
 * none below that. @membership: /proc/self/cgroup; @mount: where the hierarchies are mounted.
 */
double quota_cpus(const char *membership, const char *mount, double cpus);

#endif
