/* SPDX-License-Identifier: MIT */
#include "call.h"

#include <inttypes.h>
#include <string.h>

static const char *const names[CALL_KINDS] = {
	[CALL_MAP] = "map",
	[CALL_UNMAP] = "unmap",
	[CALL_PROTECT] = "protect",
	[CALL_MARK] = "mark",
	[CALL_PRUNE] = "prune",
	[CALL_MERGE] = "merge",
	[CALL_HARVEST] = "harvest",
	[CALL_CLONE] = "clone",
	[CALL_QUERY] = "query",
	[CALL_QUERY_GET] = "query_get",
	[CALL_WALK] = "walk",
	[CALL_ACCESS] = "access",
	[CALL_BEGIN] = "cursor_begin",
	[CALL_TRY_BEGIN] = "cursor_try_begin",
	[CALL_CURSOR_QUERY] = "cursor_query",
	[CALL_CURSOR_FIND] = "cursor_find_next",
	[CALL_CURSOR_JUMP] = "cursor_jump",
	[CALL_CURSOR_MAP] = "cursor_map",
	[CALL_CURSOR_TAKE] = "cursor_take_next",
	[CALL_CURSOR_PROTECT] = "cursor_protect_next",
	[CALL_CURSOR_MARK] = "cursor_mark",
	[CALL_END] = "cursor_end",
};

static const char *const modes[] = {"read", "change", "build"};
static const char *const accesses[] = {"read", "write", "exec"};

static void print_arguments(FILE *out, const struct call *c)
{
	switch (c->kind) {
	case CALL_MAP:
	case CALL_CURSOR_MAP:
		fprintf(out, " to 0x%" PRIx64 " prop 0x%x level %u", c->pa, c->set, c->level);
		break;
	case CALL_PROTECT:
	case CALL_CLONE:
	case CALL_CURSOR_PROTECT:
		fprintf(out, " set 0x%x clear 0x%x", c->set, c->clear);
		break;
	case CALL_MARK:
	case CALL_CURSOR_MARK:
		fprintf(out, " as %" PRIu64, c->mark);
		break;
	case CALL_MERGE:
		fprintf(out, " up to level %u", c->level);
		break;
	case CALL_HARVEST:
		fprintf(out, " clear 0x%x", c->clear);
		break;
	case CALL_ACCESS:
		fprintf(out, " to %s%s", accesses[c->access], c->user ? " as user" : "");
		break;
	case CALL_BEGIN:
	case CALL_TRY_BEGIN:
		fprintf(out, " to %s, top %u", modes[c->mode], c->level);
		break;
	default:
		break;
	}
}

static bool has_address(enum call_kind kind)
{
	return kind < CALL_CURSOR_QUERY || kind == CALL_CURSOR_JUMP;
}

static bool has_length(enum call_kind kind)
{
	return kind < CALL_QUERY || kind == CALL_BEGIN || kind == CALL_TRY_BEGIN ||
	       kind == CALL_CURSOR_FIND || kind == CALL_CURSOR_TAKE ||
	       kind == CALL_CURSOR_PROTECT || kind == CALL_CURSOR_MARK;
}

void call_print(FILE *out, const struct call *c)
{
	fprintf(out, "thread %u %s", c->thread, names[c->kind]);
	if (c->table)
		fprintf(out, " (second table)");
	if (has_address(c->kind))
		fprintf(out, " 0x%" PRIx64, c->va);
	if (has_length(c->kind))
		fprintf(out, " +0x%" PRIx64, c->len);
	print_arguments(out, c);
	if (c->gather)
		fprintf(out, ", with a gather");
	if (c->foreign)
		fprintf(out, ", on any pages");
	if (c->nodes != UINT64_MAX)
		fprintf(out, ", %" PRIu64 " nodes at most", c->nodes);
}

void result_print(FILE *out, const struct result *r)
{
	if (!r->made)
		fprintf(out, "nothing, no cursor was open");
	else
		fprintf(out, "%d (%s), 0x%" PRIx64 " 0x%" PRIx64 ", digest %016" PRIx64, r->rc,
			r->rc < 0 ? strerror(-r->rc) : "fine", r->first, r->second, r->digest);
}
