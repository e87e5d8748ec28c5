/* SPDX-License-Identifier: MIT */
/* Lists in options. */
#ifndef STRESS_LIST_H
#define STRESS_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Is @name in the comma-separated @list, or is that "all"? */
bool list_has(const char *list, const char *name);

/* Is every name of the list known? Else says which is not. */
bool list_check(const char *what, const char *list, bool (*known)(const char *name));

/*
 * Numbers such as 1,4..7, each below @end: ret_has[i] is whether i is one of them. False: malformed,
 * or too large.
 */
bool list_numbers(const char *list, size_t end, bool *ret_has);

#endif
