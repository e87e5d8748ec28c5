/* SPDX-License-Identifier: MIT */
/* What must hold while all threads stand still. */
#ifndef RUN_SETTLE_H
#define RUN_SETTLE_H

#include "worker.h"

/* By the main thread: judge the whole table, and make every page's value exact again. */
void settle(struct arena *a);

/* Unmap everything; then nothing may be lent, and the table be empty. */
void settle_empty(struct arena *a, struct worker *w);

#endif
