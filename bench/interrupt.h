/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM ask a run to end early; a second one ends it at once. */
#ifndef BENCH_INTERRUPT_H
#define BENCH_INTERRUPT_H

#include <stdbool.h>

void interrupt_catch(void);
bool interrupt_seen(void);

#endif
