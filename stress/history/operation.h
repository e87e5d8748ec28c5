/* SPDX-License-Identifier: MIT */
/*
 * What a history consists of. Each page is a register of its own (Q2), so whoever judges a history
 * does it page by page, and a history is right if each page is.
 */
#ifndef HISTORY_OPERATION_H
#define HISTORY_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No value: what a register holds that nobody has written. */
#define HISTORY_NOTHING UINT64_MAX

enum history_kind {
	HISTORY_READ,   /* saw `value` */
	HISTORY_WRITE,  /* made it `value`, whatever it was */
	HISTORY_CHANGE, /* saw `before` and made it `value`, at one moment */
};

/*
 * What one call did to one page: it took place at some moment from `call` to `ret`. Of a call on a
 * range, each page has an operation with the interval of that call, not of the transaction it is
 * part of.
 */
struct operation {
	uint64_t call, ret;
	uint64_t value;
	uint64_t before; /* HISTORY_CHANGE */
	uint32_t page;
	uint16_t thread;
	uint8_t kind; /* enum history_kind */
	uint8_t name; /* which call it was: for who puts it into words */
};

/*
 * In real time: what is not before is concurrent. Of two stamps that are equal nobody knows which
 * was first.
 */
static inline bool op_before(const struct operation *a, const struct operation *b)
{
	return a->ret < b->call;
}

static inline bool op_writes(const struct operation *o)
{
	return o->kind != HISTORY_READ;
}

enum verdict {
	HISTORY_RIGHT,
	HISTORY_WRONG,
	HISTORY_GAVE_UP, /* more to look at than was allowed */
};

/* Why a history is wrong, by operations that are wrong by themselves. */
#define HISTORY_SHOWN 16

struct violation {
	const char *what; /* a constant sentence */
	struct operation shown[HISTORY_SHOWN];
	unsigned nr_shown;
	bool all_shown; /* else there are more operations, without which these were right */
};

#endif
