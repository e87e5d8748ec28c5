/* SPDX-License-Identifier: MIT */
#ifndef EXPLORE_CALLS_H
#define EXPLORE_CALLS_H

#include "program.h"

/* Thread @t is about to begin. */
void calls_begin(struct program *program, unsigned t);

/* Run @steps as thread @t and write down what they do. Return: how many there are. */
unsigned calls_run(struct program *program, const struct step *steps, struct call *calls,
		   unsigned t, char (*text)[64]);

/* What @mapping says about @va is the result of @call. */
void call_set_mapping(struct call *call, pt_va_t va, const struct pt_mapping *mapping);

/* "map pages 0..3 to frame 4" */
void step_text(const struct step *step, char *text, size_t size);

#endif
