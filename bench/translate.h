/* SPDX-License-Identifier: MIT */
/* Queries of a shared area that nobody changes: page i is mapped to frame i. */
#ifndef BENCH_TRANSLATE_H
#define BENCH_TRANSLATE_H

#include "workload.h"

/* Map it; *finding is set if that fails. */
void translate_prepare(struct trial *trial, struct pt_thread *self, struct finding *finding);

/* Compare it with the table; returns the bytes that should be mapped. */
uint64_t translate_verify(struct trial *trial, struct pt_thread *self, struct finding *finding);

/* workload.run */
void translate_run(struct worker *worker);

#endif
