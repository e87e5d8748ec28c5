/* SPDX-License-Identifier: MIT */
/* Transactions of several calls: who holds a range holds it alone. */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_cursor[] = {
	{
		.name = "cursor-two-tables",
		.about = "a cursor over two leaf tables against two cursors on single pages",
		.initial = {MAP(3, 2, 8)},
		.threads =
			{
				{BEGIN(PT_BUILD, 2, 4, 1), C_MAP(1), C_JUMP(5), C_MAP(2), END},
				{BEGIN(PT_CHANGE, 3, 1, 1), C_TAKE(1), END, SYNC},
				{BEGIN(PT_CHANGE, 4, 1, 1), C_PROTECT(1, 0, PT_WRITE), END, SYNC},
			},
	},
	{
		.name = "cursor-exclusive",
		.about = "two cursors on overlapping ranges: read, then write what was read",
		.threads =
			{
				{BEGIN(PT_BUILD, 0, 2, 1), C_QUERY, C_MAP(1), END},
				{BEGIN(PT_BUILD, 0, 1, 1), C_QUERY, C_MAP(2), END},
			},
	},
	{
		.name = "cursor-build",
		.about = "a building cursor high up against one below its range",
		.threads =
			{
				{BEGIN(PT_BUILD, 0, 8, 2), C_MAP_HUGE(4), C_QUERY, END},
				{BEGIN(PT_BUILD, 4, 1, 1), C_QUERY, C_MAP(1), END},
				{QUERY(4)},
			},
	},
	{
		.name = "cursor-absent",
		.about = "cursors that settle on an absent slot against one that fills it",
		.threads =
			{
				{BEGIN(PT_CHANGE, 0, 1, 1), C_QUERY, C_QUERY, END},
				{MAP(0, 1, 1)},
				{BEGIN(PT_READ_ONLY, 1, 1, 1), C_QUERY, END},
			},
	},
	{
		.name = "cursor-absent-build",
		.about =
			"a cursor holds what is not there, another one builds it before, behind or beside",
		.threads =
			{
				{BEGIN(PT_CHANGE, 0, 1, 1), C_QUERY, END},
				{BEGIN(PT_BUILD, 0, 1, 1), C_MAP(1), END},
				{BEGIN(PT_BUILD, 0, 2, 1), C_JUMP(1), C_MAP(2), END},
			},
	},
	{
		.name = "cursor-detach",
		.about = "a cursor takes a table with what is below; others wait inside",
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2)},
		.threads =
			{
				{BEGIN(PT_CHANGE, 0, 16, 2), C_TAKE(8), C_TAKE(4), END, SYNC},
				{BEGIN(PT_BUILD, 1, 1, 1), C_MAP(3), END},
				{QUERY(0), QUERY(4)},
			},
	},
	{
		.name = "cursor-detach-build",
		.about = "a cursor takes a table and builds in its place before it ends",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{BEGIN(PT_BUILD, 0, 4, 2), C_TAKE(4), C_JUMP(0), C_MAP(2), END,
				 SYNC},
				{BEGIN(PT_BUILD, 1, 1, 1), C_MAP(3), END},
				{QUERY(0)},
			},
	},
	{
		.name = "read-tables",
		.about = "a read cursor over two leaf tables while both change below its node",
		.initial = {MAP(3, 2, 8)},
		.threads =
			{
				{BEGIN(PT_READ_ONLY, 2, 4, 1), C_JUMP(3), C_QUERY, C_JUMP(4),
				 C_QUERY, END},
				{BEGIN(PT_CHANGE, 4, 1, 1), C_TAKE(1), END, SYNC},
				{UNMAP(3, 1)},
			},
	},
	{
		.name = "read-write",
		.about = "a read cursor sees a range at one moment while it is mapped",
		.threads =
			{
				{BEGIN(PT_READ_ONLY, 0, 4, 1), C_QUERY, C_JUMP(1), C_QUERY, END},
				{MAP(0, 2, 8)},
			},
	},
	{
		.name = "read-shared",
		.about = "two read cursors and a cursor that changes what they read",
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{BEGIN(PT_READ_ONLY, 0, 2, 1), C_QUERY, C_JUMP(1), C_QUERY, END},
				{BEGIN(PT_READ_ONLY, 1, 1, 1), C_FIND(1), END},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "read-detach",
		.about = "read cursors at two heights against the removal of the table they hold",
		.initial = {MAP(0, 1, 1), MAP(5, 1, 2)},
		.threads =
			{
				{BEGIN(PT_READ_ONLY, 0, 8, 1), C_FIND(8), END},
				{BEGIN(PT_READ_ONLY, 5, 1, 1), C_QUERY, END},
				{UNMAP(0, 8)},
			},
	},
	{
		.name = "cursor-mark",
		.about = "a cursor marks a range over two tables, an unmap takes half of it away",
		.initial = {MAP(4, 1, 1), UNMAP(4, 1)},
		.threads =
			{
				{BEGIN(PT_BUILD, 0, 8, 2), C_MARK(8, 5), C_JUMP(3), C_QUERY, END},
				{UNMAP(2, 3)},
				{QUERY(3)},
			},
	},
	{.name = NULL},
};
