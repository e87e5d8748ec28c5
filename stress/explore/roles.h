/* SPDX-License-Identifier: MIT */
/*
 * Tables that share a kernel half, who holds references of them, and CPUs that run on them.
 *
 * The kernel table manages the upper half of the pages, the user table of the scenario the lower one;
 * a call that changes pages goes to the table that manages the first of them, and a thread's gather is
 * the kernel table's. Whoever looks does so through the user table, in either half. A thread may have
 * a user table of its own instead, through which it then looks; it should look in the upper half.
 */
#ifndef EXPLORE_ROLES_H
#define EXPLORE_ROLES_H

#include "oracle.h"
#include "program.h"

#define KERNEL_PAGE (SCENARIO_PAGES / 2) /* the first of the upper half */

/* Create the two tables of a scenario with roles; @config is of a plain one. */
void roles_setup(struct program *program, const struct pt_config *config);

/* State outside the arena: as it is after set-up, back to that. */
void roles_snapshot(void);
void roles_restore(void);

/* The table that @step of thread @t changes, or looks through. */
struct pt_table *roles_table(const struct program *program, const struct step *step, unsigned t);

/* Make the call of @call->step, which makes, gives up or runs on a table. */
void roles_run(struct program *program, struct call *call, unsigned t);

/* The last reference of the scenario's user table has been given back. */
bool roles_user_is_gone(const struct program *program);

/* References are as many as the scenario has left; the tables go. */
void roles_tear_down(struct program *program);

#endif
