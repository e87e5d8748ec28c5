/* SPDX-License-Identifier: MIT */
/* How this program was built; the build system fills in build_info.c.in. */
#ifndef BENCH_BUILD_H
#define BENCH_BUILD_H

extern const char build_version[];
extern const char build_flags[];
extern const char build_rcu[];
extern const char build_revision[];

#endif
