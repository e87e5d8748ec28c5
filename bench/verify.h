/* SPDX-License-Identifier: MIT */
/* Looking at a table after a run, page by page. */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

#include "workload.h"

/*
 * The entry at `va` (see entry_make()), as the strategy's query and the hardware's walk find it: if
 * they do not agree, the finding is set.
 */
uint64_t verify_read(const struct trial *trial, struct pt_thread *self, pt_va_t va,
		     struct finding *finding);

/* It should be `expected`. */
void verify_page(const struct trial *trial, struct pt_thread *self, pt_va_t va, uint64_t expected,
		 struct finding *finding);

#endif
