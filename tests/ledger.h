/* SPDX-License-Identifier: MIT */
/* Who holds how many references of which item: the other side of the library's item hooks. */
#ifndef PT_TESTS_LEDGER_H
#define PT_TESTS_LEDGER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pagetree.h"

struct ledger_entry {
	uint64_t key; /* physical address and level; 0: unused */
	int64_t count;
};

struct ledger {
	pthread_mutex_t lock; /* drops come from the thread that reclaims */
	const struct pt_format_info *format;
	struct ledger_entry *entries;
	size_t size; /* power of two */
	size_t used;
	int64_t total; /* references of all items */
	uint64_t clones, drops, splits, merges;
	const char *error; /* the first rule that was broken, or NULL */
};

void ledger_init(struct ledger *l, const struct pt_format_info *format);
void ledger_free(struct ledger *l);

/* One more reference, for the caller to give away. */
void ledger_get(struct ledger *l, pt_pa_t pa, unsigned level);
/* The caller keeps a reference that it could not give away, and drops it. */
void ledger_put(struct ledger *l, pt_pa_t pa, unsigned level);

int64_t ledger_count(struct ledger *l, pt_pa_t pa, unsigned level);
int64_t ledger_total(struct ledger *l);

/* Context: the ledger. */
extern const struct pt_item_ops ledger_ops;

#endif
