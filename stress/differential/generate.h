/* SPDX-License-Identifier: MIT */
/* Random programs. The same arguments make the same program. */
#ifndef DIFFERENTIAL_GENERATE_H
#define DIFFERENTIAL_GENERATE_H

#include "call.h"

/*
 * One thread: any calls, on the same few pages. More: each thread keeps to pages of its own, so that
 * whatever order the calls come in, they do the same; but the areas share tables at their edges, and
 * some calls that change no page meet pages of all.
 * @calls: of each thread.
 */
void generate(struct program *p, const struct pt_format_info *format, unsigned threads,
	      unsigned calls, uint64_t seed, uint64_t number);

#endif
