/* SPDX-License-Identifier: MIT */
/*
 * Coroutines on stacks of their own. Stacks lie at fixed addresses, so that pointers into them are
 * the same in each run, and below each is a page that cannot be touched.
 */
#ifndef EXPLORE_COROUTINE_H
#define EXPLORE_COROUTINE_H

struct coroutine {
	void *sp;
	void *stack_top;
};

/* Reserve the stacks. Return: 0 or a negative errno. */
int coroutine_setup(struct coroutine *all, unsigned count);

/* Let @c begin anew in @entry, which never returns, when it is switched to next. */
void coroutine_reset(struct coroutine *c, void (*entry)(void));

/* Save where we are in @from and continue @to. */
void coroutine_switch(struct coroutine *from, struct coroutine *to);

#endif
