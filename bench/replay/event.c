/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "fields.h"
#include "reader.h"
#include "xalloc.h"

#define NR_COLUMNS 7

static const char *const op_names[OP_NR] = {
	[OP_MAP] = "map",           [OP_UNMAP] = "unmap", [OP_PROTECT] = "protect",
	[OP_DONTNEED] = "dontneed", [OP_MOVE] = "move",   [OP_FAULT] = "fault",
	[OP_FORK] = "fork",         [OP_EXEC] = "exec",   [OP_EXIT] = "exit",
};

const char *trace_op_name(enum trace_op op)
{
	return op_names[op];
}

static int read_range(struct reader *r, uint64_t va, uint64_t len)
{
	if (va % TRACE_PAGE || len % TRACE_PAGE)
		return reader_refuse(r, "range %" PRIx64 "+%" PRIu64 " is not a multiple of %llu",
				     va, len, TRACE_PAGE);
	if (len == 0)
		return reader_refuse(r, "range %" PRIx64 "+0 is empty", va);
	if (len - 1 > UINT64_MAX - va)
		return reader_refuse(r, "range %" PRIx64 "+%" PRIu64 " wraps around", va, len);
	if (va + (len - 1) > r->t->last_va)
		r->t->last_va = va + (len - 1);
	return 0;
}

static int read_bits(struct reader *r, const char *arg, uint32_t allowed, struct trace_event *e)
{
	uint64_t bits;

	if (!field_number(arg, FIELD_DECIMAL, &bits))
		return reader_refuse(r, "arg of %s is not a decimal number: '%s'", op_names[e->op],
				     arg);
	if (bits & ~(uint64_t)allowed)
		return reader_refuse(r,
				     "arg of %s has unknown bits: %" PRIu64 " (known: %" PRIu32 ")",
				     op_names[e->op], bits, allowed);
	e->arg = (uint32_t)bits;
	return 0;
}

static int read_move(struct reader *r, const char *arg, struct trace_event *e)
{
	const char *at = arg;

	if (!field_after(&at, "", FIELD_HEX, &e->new_va) ||
	    !field_after(&at, ":", FIELD_DECIMAL, &e->new_len) || *at)
		return reader_refuse(r, "arg of move must be NEWADDR:NEWLEN, not '%s'", arg);
	return read_range(r, e->new_va, e->new_len);
}

static int read_dontneed(struct reader *r, const char *arg, struct trace_event *e)
{
	if (read_bits(r, arg, UINT32_MAX, e))
		return -1;
	if (e->arg != 4 && e->arg != 8 && e->arg != 9 && e->arg != 24)
		return reader_refuse(r, "arg of dontneed must be 4, 8, 9 or 24, not %" PRIu32,
				     e->arg);
	return 0;
}

static int read_space_number(struct reader *r, const char *text, uint64_t *ret)
{
	if (!field_number(text, FIELD_DECIMAL, ret) || *ret == 0)
		return reader_refuse(r, "address space is not a number from 1: '%s'", text);
	if (*ret > r->nr_listed)
		return reader_refuse(r, "as %" PRIu64 " has no end_state line", *ret);
	return 0;
}

/* Spaces are numbered in order of creation, so that each number says whether it is a new one. */
static int read_child(struct reader *r, const char *arg, struct trace_event *e)
{
	uint64_t child;

	if (read_space_number(r, arg, &child))
		return -1;
	if (child <= r->nr_seen)
		return reader_refuse(r, "%s into as %" PRIu64 ", which was used before",
				     op_names[e->op], child);
	if (child != r->nr_seen + 1ull)
		return reader_refuse(r, "%s into as %" PRIu64 ", but the next new one is %" PRIu32,
				     op_names[e->op], child, r->nr_seen + 1);
	e->arg = r->nr_seen;
	r->t->spaces[r->nr_seen++].created = true;
	return 0;
}

