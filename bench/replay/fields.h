/* SPDX-License-Identifier: MIT */
/* Strict reading of the fields of a line: no blanks, signs or overflow are let through. */
#ifndef REPLAY_FIELDS_H
#define REPLAY_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

enum field_base {
	FIELD_DECIMAL = 10,
	FIELD_HEX = 16, /* without 0x */
};

/* The whole of @text is one number. */
bool field_number(const char *text, enum field_base base, uint64_t *ret);

/* *@at begins with @word: step over it. */
bool field_word(const char **at, const char *word);

/* *@at begins with @word and a number: step over both. *@at is unchanged where it does not. */
bool field_after(const char **at, const char *word, enum field_base base, uint64_t *ret);

/*
 * Cut @line at each @separator. Return: the number of columns, of which the first @max are in
 * @column.
 */
unsigned field_split(char *line, char separator, char **column, unsigned max);

#endif
