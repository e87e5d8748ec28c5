/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* vasprintf */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "say.h"
#include "table.h"

#define GAP 2 /* blanks between columns, if there is room */

enum { HEAD_LINES = 2 };

struct column {
	char *head[HEAD_LINES];
	bool right;
	size_t width;
};

struct row {
	char *line;   /* over all columns, or */
	char **cells; /* one per column */
};

struct table {
	struct column *columns;
	size_t column_count;
	struct row *rows;
	size_t row_count;
	size_t filled; /* cells of the last row; all if it is complete */
};

/* Columns on the screen: bytes, without those that continue a UTF-8 character. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void widen(struct column *column, const char *text)
{
	size_t width = width_of(text);

	if (width > column->width)
		column->width = width;
}

/* A name of one line stands in the lower one. */
static void set_head(struct column *column, const char *name)
{
	const char *second = strchr(name + 1, '\n');

	column->right = name[0] == '>';
	if (second) {
		column->head[0] = must(strndup(name + 1, (size_t)(second - name - 1)));
		column->head[1] = must(strdup(second + 1));
	} else {
		column->head[0] = must(strdup(""));
		column->head[1] = must(strdup(name + 1));
	}
	widen(column, column->head[0]);
	widen(column, column->head[1]);
}

struct table *table_create(const char *const *columns)
{
	struct table *table = must(calloc(1, sizeof(*table)));
	size_t i;

	while (columns[table->column_count])
		table->column_count++;
	table->columns = must(calloc(table->column_count, sizeof(*table->columns)));
	for (i = 0; i < table->column_count; i++)
		set_head(&table->columns[i], columns[i]);
	table->filled = table->column_count;
	return table;
}

static struct row *add_row(struct table *table)
{
	table->rows = must(reallocarray(table->rows, table->row_count + 1, sizeof(*table->rows)));
	return memset(&table->rows[table->row_count++], 0, sizeof(*table->rows));
}

static char *print_text(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	return must(text);
}

static void add_cell(struct table *table, char *text)
{
	struct row *row;

	if (table->filled == table->column_count) {
		row = add_row(table);
		row->cells = must(calloc(table->column_count, sizeof(*row->cells)));
		table->filled = 0;
	}
	row = &table->rows[table->row_count - 1];
	widen(&table->columns[table->filled], text);
	row->cells[table->filled++] = text;
}

void table_cell(struct table *table, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = print_text(format, args);
	va_end(args);
	add_cell(table, text);
}

void table_skip(struct table *table)
{
	add_cell(table, must(strdup("")));
}

void table_line(struct table *table, const char *format, ...)
{
	va_list args;

	while (table->filled < table->column_count)
		table_skip(table);
	va_start(args, format);
	add_row(table)->line = print_text(format, args);
	va_end(args);
}

/* Blanks are held back until something follows them, so that no line ends with any. */
struct line {
	FILE *out;
	size_t blanks;
};

static void print_cell(struct line *line, const struct column *column, const char *text,
		       unsigned gap)
{
	size_t pad = column->width - width_of(text);

	if (column->right)
		line->blanks += pad;
	if (*text) {
		fprintf(line->out, "%*s%s", (int)line->blanks, "", text);
		line->blanks = 0;
	}
	line->blanks += gap + (column->right ? 0 : pad);
}

static void print_head(const struct table *table, unsigned number, unsigned gap, FILE *out)
{
	struct line line = {out, 0};
	bool empty = true;
	size_t i;

	for (i = 0; i < table->column_count; i++)
		empty = empty && !*table->columns[i].head[number];
	if (empty)
		return;
	for (i = 0; i < table->column_count; i++)
		print_cell(&line, &table->columns[i], table->columns[i].head[number], gap);
	fputc('\n', out);
}

static void print_row(const struct table *table, const struct row *row, unsigned gap, FILE *out)
{
	struct line line = {out, 0};
	size_t i;

	if (row->line)
		fputs(row->line, out);
	for (i = 0; !row->line && i < table->column_count; i++)
		print_cell(&line, &table->columns[i], row->cells[i] ? row->cells[i] : "", gap);
	fputc('\n', out);
}

static size_t full_width(const struct table *table)
{
	size_t width = (table->column_count - 1) * GAP, i;

	for (i = 0; i < table->column_count; i++)
		width += table->columns[i].width;
	return width;
}

void table_print(const struct table *table, FILE *out, bool color)
{
	unsigned width = terminal_width(fileno(out));
	unsigned gap = width && full_width(table) > width ? 1 : GAP;
	size_t i;

	fputs(color ? "\033[1m" : "", out);
	for (i = 0; i < HEAD_LINES; i++)
		print_head(table, (unsigned)i, gap, out);
	fputs(color ? "\033[0m" : "", out);
	for (i = 0; i < table->row_count; i++)
		print_row(table, &table->rows[i], gap, out);
}

void table_destroy(struct table *table)
{
	size_t r, i;

	for (r = 0; r < table->row_count; r++) {
		for (i = 0; table->rows[r].cells && i < table->column_count; i++)
			free(table->rows[r].cells[i]);
		free(table->rows[r].cells);
		free(table->rows[r].line);
	}
	for (i = 0; i < table->column_count; i++) {
		free(table->columns[i].head[0]);
		free(table->columns[i].head[1]);
	}
	free(table->rows);
	free(table->columns);
	free(table);
}
