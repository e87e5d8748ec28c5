/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM ask a run to end early; a second one ends it at once. */
#ifndef BENCH_INTERRUPT_H
#define BENCH_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);

/* Also by signal @number, from one process of a program to another: it does not count as a second. */
void interrupt_catch_also(int number);

bool interrupt_seen(void);

#endif