static int read_details(struct reader *r, char **column, struct trace_event *e)
{
	const char *arg = column[6];

	if (!field_number(column[4], FIELD_HEX, &e->va))
		return reader_refuse(r, "addr is not a hexadecimal number: '%s'", column[4]);
	if (!field_number(column[5], FIELD_DECIMAL, &e->len))
		return reader_refuse(r, "len is not a decimal number: '%s'", column[5]);
	if (e->op == OP_FORK || e->op == OP_EXEC || e->op == OP_EXIT) {
		if (e->va || e->len)
			return reader_refuse(r, "addr and len of %s must be 0", op_names[e->op]);
		if (e->op != OP_EXIT)
			return read_child(r, arg, e);
		r->t->spaces[e->space].gone = true;
		return read_bits(r, arg, 0, e);
	}
	if (read_range(r, e->va, e->len))
		return -1;
	switch (e->op) {
	case OP_MAP:
		return read_bits(r, arg, MAP_ARG_ALL, e);
	case OP_PROTECT:
		return read_bits(r, arg, PROTECT_ARG_ALL, e);
	case OP_DONTNEED:
		return read_dontneed(r, arg, e);
	case OP_MOVE:
		return read_move(r, arg, e);
	case OP_FAULT:
		if (e->len != TRACE_PAGE)
			return reader_refuse(r, "len of fault must be %llu, not %" PRIu64,
					     TRACE_PAGE, e->len);
		return read_bits(r, arg, FAULT_ARG_ALL, e);
	default:
		return read_bits(r, arg, 0, e);
	}
}

static int read_op(struct reader *r, const char *name, enum trace_op *ret_op)
{
	for (unsigned i = 0; i < OP_NR; i++) {
		if (strcmp(name, op_names[i]) == 0) {
			*ret_op = (enum trace_op)i;
			return 0;
		}
	}
	return reader_refuse(r, "unknown op '%s'", name);
}

int reader_event(struct reader *r, char *line)
{
	struct trace *t = r->t;
	struct trace_event e = {.line = r->line};
	char *column[NR_COLUMNS];
	uint64_t t_ns, as, tid;
	unsigned n = field_split(line, '\t', column, NR_COLUMNS);

	if (n != NR_COLUMNS)
		return reader_refuse(r, "%s than %d columns separated by tabs",
				     n < NR_COLUMNS ? "fewer" : "more", NR_COLUMNS);
	if (!field_number(column[0], FIELD_DECIMAL, &t_ns))
		return reader_refuse(r, "t_ns is not a decimal number: '%s'", column[0]);
	if (t->nr_events > 0 && t_ns < t->last_ns)
		return reader_refuse(r, "time goes back from %" PRIu64 " to %" PRIu64, t->last_ns,
				     t_ns);
	if (read_space_number(r, column[1], &as))
		return -1;
	if (!field_number(column[2], FIELD_DECIMAL, &tid) || tid == 0 || tid > UINT32_MAX)
		return reader_refuse(r, "tid is not a number from 1: '%s'", column[2]);
	if (read_op(r, column[3], &e.op))
		return -1;
	if (as == r->nr_seen + 1ull)
		r->nr_seen++;
	if (as > r->nr_seen)
		return reader_refuse(r, "as %" PRIu64 " appears before as %" PRIu32, as,
				     r->nr_seen + 1);
	e.space = (uint32_t)as - 1;
	e.thread = (uint32_t)tid;
	if (t->spaces[e.space].gone)
		return reader_refuse(r, "%s in as %" PRIu64 " behind its exit", op_names[e.op], as);
	if (read_details(r, column, &e))
		return -1;
	if (t->nr_events == r->want_events)
		return reader_refuse(r, "more events than the %" PRIu64 " of the header",
				     r->want_events);
	t->events = xgrow(t->events, t->nr_events, &r->room_events, sizeof(*t->events));
	t->events[t->nr_events++] = e;
	t->counts[e.op]++;
	t->last_ns = t_ns;
	return 0;
}
