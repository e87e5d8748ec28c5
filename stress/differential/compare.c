/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <string.h>

#define TRIES 60 /* of threads, which may not meet again at once */

static size_t different_result(const struct pair *p)
{
	for (size_t i = 0; i < p->program->n; i++)
		if (p->keep[i] && !result_equal(&p->want->results[i], &p->got->results[i]))
			return i;
	return p->program->n;
}

static bool outcomes_equal(const struct pair *p)
{
	if (p->got->failed || different_result(p) < p->program->n ||
	    p->want->references != p->got->references)
		return false;
	for (unsigned i = 0; i < NR_TABLES; i++)
		if (!content_equal(&p->want->content[i], &p->got->content[i], !p->threads, NULL,
				   NULL, NULL))
			return false;
	return true;
}

enum comparison compare_reference(struct pair *p)
{
	if (subject_run(p->reference, p->program, p->keep, false, p->want))
		return COMPARE_FAILED;
	return p->want->failed ? COMPARE_DIFFERENT : COMPARE_EQUAL;
}

enum comparison compare_other(struct pair *p)
{
	if (subject_run(p->other, p->program, p->keep, p->threads, p->got))
		return COMPARE_FAILED;
	return outcomes_equal(p) ? COMPARE_EQUAL : COMPARE_DIFFERENT;
}

/* ---- shrinking ---- */

/* Do they still differ? Then the outcomes show how. */
static bool differs(struct pair *p)
{
	enum comparison reference = compare_reference(p);

	if (reference != COMPARE_EQUAL)
		return reference == COMPARE_DIFFERENT;
	for (unsigned i = 0; i < (p->threads ? TRIES : 1); i++)
		if (compare_other(p) == COMPARE_DIFFERENT)
			return true;
	return false;
}

/* Leave out [at, at + length) of the calls kept. */
static bool try_without(struct pair *p, size_t at, size_t length)
{
	bool before[MAX_CALLS];
	size_t seen = 0, out = 0;

	memcpy(before, p->keep, sizeof(before));
	for (size_t i = 0; i < p->program->n; i++) {
		if (!p->keep[i])
			continue;
		if (seen >= at && seen < at + length) {
			p->keep[i] = false;
			out++;
		}
		seen++;
	}
	if (out && differs(p))
		return true;
	memcpy(p->keep, before, sizeof(before));
	return false;
}

static size_t kept(const struct pair *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->program->n; i++)
		n += p->keep[i];
	return n;
}

void compare_shrink(struct pair *p)
{
	for (size_t length = kept(p) / 2; length; length /= 2) {
		bool again = true;

		while (again) {
			again = false;
			for (size_t at = 0; at < kept(p);)
				if (try_without(p, at, length))
					again = length == 1;
				else
					at += length;
		}
	}
	/* The outcomes of the last attempt are of other calls. */
	for (unsigned i = 0; i < 10 && !differs(p); i++)
		;
}

/* ---- in words ---- */

static void print_table(const struct pair *p, unsigned table, FILE *out)
{
	const struct content *want = &p->want->content[table], *got = &p->got->content[table];

	if (content_equal(want, got, !p->threads, NULL, NULL, NULL))
		return;
	fprintf(out, "  the %s table differs:\n", table ? "second" : "first");
	content_equal(want, got, !p->threads, out, p->reference->name, p->other->name);
}

static void print_result(const struct pair *p, size_t i, FILE *out)
{
	fprintf(out, "  call %zu returned\n    by %s: ", i, p->reference->name);
	result_print(out, &p->want->results[i]);
	fprintf(out, "\n    by %s: ", p->other->name);
	result_print(out, &p->got->results[i]);
	fprintf(out, "\n");
}

void compare_print(const struct pair *p, FILE *out)
{
	size_t first = different_result(p);

	if (p->want->failed)
		fprintf(out, "  by %s: %s\n", p->reference->name, p->want->failed);
	else if (p->got->failed)
		fprintf(out, "  by %s: %s\n", p->other->name, p->got->failed);
	if (!p->want->failed) {
		if (first < p->program->n)
			print_result(p, first, out);
		for (unsigned i = 0; i < NR_TABLES; i++)
			print_table(p, i, out);
	}
	fprintf(out, "  the calls, %zu of %zu:\n", kept(p), p->program->n);
	for (size_t i = 0; i < p->program->n; i++) {
		if (!p->keep[i])
			continue;
		fprintf(out, "    %3zu  ", i);
		call_print(out, &p->program->calls[i]);
		fprintf(out, "\n");
	}
}
