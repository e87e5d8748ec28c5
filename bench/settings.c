/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "settings.h"

const char *const operation_names[OP_NR] = {
	[OP_MAP] = "map",
	[OP_UNMAP] = "unmap",
	[OP_QUERY] = "query",
	[OP_PROTECT] = "protect",
};

const char *setting_name(unsigned bit)
{
	static const char *const names[SETTING_NR] = {
		"working-set", "range", "mix", "contention", "dist", "dependent",
	};

	return names[bit];
}

/* `map:20` */
static int parse_share(const char *what, char *word, unsigned mix[OP_NR], bool seen[OP_NR])
{
	char *percent = strchr(word, ':');
	uint64_t share;
	unsigned op;
	int error;

	if (!percent) {
		complain("%s: '%s' is not OPERATION:PERCENT", what, word);
		return -EINVAL;
	}
	*percent++ = 0;
	for (op = 0; op < OP_NR; op++)
		if (!strcmp(word, operation_names[op]))
			break;
	if (op == OP_NR) {
		complain("%s: '%s' is not one of map, unmap, query, protect", what, word);
		return -EINVAL;
	}
	if (seen[op]) {
		complain("%s: %s is named twice", what, word);
		return -EINVAL;
	}
	error = parse_number(what, percent, 0, 100, &share);
	if (error)
		return error;
	seen[op] = true;
	mix[op] = (unsigned)share;
	return 0;
}

int settings_parse_mix(const char *what, const char *text, unsigned ret_mix[OP_NR])
{
	unsigned mix[OP_NR] = {0}, sum = 0, op;
	bool seen[OP_NR] = {false};
	size_t count, i;
	char **words;
	int error;

	error = parse_words(what, text, &words, &count);
	if (error)
		return error;
	for (i = 0; !error && i < count; i++)
		error = parse_share(what, words[i], mix, seen);
	free(words);
	if (error)
		return error;
	for (op = 0; op < OP_NR; op++)
		sum += mix[op];
	if (sum != 100) {
		complain("%s: the shares of '%s' sum to %u, not to 100", what, text, sum);
		return -EINVAL;
	}
	memcpy(ret_mix, mix, sizeof(mix));
	return 0;
}

int settings_parse_contention(const char *what, const char *text, bool *ret_shared)
{
	if (strcmp(text, "low") && strcmp(text, "high")) {
		complain("%s: '%s' is neither low nor high", what, text);
		return -EINVAL;
	}
	*ret_shared = *text == 'h';
	return 0;
}

void settings_override(struct settings *settings, const struct settings *from, unsigned mask)
{
	if (mask & SETTING_WORKING_SET)
		settings->working_set = from->working_set;
	if (mask & SETTING_RANGE)
		settings->range = from->range;
	if (mask & SETTING_MIX)
		memcpy(settings->mix, from->mix, sizeof(settings->mix));
	if (mask & SETTING_CONTENTION)
		settings->shared = from->shared;
	if (mask & SETTING_DIST)
		settings->dist = from->dist;
	if (mask & SETTING_DEPENDENT)
		settings->dependent = from->dependent;
}

struct text {
	char *text;
	size_t size, used;
};

static void append(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct text *t, const char *format, ...)
{
	va_list args;
	int length;

	if (t->used >= t->size)
		return;
	va_start(args, format);
	length = vsnprintf(t->text + t->used, t->size - t->used, format, args);
	va_end(args);
	if (length > 0)
		t->used += (size_t)length;
}

static void print_mix(struct text *t, const unsigned mix[OP_NR], enum settings_style style)
{
	static const char *const before[] = {
		[SETTINGS_NAME] = "/mix:",
		[SETTINGS_TITLE] = ",",
		[SETTINGS_COMMAND] = " --mix ",
	};
	unsigned op;

	append(t, "%s", before[style]);
	for (op = 0; op < OP_NR; op++) {
		if (style == SETTINGS_NAME)
			append(t, "%c%u", operation_names[op][0], mix[op]);
		else if (style == SETTINGS_TITLE)
			append(t, " %s %u", operation_names[op], mix[op]);
		else
			append(t, "%s%s:%u", op ? "," : "", operation_names[op], mix[op]);
	}
}

void settings_print(char *text, size_t size, const struct settings *settings, unsigned mask,
		    enum settings_style style)
{
	/* For each style: before the working set, the range, the contention, the distribution. */
	static const char *const words[][4] = {
		[SETTINGS_NAME] = {"/set:", "/range:", "/contention:", "/dist:"},
		[SETTINGS_TITLE] = {", set ", ", range ", ", contention ", ", "},
		[SETTINGS_COMMAND] = {" --working-set ", " --range ", " --contention ", " --dist "},
	};
	const char *const *word = words[style];
	struct text t = {text, size, 0};
	char buffer[UNITS_TEXT];

	*text = 0;
	if (mask & SETTING_WORKING_SET)
		append(&t, "%s%s", word[0], format_size(buffer, settings->working_set));
	if (mask & SETTING_RANGE)
		append(&t, "%s%s", word[1], format_size(buffer, settings->range));
	if (mask & SETTING_MIX)
		print_mix(&t, settings->mix, style);
	if (mask & SETTING_CONTENTION)
		append(&t, "%s%s", word[2], settings->shared ? "high" : "low");
	if (mask & SETTING_DIST) {
		distribution_name(buffer, &settings->dist);
		if (style == SETTINGS_COMMAND && settings->dist.kind == DIST_ZIPF)
			*strchr(buffer, '-') = ':';
		append(&t, "%s%s", word[3], buffer);
	}
	if (mask & SETTING_DEPENDENT) {
		const char *loads = settings->dependent ? "dependent" : "independent";

		if (style == SETTINGS_NAME)
			append(&t, "/loads:%s", loads);
		else if (style == SETTINGS_TITLE)
			append(&t, ", %s loads", loads);
		else if (settings->dependent)
			append(&t, " --dependent");
	}
}
