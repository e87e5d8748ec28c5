/* SPDX-License-Identifier: MIT */
/* The lists of scenarios, by theme; each ends with one that has no name. */
#ifndef EXPLORE_SCENARIOS_H
#define EXPLORE_SCENARIOS_H

struct scenario;

extern const struct scenario scenarios_build[];
extern const struct scenario scenarios_remove[];
extern const struct scenario scenarios_cursor[];
extern const struct scenario scenarios_hardware[];
extern const struct scenario scenarios_lock[];
extern const struct scenario scenarios_range[];
extern const struct scenario scenarios_tables[];
extern const struct scenario scenarios_upkeep[];
extern const struct scenario scenarios_pool[];
extern const struct scenario scenarios_role[];
extern const struct scenario scenarios_frame[];
extern const struct scenario scenarios_stats[];
extern const struct scenario scenarios_apart[];

#endif
