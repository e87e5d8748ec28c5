/* SPDX-License-Identifier: MIT */
/*
 * A trace of memory-management events: the format is documented in bench/traces/README.md.
 * Reading is strict: what does not follow the format is refused with the line and the value.
 */
#ifndef REPLAY_TRACE_H
#define REPLAY_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_PAGE_SHIFT 12
#define TRACE_PAGE (1ull << TRACE_PAGE_SHIFT)

enum trace_op {
	OP_MAP,
	OP_UNMAP,
	OP_PROTECT,
	OP_DONTNEED,
	OP_MOVE,
	OP_FAULT,
	OP_FORK,
	OP_EXEC,
	OP_EXIT,
	OP_NR,
};

/* Bits of `arg`. */
#define MAP_ARG_READ 1u /* also of protect */
#define MAP_ARG_WRITE 2u
#define MAP_ARG_EXEC 4u
#define MAP_ARG_ALL 63u
#define PROTECT_ARG_ALL 7u
#define FAULT_ARG_WRITE 1u
#define FAULT_ARG_ALL 15u

/* Ranges are in bytes and a multiple of the page. Spaces and threads count from 0 here. */
struct trace_event {
	uint64_t va, len;
	uint64_t new_va, new_len; /* move */
	uint32_t space;
	uint32_t thread;
	uint32_t arg;  /* fork, exec: the new space */
	uint32_t line; /* of the file */
	enum trace_op op;
};

/* How the trace says a space ends. */
struct trace_space {
	bool listed; /* the header has an end_state line for it */
	bool exits;
	uint64_t pages, max_pages, checksum;
	uint32_t end_line;
	bool created; /* by a fork or an exec; otherwise it exists from the start */
	bool gone;    /* has an exit event */
};

struct trace {
	char *path;
	char *name; /* file name without folder and suffixes */
	struct trace_event *events;
	uint32_t nr_events;
	struct trace_space *spaces;
	uint32_t nr_spaces;
	uint32_t nr_threads;
	uint64_t last_ns;
	uint64_t last_va;       /* highest address that an event names */
	uint64_t counts[OP_NR]; /* events of each kind */
};

/* Room for a message that begins with the file and, where it is known, the line. */
struct trace_error {
	char text[4096 + 512];
};

/* Return: 0, or -1 with *@error filled in and nothing to free. */
int trace_read(const char *path, struct trace *ret, struct trace_error *error);
void trace_free(struct trace *t);

const char *trace_op_name(enum trace_op op);

/* FNV-1a over the eight bytes of @va, low byte first. */
#define TRACE_CHECKSUM_BASIS 0xcbf29ce484222325ull
uint64_t trace_checksum(uint64_t checksum, uint64_t va);

#endif
