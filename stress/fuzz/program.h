/* SPDX-License-Identifier: MIT */
#ifndef PT_STRESS_FUZZ_PROGRAM_H
#define PT_STRESS_FUZZ_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Run bytes as a program: which pair, which tables one after the other, and on each which calls with
 * which arguments. Aborts when the table and the model disagree, or something leaks.
 */
void fuzz_program(const uint8_t *bytes, size_t size);

#endif
