/* SPDX-License-Identifier: MIT */
/* What a result depends on besides the code measured. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <jansson.h>
#include <stdint.h>

struct place;

/* CPU, kernel, virtualisation, NUMA, SMT, huge pages, ASLR, and an `id` that depends on them. */
json_t *machine_describe(const struct place *place);

/* The caches, in Google Benchmark's form. */
json_t *machine_caches(const struct place *place);

/* Compiler, flags, assertions, sanitizer, revision and the libraries' versions. */
json_t *build_describe(void);

/* "release" or "debug", as Google Benchmark calls it: are assertions compiled out? */
const char *build_type(void);

/* Why this build's times mean little: assertions, a sanitizer, no optimisation. NULL: they do. */
const char *build_flaw(void);

double machine_mhz(void);

/* Time stolen by the hypervisor since boot, all CPUs, in ms. */
uint64_t machine_steal_ms(void);

#endif
