/* SPDX-License-Identifier: MIT */
/*
 * Node locks: mutual exclusion, hand-over, sharing, waking on a stray; with the default of each strategy, and
 * with each other kind by strategies that have it.
 */
#include "scenario.h"
#include "scenarios.h"

/* What each kind has to get right. */
#define THREE(prefix, kind)                                                      \
	{                                                                        \
		.name = prefix "-three",                                         \
		.about = "three threads want one leaf table; node lock " prefix, \
		.node_lock = kind, .initial = {MAP(3, 1, 3)},                    \
		.threads = {                                                     \
			{MAP(0, 1, 1)},                                          \
			{MAP(1, 1, 2)},                                          \
			{UNMAP(0, 2)},                                           \
		},                                                               \
	}

#define AGAIN(prefix, kind)                                                         \
	{                                                                           \
		.name = prefix "-again",                                            \
		.about = "threads come again while others wait; node lock " prefix, \
		.node_lock = kind, .initial = {MAP(3, 1, 3)},                       \
		.threads = {                                                        \
			{PROTECT(3, 1, 0, PT_WRITE), MAP(0, 1, 1)},                 \
			{UNMAP(3, 1), MAP(1, 1, 2)},                                \
		},                                                                  \
	}

#define READERS(prefix, kind)                                                                   \
	{                                                                                       \
		.name = prefix "-readers",                                                      \
		.about = "read cursors share a table that somebody changes; node lock " prefix, \
		.node_lock = kind, .initial = {MAP(0, 1, 1)},                                   \
		.threads = {                                                                    \
			{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},                           \
			{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},                           \
			{UNMAP(0, 1)},                                                          \
		},                                                                              \
	}

#define STRAY(prefix, kind)                                                                     \
	{                                                                                       \
		.name = prefix "-stray",                                                        \
		.about = "a waiter wakes on a table that has left the tree; node lock " prefix, \
		.node_lock = kind, .initial = {MAP(0, 1, 1)},                                   \
		.threads = {                                                                    \
			{UNMAP(0, 16)},                                                         \
			{MAP(1, 1, 2)},                                                         \
			{UNMAP(0, 1)},                                                          \
		},                                                                              \
	}

#define GONE(prefix, kind)                                                                   \
	{                                                                                    \
		.name = prefix "-gone",                                                      \
		.about = "a table that was read is taken away and freed; node lock " prefix, \
		.node_lock = kind, .initial = {MAP(0, 1, 1)},                                \
		.threads = {                                                                 \
			{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},                        \
			{UNMAP(0, 16)},                                                      \
		},                                                                           \
	}

#define ALL(prefix, kind)                                                                     \
	THREE(prefix, kind), AGAIN(prefix, kind), READERS(prefix, kind), STRAY(prefix, kind), \
		GONE(prefix, kind)

/* What is biased to readers from the beginning: the second call on a page has made it so. */
#define REVOKE(kind)                                                                       \
	{                                                                                  \
		.name = kind "-revoke",                                                    \
		.about = "a table is taken away from those on their way; node lock " kind, \
		.node_lock = kind, .initial = {MAP(0, 1, 1), MAP(3, 1, 3)},                \
		.threads = {                                                               \
			{MAP(1, 1, 2)},                                                    \
			{UNMAP(0, 16)},                                                    \
			{QUERY(0), QUERY(0)},                                              \
		},                                                                         \
	}

#define TRIES(kind)                                                                         \
	{                                                                                   \
		.name = kind "-tries",                                                      \
		.about = "who could only try comes back, beside a reader; node lock " kind, \
		.node_lock = kind, .initial = {MAP(0, 1, 1), MAP(3, 1, 3)},                 \
		.threads = {                                                                \
			{BEGIN(PT_CHANGE, 0, 1, 1), C_TAKE(1), END, SYNC},                  \
			{TRY(PT_CHANGE, 0, 16, 3), C_TAKE(16), END, UNMAP(0, 16), SYNC},    \
		},                                                                          \
	}

/* The root is biased to readers; below it one table is, another is not. */
#define MIXED(kind)                                                                                \
	{                                                                                          \
		.name = kind "-mixed",                                                             \
		.about = "a path held by marks and otherwise; node lock " kind, .node_lock = kind, \
		.initial = {MAP(16, 1, 2), MAP(0, 1, 1), MAP(1, 1, 3)},                            \
		.threads = {                                                                       \
			{UNMAP(16, 1)},                                                            \
			{UNMAP(16, 16)},                                                           \
			{MAP(20, 1, 4)},                                                           \
		},                                                                                 \
	}

/* The root is biased, and the leaf table, but not the one between. */
#define CLAIMS(kind)                                                                   \
	{                                                                              \
		.name = kind "-claims",                                                \
		.about = "who waits half way asks for nothing below; node lock " kind, \
		.node_lock = kind, .initial = {MAP(0, 1, 1), QUERY(0), MAP(4, 1, 2)},  \
		.threads = {                                                           \
			{QUERY(0)},                                                    \
			{MAP(1, 1, 3)},                                                \
			{MAP(8, 1, 4)},                                                \
		},                                                                     \
	}

#define BRAVO(kind) ALL(kind, kind), REVOKE(kind), TRIES(kind), MIXED(kind), CLAIMS(kind)

const struct scenario scenarios_lock[] = {
	ALL("lock", NULL),         ALL("ticket", "ticket"),
	ALL("queued", "queued"),   ALL("mutex", "mutex"),
	ALL("pthread", "pthread"), BRAVO("bravo"),
	BRAVO("bravo-pt"),         {.name = NULL},
};
