/* SPDX-License-Identifier: MIT */
/* The value of one slot. */
#ifndef PT_ARCH_PTE_H
#define PT_ARCH_PTE_H

#include <stdbool.h>
#include <stdint.h>

#include "pagetree.h"

typedef uint64_t pte_t;

/* For codecs on the short way of calls on one page, where a call costs registers. */
#define FMT_INLINE inline __attribute__((always_inline))

#endif
