/* SPDX-License-Identifier: MIT */
/* The value of one slot. */
#ifndef PT_ARCH_PTE_H
#define PT_ARCH_PTE_H

#include <stdbool.h>
#include <stdint.h>

#include "pagetree.h"

typedef uint64_t pte_t;

#endif
