/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "must.h"
#include "report.h"
#include "verdict.h"

#define LINE 1024

struct report {
	const struct run_options *options;
	size_t cases, passed, failed;
	uint64_t ops, ns;
	FILE *junit, *tap;
	/* JUnit wants the sums first. */
	char *body;
	size_t body_bytes;
	FILE *body_file;
};

static void join(char *text, size_t size, const struct names *n)
{
	text[0] = 0;
	for (size_t i = 0; i < n->count; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? "," : "",
			 n->words[i]);
}

static void all_parameters(const struct run_options *o, char *text, size_t size)
{
	char strategies[128], formats[128], pages[128], threads[256] = "", rest[LINE];

	join(strategies, sizeof(strategies), &o->strategies);
	join(formats, sizeof(formats), &o->formats);
	join(pages, sizeof(pages), &o->pages);
	for (size_t i = 0; i < o->nr_threads; i++)
		snprintf(threads + strlen(threads), sizeof(threads) - strlen(threads), "%s%u",
			 i ? "," : "", o->threads[i]);
	run_options_text(o, rest, sizeof(rest));
	snprintf(text, size, "ptstress run --strategy %s --format %s --pages %s --threads %s %s",
		 strategies, formats, pages, threads, rest);
}

void report_replay(const struct run_options *options, const struct run_case *c, char *text,
		   size_t size)
{
	char rest[LINE];

	run_options_text(options, rest, sizeof(rest));
	snprintf(text, size,
		 "replay: ptstress run --strategy %s --format %s --pages %s --threads %u %.400s\n",
		 c->strategy, c->format, c->pages, c->threads, rest);
}

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

struct report *report_open(const struct run_options *options, size_t cases)
{
	struct report *r = must(calloc(1, sizeof(*r)));
	char line[2 * LINE];

	r->options = options;
	r->cases = cases;
	r->body_file = must(open_memstream(&r->body, &r->body_bytes));
	if ((options->junit && !(r->junit = open_file(options->junit))) ||
	    (options->tap && !(r->tap = open_file(options->tap))))
		return NULL;
	if (same_file(r->junit, r->tap)) {
		complain("--junit and --tap name the same file: %s", options->tap);
		return NULL;
	}
	all_parameters(options, line, sizeof(line));
	printf("%s: %zu case%s\n", line, cases, cases == 1 ? "" : "s");
	if (r->tap)
		fprintf(r->tap, "TAP version 13\n1..%zu\n", cases);
	return r;
}

static void write_escaped(FILE *file, const char *text)
{
	for (; *text; text++)
		if (*text == '&' || *text == '<' || *text == '>' || *text == '"')
			fprintf(file, "&#%d;", *text);
		else
			fputc(*text, file);
}

static void write_junit(struct report *r, const char *name, const struct outcome *o,
			const char *replay)
{
	fprintf(r->body_file, "  <testcase classname=\"ptstress run\" name=\"%s\" time=\"%.3f\"",
		name, (double)o->ns / 1e9);
	if (!o->failed) {
		fprintf(r->body_file, "/>\n");
		return;
	}
	fprintf(r->body_file, ">\n    <failure message=\"");
	write_escaped(r->body_file, verdict_headline());
	fprintf(r->body_file, "\">");
	write_escaped(r->body_file, verdict_text());
	write_escaped(r->body_file, replay);
	fprintf(r->body_file, "</failure>\n  </testcase>\n");
}

void report_case(struct report *r, const struct run_case *c, const struct outcome *o)
{
	double seconds = (double)o->ns / 1e9;
	char name[256], replay[2 * LINE], history[128] = "";

	if (r->options->history)
		snprintf(history, sizeof(history), ", history %" PRIu64 ", gave up %" PRIu64,
			 o->logged, o->gave_up);

	snprintf(name, sizeof(name), "%s/%s/%s/threads:%u", c->strategy, c->format, c->pages,
		 c->threads);
	report_replay(r->options, c, replay, sizeof(replay));
	printf("%-4s %-36s %11" PRIu64 " ops %6.2f M/s  %4" PRIu64 " rounds, exact %" PRIu64
	       ", flushes %" PRIu64 ", dirtied %" PRIu64 "%s\n",
	       o->failed ? "FAIL" : "ok", name, o->ops, (double)o->ops / seconds / 1e6, o->rounds,
	       o->exact, o->flushes, o->dirtied, history);
	if (o->failed)
		printf("%s  after %.3f s, %" PRIu64 " operations, in round %" PRIu64 "\n%s",
		       verdict_text(), seconds, o->ops, o->rounds, replay);
	fflush(stdout);
	r->ops += o->ops;
	r->ns += o->ns;
	r->passed += !o->failed;
	r->failed += o->failed;
	if (r->junit)
		write_junit(r, name, o, replay);
	if (r->tap) {
		fprintf(r->tap, "%sok %zu - %s\n", o->failed ? "not " : "", r->passed + r->failed,
			name);
		if (o->failed)
			fprintf(r->tap, "# %s\n# %s", verdict_headline(), replay);
	}
}

static bool close_file(FILE *file, const char *name)
{
	if (!file || (!fflush(file) && !ferror(file) && !fclose(file)))
		return true;
	complain("cannot write %s: %s", name, strerror(errno));
	return false;
}

enum exit_code report_close(struct report *r, bool interrupted)
{
	enum exit_code code = r->failed ? EXIT_VIOLATION : interrupted ? EXIT_SIGNAL : EXIT_FINE;
	char line[2 * LINE];

	fclose(r->body_file);
	if (r->junit)
		fprintf(r->junit,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			"<testsuite name=\"ptstress run\" tests=\"%zu\" failures=\"%zu\" "
			"time=\"%.3f\">\n%s</testsuite>\n",
			r->passed + r->failed, r->failed, (double)r->ns / 1e9, r->body);
	if (r->tap && interrupted)
		fprintf(r->tap, "Bail out! Interrupted\n");
	all_parameters(r->options, line, sizeof(line));
	printf("%s: %s, %" PRIu64 " operations, %.2f M/s\n", line,
	       r->failed     ? "VIOLATION"
	       : interrupted ? "interrupted, no violation so far"
			     : "no violation",
	       r->ops, r->ns ? (double)r->ops * 1e3 / (double)r->ns : 0);
	printf("%zu passed, %zu failed\n", r->passed, r->failed);
	if (!close_file(r->junit, r->options->junit) || !close_file(r->tap, r->options->tap))
		code = code ? code : EXIT_RESOURCES;
	free(r->body);
	free(r);
	return code;
}
