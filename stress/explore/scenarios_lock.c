/* SPDX-License-Identifier: MIT */
/* Node locks other than the default: mutual exclusion, hand-over, sharing, waking on a stray. */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_lock[] = {
	{
		.name = "ticket-three",
		.about = "three threads want one leaf table, whose node lock is ticket",
		.node_lock = "ticket",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{MAP(0, 1, 1)},
				{MAP(1, 1, 2)},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "ticket-again",
		.about = "threads come again while others wait; node lock ticket",
		.node_lock = "ticket",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{PROTECT(3, 1, 0, PT_WRITE), MAP(0, 1, 1)},
				{UNMAP(3, 1), MAP(1, 1, 2)},
			},
	},
	{
		.name = "ticket-readers",
		.about = "read cursors share a table that somebody changes; node lock ticket",
		.node_lock = "ticket",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},
				{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},
				{UNMAP(0, 1)},
			},
	},
	{
		.name = "ticket-stray",
		.about = "a waiter wakes on a table that has left the tree; node lock ticket",
		.node_lock = "ticket",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 16)},
				{MAP(1, 1, 2)},
				{UNMAP(0, 1)},
			},
	},
	{
		.name = "queued-three",
		.about = "three threads want one leaf table, whose node lock is queued",
		.node_lock = "queued",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{MAP(0, 1, 1)},
				{MAP(1, 1, 2)},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "queued-again",
		.about = "threads come again while others wait; node lock queued",
		.node_lock = "queued",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{PROTECT(3, 1, 0, PT_WRITE), MAP(0, 1, 1)},
				{UNMAP(3, 1), MAP(1, 1, 2)},
			},
	},
	{
		.name = "queued-readers",
		.about = "read cursors share a table that somebody changes; node lock queued",
		.node_lock = "queued",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},
				{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, END},
				{UNMAP(0, 1)},
			},
	},
	{
		.name = "queued-stray",
		.about = "a waiter wakes on a table that has left the tree; node lock queued",
		.node_lock = "queued",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 16)},
				{MAP(1, 1, 2)},
				{UNMAP(0, 1)},
			},
	},
	{0},
};
