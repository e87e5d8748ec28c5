/* SPDX-License-Identifier: MIT */
/* Node locks other than the default: mutual exclusion, hand-over, sharing, waking on a stray. */
#include "scenario.h"
#include "scenarios.h"

/* What each kind has to get right. */
#define THREE(kind)                                                                     \
	{                                                                               \
		.name = kind "-three",                                                  \
		.about = "three threads want one leaf table, whose node lock is " kind, \
		.node_lock = kind, .initial = {MAP(3, 1, 3)},                           \
		.threads = {                                                            \
			{MAP(0, 1, 1)},                                                 \
			{MAP(1, 1, 2)},                                                 \
			{UNMAP(0, 2)},                                                  \
		},                                                                      \
	}

#define AGAIN(kind)                                                               \
	{                                                                         \
		.name = kind "-again",                                            \
		.about = "threads come again while others wait; node lock " kind, \
		.node_lock = kind, .initial = {MAP(3, 1, 3)},                     \
		.threads = {                                                      \
			{PROTECT(3, 1, 0, PT_WRITE), MAP(0, 1, 1)},               \
			{UNMAP(3, 1), MAP(1, 1, 2)},                              \
		},                                                                \
	}

#define READERS(kind)                                                                         \
	{                                                                                     \
		.name = kind "-readers",                                                      \
		.about = "read cursors share a table that somebody changes; node lock " kind, \
		.node_lock = kind, .initial = {MAP(0, 1, 1)},                                 \
		.threads = {                                                                  \
			{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},                         \
			{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},                         \
			{UNMAP(0, 1)},                                                        \
		},                                                                            \
	}

#define STRAY(kind)                                                                           \
	{                                                                                     \
		.name = kind "-stray",                                                        \
		.about = "a waiter wakes on a table that has left the tree; node lock " kind, \
		.node_lock = kind, .initial = {MAP(0, 1, 1)},                                 \
		.threads = {                                                                  \
			{UNMAP(0, 16)},                                                       \
			{MAP(1, 1, 2)},                                                       \
			{UNMAP(0, 1)},                                                        \
		},                                                                            \
	}

#define GONE(kind)                                                                         \
	{                                                                                  \
		.name = kind "-gone",                                                      \
		.about = "a table that was read is taken away and freed; node lock " kind, \
		.node_lock = kind, .initial = {MAP(0, 1, 1)},                              \
		.threads = {                                                               \
			{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},                      \
			{UNMAP(0, 16)},                                                    \
		},                                                                         \
	}

#define ALL(kind) THREE(kind), AGAIN(kind), READERS(kind), STRAY(kind), GONE(kind)

const struct scenario scenarios_lock[] = {
	ALL("ticket"),
	ALL("queued"),
	ALL("mutex"),
	{.name = NULL},
};
