/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "units.h"

#define LIST_MOST 4096u

struct unit {
	const char *name;
	uint64_t factor;
};

/* Smallest first; the first name of a factor is the one that is written. */
static const struct unit time_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", UINT64_C(1000000000)},
	{"m", UINT64_C(60000000000)},
	{"h", UINT64_C(3600000000000)},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1},
	{"KiB", UINT64_C(1) << 10},
	{"k", UINT64_C(1) << 10},
	{"MiB", UINT64_C(1) << 20},
	{"m", UINT64_C(1) << 20},
	{"GiB", UINT64_C(1) << 30},
	{"g", UINT64_C(1) << 30},
	{"TiB", UINT64_C(1) << 40},
	{"t", UINT64_C(1) << 40},
	{"B", 1},
	{NULL, 0},
};

/* Read digits at *text and move behind them; false if there are none or too many. */
static bool take_digits(const char **text, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, 10);
	if (errno)
		return false;
	*text = end;
	return true;
}

int parse_number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *end = text;
	uint64_t value;

	if (!take_digits(&end, &value) || *end) {
		complain("%s: '%s' is not a whole number", what, text);
		return -EINVAL;
	}
	if (value < min || value > max) {
		complain("%s: %s is not in %" PRIu64 "..%" PRIu64, what, text, min, max);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

/* strtod() reads more than is meant here: signs, hexadecimal, "inf", "nan". */
static bool take_fraction(const char **text, double *ret)
{
	size_t digits = strspn(*text, "0123456789.");
	char copy[64], *end;

	if (!digits || digits >= sizeof(copy))
		return false;
	memcpy(copy, *text, digits);
	copy[digits] = 0;
	*ret = strtod(copy, &end);
	if (end == copy || *end)
		return false;
	*text += digits;
	return true;
}

int parse_fraction(const char *what, const char *text, double min, double max, double *ret)
{
	const char *end = text;
	double value;

	if (!take_fraction(&end, &value) || *end) {
		complain("%s: '%s' is not a number", what, text);
		return -EINVAL;
	}
	if (value < min || value > max) {
		complain("%s: %s is not in %g..%g", what, text, min, max);
		return -EINVAL;
	}
	*ret = value;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (!strcasecmp(units->name, name))
			return units;
	return NULL;
}

/* A fraction with a unit; the result must be a whole number of the smallest one. */
static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *ret)
{
	const char *rest = text;
	const struct unit *unit;
	double fraction, value;

	if (!take_fraction(&rest, &fraction))
		return false;
	unit = find_unit(units, rest);
	if (!unit)
		return false;
	/* 1.1 and the like have no exact binary form; what is left of that is far below 0.001. */
	value = fraction * (double)unit->factor;
	if (value >= 0x1p63 || fabs(value - round(value)) > 0.001)
		return false;
	*ret = (uint64_t)round(value);
	return true;
}

static const char *format_with_unit(char *text, uint64_t value, const struct unit *units)
{
	const struct unit *best = units, *u;

	for (u = units; u->name; u++)
		if (value && value % u->factor == 0 && u->factor > best->factor)
			best = u;
	snprintf(text, UNITS_TEXT, "%" PRIu64 "%s", value / best->factor, best->name);
	return text;
}

const char *format_size(char text[UNITS_TEXT], uint64_t bytes)
{
	return format_with_unit(text, bytes, size_units);
}

const char *format_duration(char text[UNITS_TEXT], uint64_t ns)
{
	return format_with_unit(text, ns, time_units);
}

int parse_duration(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *ret_ns)
{
	char low[UNITS_TEXT], high[UNITS_TEXT];
	uint64_t value;

	if (!parse_with_unit(text, time_units, &value)) {
		complain("%s: '%s' is not a duration such as 500ms, 10s or 2m", what, text);
		return -EINVAL;
	}
	if (value < min || value > max) {
		complain("%s: %s is not in %s..%s", what, text, format_duration(low, min),
			 format_duration(high, max));
		return -EINVAL;
	}
	*ret_ns = value;
	return 0;
}

int parse_size(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *ret_bytes)
{
	char low[UNITS_TEXT], high[UNITS_TEXT];
	uint64_t value;

	if (!parse_with_unit(text, size_units, &value)) {
		complain("%s: '%s' is not a size such as 4KiB, 2MiB or 1GiB", what, text);
		return -EINVAL;
	}
	if (value < min || value > max) {
		complain("%s: %s is not in %s..%s", what, text, format_size(low, min),
			 format_size(high, max));
		return -EINVAL;
	}
	*ret_bytes = value;
	return 0;
}

struct list {
	const char *what;
	uint64_t min, max;
	unsigned *numbers;
	size_t count;
};

static int list_add(struct list *list, uint64_t number)
{
	unsigned *grown;
	size_t i;

	if (number < list->min || number > list->max) {
		complain("%s: %" PRIu64 " is not in %" PRIu64 "..%" PRIu64, list->what, number,
			 list->min, list->max);
		return -EINVAL;
	}
	for (i = 0; i < list->count; i++)
		if (list->numbers[i] == number)
			return 0;
	if (list->count == LIST_MOST) {
		complain("%s: more than %u numbers", list->what, LIST_MOST);
		return -EINVAL;
	}
	grown = realloc(list->numbers, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[list->count++] = (unsigned)number;
	list->numbers = grown;
	return 0;
}

/* `7`, `1..8` or `1..64*2` */
static int list_add_part(struct list *list, const char *part)
{
	uint64_t first, last, factor = 1, number;
	const char *rest = part;
	bool good = take_digits(&rest, &first);
	int error = 0;

	last = first;
	if (good && !strncmp(rest, "..", 2)) {
		rest += 2;
		good = take_digits(&rest, &last) && first <= last;
		if (good && *rest == '*') {
			rest++;
			good = take_digits(&rest, &factor) && factor >= 2 && first > 0;
		}
	}
	if (!good || *rest) {
		complain("%s: '%s' is neither a number nor a range such as 1..8 or 1..64*2",
			 list->what, part);
		return -EINVAL;
	}
	for (number = first; !error && number <= last;) {
		error = list_add(list, number);
		if (number == last || number > last / factor)
			break;
		number = factor > 1 ? number * factor : number + 1;
	}
	return error;
}

int parse_words(const char *what, const char *text, char ***ret_words, size_t *ret_count)
{
	size_t length = strlen(text), count = 1, i;
	char **words, *copy;

	for (i = 0; i < length; i++)
		count += text[i] == ',';
	words = malloc(count * sizeof(*words) + length + 1);
	if (!words)
		return -ENOMEM;
	copy = (char *)(words + count);
	memcpy(copy, text, length + 1);
	for (i = 0; i < count; i++) {
		words[i] = strsep(&copy, ",");
		if (!*words[i]) {
			complain("%s: '%s' has an empty element", what, text);
			free(words);
			return -EINVAL;
		}
	}
	*ret_words = words;
	*ret_count = count;
	return 0;
}

int parse_list(const char *what, const char *text, uint64_t min, uint64_t max, unsigned **ret_list,
	       size_t *ret_count)
{
	struct list list = {.what = what, .min = min, .max = max};
	size_t count, i;
	char **words;
	int error;

	error = parse_words(what, text, &words, &count);
	if (error)
		return error;
	for (i = 0; !error && i < count; i++)
		error = list_add_part(&list, words[i]);
	free(words);
	if (error) {
		free(list.numbers);
		return error;
	}
	*ret_list = list.numbers;
	*ret_count = list.count;
	return 0;
}
