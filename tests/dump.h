/* SPDX-License-Identifier: MIT */
/* All that a table holds, as a read cursor sees it: to compare before and after. */
#ifndef PT_TESTS_DUMP_H
#define PT_TESTS_DUMP_H

#include "flatmap.h"
#include "support.h"

struct dump {
	struct pt_mapping *slots; /* leaves and marks, ascending */
	size_t n, capacity;
};

void dump_take(struct fixture *fx, struct dump *d);
void dump_free(struct dump *d);

/* Fails the test at the first difference. Exact: a leaf that was split is a difference. */
void dump_expect_equal(const struct dump *before, const struct dump *after);

/* Take a dump again and compare it with @before, which is freed. */
void dump_expect_unchanged(struct fixture *fx, struct dump *before);

/* All that a call which fails must leave as it was: content, references, and nothing is flushed. */
struct before {
	struct dump content;
	int64_t references;
	uint64_t splits, drops;
};

void before_take(struct fixture *fx, struct before *b);
void before_free(struct before *b);
/* Compare, check the shape, and free @b. */
void before_expect_unchanged(struct fixture *fx, struct before *b);

/* Leaves are exactly those of the model; marks and holes cover what they cover there. */
void dump_expect_model(struct fixture *fx, const struct flatmap *model);

#endif
