/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* vasprintf */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "say.h"
#include "text_table.h"

#define GAP 2         /* blanks between columns, if there is room */
#define TEXT_LEAST 20 /* of a last column that is broken into lines */

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

/* Where the last column begins. */
static size_t last_start(const struct table *table, unsigned gap)
{
	size_t start = (table->column_count - 1) * gap, i;

	for (i = 0; i + 1 < table->column_count; i++)
		start += table->columns[i].width;
	return start;
}

/* Words of the last column in as many lines as they need, each from where the first begins. */
static void print_wrapped(const char *text, size_t start, unsigned width, FILE *out)
{
	size_t indent = strspn(text, " "), used = start + indent;
	bool first = true;

	fprintf(out, "%*s", (int)indent, "");
	for (text += indent; *text; text += strspn(text, " ")) {
		size_t bytes = strcspn(text, " ");

		if (!first && used + 1 + bytes > width) {
			fprintf(out, "\n%*s", (int)(start + indent), "");
			used = start + indent;
			first = true;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", (int)bytes, text);
		used += !first + bytes;
		first = false;
		text += bytes;
	}
}

/* @width: of the terminal; 0: there is none, or what is too long may run over its edge. */
static void print_row(const struct table *table, const struct row *row, unsigned gap,
		      unsigned width, FILE *out)
{
	size_t last = table->column_count - 1, i;
	struct line line = {out, 0};

	if (row->line)
		fputs(row->line, out);
	for (i = 0; !row->line && i < table->column_count; i++) {
		const char *text = row->cells[i] ? row->cells[i] : "";

		if (i == last && width && *text) {
			fprintf(out, "%*s", (int)line.blanks, "");
			print_wrapped(text, last_start(table, gap), width, out);
		} else {
			print_cell(&line, &table->columns[i], text, gap);
		}
	}
	fputc('\n', out);
}

/* ---- a first column in two ---- */

#define INDENT 1

/* The words behind the first of a first cell; NULL if it has one only. */
static const char *second_word(const struct row *row)
{
	const char *blank = row->line ? NULL : strchr(row->cells[0], ' ');

	return blank ? blank + 1 : NULL;
}

/* How wide the first column is if first words stand in lines of their own. */
static size_t stacked_width(const struct table *table)
{
	const struct column *first = &table->columns[0];
	size_t most = width_of(first->head[0]), width = width_of(first->head[1]), i;

	for (i = 0; i < table->row_count; i++) {
		const char *rest = second_word(&table->rows[i]);

		most = width > most ? width : most;
		if (!table->rows[i].line)
			width = rest ? INDENT + width_of(rest) : width_of(table->rows[i].cells[0]);
	}
	return width > most ? width : most;
}

/* Print the first word in a line of its own, unless it is that of the @before, and leave the rest. */
static void stack_row(struct row *row, char **before, FILE *out)
{
	const char *rest = second_word(row);
	char *cell = row->line ? NULL : row->cells[0];

	if (rest) {
		size_t bytes = (size_t)(rest - cell) - 1;
		char *word = must(strndup(cell, bytes));

		if (!*before || strcmp(*before, word))
			fprintf(out, "%s\n", word);
		free(*before);
		*before = word;
		memset(cell, ' ', INDENT);
		memmove(cell + INDENT, rest, strlen(rest) + 1);
	} else if (cell) {
		free(*before);
		*before = NULL;
	}
}

void table_print(struct table *table, FILE *out, bool color)
{
	unsigned width = terminal_width(fileno(out));
	const struct column *last = &table->columns[table->column_count - 1];
	bool narrow = width && last_start(table, GAP) + last->width > width;
	unsigned gap = narrow ? 1 : GAP;
	bool stacked = false;
	char *before = NULL;
	size_t i;

	if (narrow && last->right && !table->columns[0].right &&
	    last_start(table, gap) + last->width > width) {
		stacked = true;
		table->columns[0].width = stacked_width(table);
	}
	/* Text may be broken, where some of it fits into a line; numbers may not. */
	if (!narrow || last->right || last_start(table, gap) + TEXT_LEAST > width)
		width = 0;

	fputs(color ? "\033[1m" : "", out);
	for (i = 0; i < HEAD_LINES; i++)
		print_head(table, (unsigned)i, gap, out);
	fputs(color ? "\033[0m" : "", out);
	for (i = 0; i < table->row_count; i++) {
		if (stacked)
			stack_row(&table->rows[i], &before, out);
		print_row(table, &table->rows[i], gap, width, out);
	}
	free(before);
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
