/* SPDX-License-Identifier: MIT */
/* A table of text with aligned columns, collected first and printed at once. */
#ifndef BENCH_TEXT_TABLE_H
#define BENCH_TEXT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct table;

/*
 * Columns: "<name" is aligned to the left, ">name" to the right; the last is NULL. A '\n' in a name
 * makes a second header line. Out of memory ends the program (exit 3): nothing useful can follow.
 */
struct table *table_create(const char *const *columns);

/* The next row's next cell. A row ends when it has a cell for each column. */
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An empty cell. */
void table_skip(struct table *table);

/* A line of its own between the rows, as wide as it is. */
void table_line(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * `color`: the header is bold. On a terminal that is too narrow for it the columns move
 * together, and a last column of text is broken into lines; where numbers are last, first words of the first
 * column move into lines of their own.
 */
void table_print(struct table *table, FILE *out, bool color);

void table_destroy(struct table *table);

#endif
