/* SPDX-License-Identifier: MIT */
/* Threads each on a CPU of its own, while something is measured. */
#ifndef BENCH_MICRO_PIN_H
#define BENCH_MICRO_PIN_H

#include <sched.h>

/* CPUs that this process may use. The first call is the main thread's, alone. */
unsigned pin_cpus(void);

/*
 * Bind the calling thread to the @index-th of these, starting over behind the last. It may be the main
 * thread, whose binding the next threads would inherit: so *ret_before is to be given to unpin().
 */
void pin(unsigned index, cpu_set_t *ret_before);
void unpin(const cpu_set_t *before);

#endif
