/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fields.h"

static int digit_of(char c, enum field_base base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == FIELD_HEX && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (base == FIELD_HEX && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool parse_digits(const char **at, enum field_base base, uint64_t *ret)
{
	const char *p = *at;
	uint64_t n = 0;
	int digit;

	for (; (digit = digit_of(*p, base)) >= 0; p++) {
		if (n > (UINT64_MAX - (unsigned)digit) / base)
			return false;
		n = n * base + (unsigned)digit;
	}
	if (p == *at)
		return false;
	*at = p;
	*ret = n;
	return true;
}

bool field_number(const char *text, enum field_base base, uint64_t *ret)
{
	uint64_t n;

	if (!parse_digits(&text, base, &n) || *text)
		return false;
	*ret = n;
	return true;
}

bool field_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

bool field_after(const char **at, const char *word, enum field_base base, uint64_t *ret)
{
	const char *p = *at;

	if (!field_word(&p, word) || !parse_digits(&p, base, ret))
		return false;
	*at = p;
	return true;
}

unsigned field_split(char *line, char separator, char **column, unsigned max)
{
	unsigned n = 0;

	for (;;) {
		char *end = strchr(line, separator);

		if (n < max)
			column[n] = line;
		n++;
		if (!end)
			return n;
		*end = '\0';
		line = end + 1;
	}
}
