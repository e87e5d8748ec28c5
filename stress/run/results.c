/* SPDX-License-Identifier: MIT */
#include "results.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "must.h"

struct results {
	const struct run_options *options;
	char *command;
	size_t cases, done, failed;
	double seconds;
	FILE *junit, *tap;
	/* What JUnit has of the cases that are done: their sums come first. */
	char *body;
	size_t body_bytes;
	FILE *body_file;
};

static FILE *open_file(const char *name)
{
	FILE *file = fopen(name, "w");

	if (!file)
		complain("cannot write %s: %s", name, strerror(errno));
	return file;
}

/* One would write over the other. */
static bool same_file(FILE *one, FILE *other)
{
	struct stat a, b;

	return one && other && !fstat(fileno(one), &a) && !fstat(fileno(other), &b) &&
	       S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

struct results *results_open(const struct run_options *options, const char *command, size_t cases)
{
	struct results *r = must(calloc(1, sizeof(*r)));

	r->options = options;
	r->command = must(strdup(command));
	r->cases = cases;
	r->body_file = must(open_memstream(&r->body, &r->body_bytes));
	if ((options->junit && !(r->junit = open_file(options->junit))) ||
	    (options->tap && !(r->tap = open_file(options->tap))))
		return NULL;
	if (same_file(r->junit, r->tap)) {
		complain("--junit and --tap name the same file: %s", options->tap);
		return NULL;
	}
	if (r->tap)
		fprintf(r->tap, "TAP version 13\n1..%zu\n# %s\n", cases, command);
	return r;
}

/* ---- JUnit ---- */

static void write_escaped(FILE *file, const char *text)
{
	for (; *text; text++)
		if (*text == '&' || *text == '<' || *text == '>' || *text == '"')
			fprintf(file, "&#%d;", *text);
		else
			fputc(*text, file);
}

static void write_property(FILE *file, const char *name, const char *value)
{
	fprintf(file, "    <property name=\"%s\" value=\"", name);
	write_escaped(file, value);
	fprintf(file, "\"/>\n");
}

/* Of a case that did not end the program may be unable to say anything later: it is said before. */
static void write_open_case(struct results *r, const char *name, const char *replay)
{
	fprintf(r->junit,
		"  <testcase classname=\"ptstress run\" name=\"%s\" time=\"0\">\n"
		"    <error message=\"the program ended within this case\">",
		name);
	write_escaped(r->junit, replay);
	fprintf(r->junit, "</error>\n  </testcase>\n");
}

/* @open: the case that runs, or NULL. */
static void write_junit(struct results *r, const char *open, const char *replay)
{
	char seed[24];

	fflush(r->body_file);
	snprintf(seed, sizeof(seed), "%" PRIu64, r->options->seed);
	fprintf(r->junit,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"ptstress run\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" "
		"skipped=\"%d\" time=\"%.3f\">\n  <properties>\n",
		r->done + (open != NULL), r->failed, open != NULL, !open && r->done < r->cases,
		r->seconds);
	write_property(r->junit, "command", r->command);
	write_property(r->junit, "seed", seed);
	fprintf(r->junit, "  </properties>\n%s", r->body);
	if (open)
		write_open_case(r, open, replay);
	fprintf(r->junit, "</testsuite>\n");
}

/* To the file's beginning; false: it is no file, and is written once, in the end. */
static bool begin_anew(FILE *file)
{
	return !fseeko(file, 0, SEEK_SET) && !ftruncate(fileno(file), 0);
}

static void write_failure(struct results *r, const struct result *of)
{
	fprintf(r->body_file, ">\n    <failure message=\"");
	write_escaped(r->body_file, of->headline);
	fprintf(r->body_file, "\">");
	write_escaped(r->body_file, of->text);
	write_escaped(r->body_file, of->replay);
	fprintf(r->body_file, "</failure>\n  </testcase>\n");
}

/* Who reads the file must not take it for the whole. */
static void write_rest(struct results *r, const char *why)
{
	fprintf(r->body_file,
		"  <testcase classname=\"ptstress run\" name=\"%zu more\" time=\"0\">"
		"<skipped message=\"%s\"/></testcase>\n",
		r->cases - r->done, why);
}

/* ---- cases ---- */

void results_begin(struct results *r, const char *name, const char *replay)
{
	if (!r->junit || !begin_anew(r->junit))
		return;
	write_junit(r, name, replay);
	fflush(r->junit);
}

void results_end(struct results *r, const struct result *of)
{
	r->done++;
	r->failed += of->failed;
	r->seconds += of->seconds;
	fprintf(r->body_file, "  <testcase classname=\"ptstress run\" name=\"%s\" time=\"%.3f\"",
		of->name, of->seconds);
	if (of->failed)
		write_failure(r, of);
	else
		fprintf(r->body_file, "/>\n");
	if (!r->tap)
		return;
	fprintf(r->tap, "%sok %zu - %s\n", of->failed ? "not " : "", r->done, of->name);
	if (of->failed)
		fprintf(r->tap, "# %s\n# %s", of->headline, of->replay);
	fflush(r->tap);
}

static bool close_file(FILE *file, const char *name)
{
	if (!file || (!fflush(file) && !ferror(file) && !fclose(file)))
		return true;
	complain("cannot write %s: %s", name, strerror(errno));
	return false;
}

bool results_close(struct results *r, const char *why)
{
	bool written;

	if (r->done < r->cases)
		write_rest(r, why);
	if (r->junit) {
		(void)begin_anew(r->junit);
		write_junit(r, NULL, NULL);
	}
	if (r->tap && r->done < r->cases)
		fprintf(r->tap, "Bail out! The rest was not run: %s\n", why);
	written = close_file(r->junit, r->options->junit);
	written &= close_file(r->tap, r->options->tap);
	fclose(r->body_file);
	free(r->body);
	free(r->command);
	free(r);
	return written;
}
