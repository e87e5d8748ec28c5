/* SPDX-License-Identifier: MIT */
/* All that a table holds, to be compared. */
#ifndef DIFFERENTIAL_CONTENT_H
#define DIFFERENTIAL_CONTENT_H

#include <stdio.h>

#include "pagetree.h"

struct content {
	struct pt_mapping *slots; /* of the whole table, ascending */
	size_t n, room;
	struct pt_check_report report;
	int64_t tracked; /* base pages of tracked leaves */
};

void content_free(struct content *c);

/* Take it anew, and check the shape. False: no memory, or a call failed. */
bool content_take(struct content *c, struct pt_thread *self, struct pt_table *table);

/*
 * @exact: also where holes and marks are cut, and how many nodes there are. Else what each page
 * holds. Prints the first difference, if @out is not NULL.
 */
bool content_equal(const struct content *a, const struct content *b, bool exact, FILE *out,
		   const char *a_name, const char *b_name);

#endif
