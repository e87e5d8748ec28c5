/* SPDX-License-Identifier: MIT */
/*
 * The port of the schedule explorer: every function below is a call into stress/explore, which runs
 * the threads of a scenario as coroutines on one system thread and decides who runs next.
 *
 * All state of the port lives with the explorer, outside the memory that the library gets. So the
 * objects embedded in the library's structures are empty shells, and putting the library's memory
 * back to an earlier state needs no help from the library.
 */
#ifndef PT_PORT_MODEL_H
#define PT_PORT_MODEL_H

#include <stdbool.h>

struct port_thread {
	unsigned unused;
};

struct port_rcu_head {
	void *unused;
};

#define port_rcu_called(head) ((void)(head))

/*
 * Who reads is known from the coroutine that runs, not from @self: the explorer's set-up and
 * tear-down use the handles of the scenario's threads.
 */
void port_rcu_read_lock(struct port_thread *self);
void port_rcu_read_unlock(struct port_thread *self);
void port_rcu_quiescent(struct port_thread *self);

static inline bool port_rcu_read_unlock_quick(struct port_thread *self)
{
	port_rcu_read_unlock(self);
	return true;
}

static inline void port_rcu_wake(struct port_thread *self)
{
	(void)self;
}

/*
 * A waiter is not scheduled until a location that its condition has loaded changes its value, so
 * spinning costs no schedules, and nobody left to run is a deadlock.
 */
#define port_wait_until(cond)                      \
	do {                                       \
		port_model_wait_begin();           \
		while (!(cond))                    \
			port_model_wait_blocked(); \
		port_model_wait_end();             \
	} while (0)

void port_model_wait_begin(void);
void port_model_wait_blocked(void);
void port_model_wait_end(void);

/* The search may make memory run out. */
bool port_alloc_fails(void);

void port_poison(void *addr, size_t bytes);
void port_unpoison(void *addr, size_t bytes);
void port_ignore(void *addr, size_t bytes);
void port_describe(const char *name, void *base, size_t stride, size_t count);

#endif
