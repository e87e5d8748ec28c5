/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>

#define VALUE_CHARS 64

static int compare_calls(const void *left, const void *right)
{
	const struct operation *a = left, *b = right;

	if (a->call != b->call)
		return a->call < b->call ? -1 : 1;
	return a->ret < b->ret ? -1 : a->ret > b->ret;
}

static void say_value(const struct vocabulary *voc, uint64_t value, char *text)
{
	if (voc->value)
		voc->value(voc->ctx, value, text, VALUE_CHARS);
	else
		snprintf(text, VALUE_CHARS, "%" PRIu64, value);
}

static void print_operation(FILE *out, const struct vocabulary *voc, const struct operation *o,
			    uint64_t start)
{
	char value[VALUE_CHARS], before[VALUE_CHARS];

	say_value(voc, o->value, value);
	if (!o->ret) {
		fprintf(out, "  at first    %-12s it was %s\n", "", value);
		return;
	}
	fprintf(out, "  thread %-4u %-12s ", o->thread, voc->names ? voc->names[o->name] : "");
	if (o->kind == HISTORY_CHANGE) {
		say_value(voc, o->before, before);
		fprintf(out, "saw %s and made it %s", before, value);
	} else {
		fprintf(out, "%s %s", o->kind == HISTORY_READ ? "saw" : "made it", value);
	}
	fprintf(out, ", from %" PRIu64 " to %" PRIu64 "\n", o->call - start, o->ret - start);
}

void words_print(FILE *out, const struct vocabulary *voc, struct violation *v)
{
	uint64_t start = 0;

	qsort(v->shown, v->nr_shown, sizeof(v->shown[0]), compare_calls);
	for (unsigned i = 0; i < v->nr_shown && !start; i++)
		start = v->shown[i].ret ? v->shown[i].call : 0;
	fprintf(out, "page %" PRIu32 ": %s\n", v->nr_shown ? v->shown[0].page : 0, v->what);
	for (unsigned i = 0; i < v->nr_shown; i++)
		print_operation(out, voc, &v->shown[i], start);
	if (!v->all_shown)
		fprintf(out, "  and more, which belong to it\n");
}
