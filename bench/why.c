/* SPDX-License-Identifier: MIT */
#include "results.h"
#include "text_table.h"
#include "why.h"

#define HEAD_TEXT 24

json_t *why_json(const struct why *why)
{
	const struct pt_stats *c = &why->counts;

	return json_must(json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"operations", (json_int_t)why->operations, "locks", (json_int_t)c->locks,
		"contended", (json_int_t)c->contended, "retries", (json_int_t)c->retries, "path",
		(json_int_t)c->path, "lost", (json_int_t)c->lost, "passed", (json_int_t)c->passed,
		"revocations", (json_int_t)c->revocations, "splits", (json_int_t)c->splits,
		"detaches", (json_int_t)c->detaches, "nodes_taken", (json_int_t)c->nodes_taken,
		"nodes_given", (json_int_t)c->nodes_given, "uncounted", (json_int_t)c->uncounted,
		"appended", (json_int_t)c->appended, "combined", (json_int_t)c->combined,
		"replayed", (json_int_t)c->replayed, "grace_periods",
		(json_int_t)why->grace_periods, "grace_periods_ns", (json_int_t)why->ns,
		"retired_bytes", (json_int_t)why->retired_bytes, "retired_bytes_max",
		(json_int_t)why->retired_bytes_max));
}

/* ---------------------------------------------------------------------------------- table -- */

enum { PER_UNIT_COLUMNS = 7 };

struct table *why_table(const char *unit)
{
	static const char *const counted[PER_UNIT_COLUMNS] = {
		"locks", "waited", "again", "splits", "detach", "taken", "given",
	};
	char heads[PER_UNIT_COLUMNS][HEAD_TEXT];
	const char *columns[] = {
		"<strategy",   ">thr",         heads[0], heads[1], heads[2],
		heads[3],      heads[4],       heads[5], heads[6], ">grace\n/s",
		">limbo\nend", ">limbo\nmost", NULL,
	};
	unsigned i;

	for (i = 0; i < PER_UNIT_COLUMNS; i++)
		snprintf(heads[i], HEAD_TEXT, ">%s\n/%s", counted[i], unit);
	snprintf(heads[1], HEAD_TEXT, ">waited\n%%");
	return table_create(columns);
}

/* What is rare stays readable and narrow: 12.3, 0.0042, 3e-05. */
static void cell(struct table *table, double value)
{
	if (value <= 0)
		table_cell(table, "0");
	else if (value < 0.001)
		table_cell(table, "%.0e", value);
	else if (value < 0.1)
		table_cell(table, "%.2g", value);
	else
		table_cell(table, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
}

/* Who couples locks on the way says how; there are few, and the screen is full. */
static void coupling_line(struct table *table, const struct pt_stats *c, uint64_t operations)
{
	if (c->path && operations)
		table_line(table, "    of these %.3g on the way, shared; %.2g biases revoked",
			   (double)c->path / (double)operations,
			   (double)c->revocations / (double)operations);
}

/* And who locks ranges, how long the list is. */
static void ranges_line(struct table *table, const struct pt_stats *c)
{
	if (c->passed && c->locks)
		table_line(table, "    each passed %.2g ranges of others on its way",
			   (double)c->passed / (double)c->locks);
}

static void share_cell(struct table *table, uint64_t count, uint64_t of, double unit)
{
	if (of)
		cell(table, unit * (double)count / (double)of);
	else
		table_cell(table, "-");
}

static void pool_cell(struct table *table, const struct why *why, double value)
{
	if (why->ns)
		cell(table, value);
	else
		table_cell(table, "-");
}

void why_row(struct table *table, const char *who, unsigned threads, const struct why *why)
{
	const struct pt_stats *c = &why->counts;
	/* Zeros would say that a query takes no lock, which holds for some strategies only. */
	uint64_t of = why_counted(why) ? why->operations : 0;

	table_cell(table, "%s", who);
	table_cell(table, "%u", threads);
	share_cell(table, c->locks, of, 1);
	share_cell(table, c->contended, c->locks, 100);
	share_cell(table, c->retries + c->lost, of, 1);
	share_cell(table, c->splits, of, 1);
	share_cell(table, c->detaches, of, 1);
	share_cell(table, c->nodes_taken, of, 1);
	share_cell(table, c->nodes_given, of, 1);
	pool_cell(table, why, (double)why->grace_periods * 1e9 / (double)(why->ns | 1));
	pool_cell(table, why, (double)why->retired_bytes / 1048576);
	pool_cell(table, why, (double)why->retired_bytes_max / 1048576);
	coupling_line(table, c, of);
	ranges_line(table, c);
}

void why_print(struct table *table, FILE *out, bool color)
{
	table_print(table, out, color);
	table_destroy(table);
	fputc('\n', out);
}

void why_log(const char *who, unsigned threads, const struct why *why, const char *unit, FILE *out)
{
	const struct pt_stats *c = &why->counts;
	const double of = why->operations ? (double)why->operations : 1;

	if (!c->appended)
		return;
	fprintf(out, "%s, %u threads: the log got %.2f records/%s, %.2f/%s were replayed;\n", who,
		threads, (double)c->appended / of, unit, (double)c->replayed / of, unit);
	fprintf(out, "  %.1f %% of its calls were made by another thread, which had the lock\n\n",
		100 * (double)c->combined / (double)c->appended);
}

void why_legend(const char *unit, FILE *out)
{
	fprintf(out,
		"/%-12s for each of them; of queries and walks nothing is counted: -\n"
		"locks         taken; waited: per cent of these that had to wait\n"
		"  on the way  nodes above the covering one: how deep locks are coupled\n"
		"  passed      ranges that others held, before a range that was locked\n"
		"  revoked     what writers ended for those who read by marks (BRAVO)\n"
		"again         walks begun again, because a node had left the tree; and changes\n"
		"              that found the slot changed, where slots are not locked;\n"
		"              ranges that had to be wider\n"
		"splits        huge leaves and marks split into a table\n"
		"detach        tables taken out of the tree as a whole\n"
		"taken, given  nodes for tables and gathers; given back, or retired\n"
		"grace /s      grace periods asked for in a second, also by what is not timed\n"
		"limbo         MiB that waited to be freed at the end, and at most\n"
		"Counts are sums over all repetitions; figures were taken with counting on.\n",
		unit);
}
