/* SPDX-License-Identifier: MIT */
/* Tables come into being: publication, who is first, running out of memory, splits. */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_build[] = {
	{
		.name = "build-upper",
		.about = "two threads build the same upper tables and see each other's pages",
		.threads =
			{
				{MAP(0, 1, 1), QUERY(1)},
				{MAP(1, 1, 2), QUERY(0)},
			},
	},
	{
		.name = "build-three",
		.about = "three threads build tables at different depths of one path",
		.threads =
			{
				{MAP(0, 1, 1)},
				{MAP_HUGE(4, 4)},
				{MAP(16, 1, 2)},
			},
	},
	{
		.name = "build-cold",
		.about = "threads without spare nodes meet in the pool",
		.cold = true,
		.threads =
			{
				{MAP(0, 1, 1)},
				{MAP(0, 1, 2)},
				{MAP(20, 1, 3)},
			},
	},
	{
		.name = "build-homes",
		.about = "threads of two NUMA homes; two of them back their home's first chunk",
		.cold = true,
		.homes = true,
		.threads =
			{
				{MAP(0, 1, 1)},
				{MAP(4, 1, 2), UNMAP(0, 16)},
				{MAP(20, 1, 3)},
			},
	},
	{
		.name = "build-log",
		.about = "more is mapped than a log holds before a thread of another home looks",
		.threads =
			{
				{MAP(0, 1, 1), MAP(1, 1, 2), MAP(2, 1, 3), MAP(4, 1, 4)},
				{QUERY(0), QUERY(4)},
			},
	},
	{
		.name = "map-same",
		.about = "two threads map one page, a third looks: exactly one is first",
		.threads =
			{
				{MAP(0, 1, 1)},
				{MAP(0, 1, 2)},
				{QUERY(0), QUERY(0)},
			},
	},
	{
		.name = "map-range",
		.about = "a range over two leaf tables against a page of each",
		.threads =
			{
				{MAP(2, 4, 8)},
				{MAP(3, 1, 1)},
				{UNMAP(4, 1)},
			},
	},
	{
		.name = "mark-map",
		.about = "a mark on a whole slot against maps inside it, which split it",
		.threads =
			{
				{MARK(0, 4, 7), QUERY(1)},
				{MAP(1, 1, 2)},
				{QUERY(1), QUERY(2)},
			},
	},
	{
		.name = "split-query",
		.about = "a huge leaf is split; nobody sees a hole",
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{UNMAP(1, 1)},
				{QUERY(0), QUERY(1)},
				{WALK(2)},
			},
	},
	{
		.name = "split-protect",
		.about = "two threads split one huge leaf by protecting parts of it",
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{PROTECT(1, 1, 0, PT_WRITE)},
				{PROTECT(2, 2, PT_SOFT0, 0)},
				{QUERY(1), WALK(3)},
			},
	},
	{
		.name = "huge-or-split",
		.about = "a huge leaf is removed whole while another thread splits it",
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{UNMAP(0, 4)},
				{PROTECT(1, 1, 0, PT_WRITE)},
				{QUERY(1), QUERY(1)},
			},
	},
	{
		.name = "huge-over-pages",
		.about = "a huge leaf over an empty leaf table against a page in it",
		.initial = {MAP(0, 1, 9), UNMAP(0, 1)},
		.threads =
			{
				{MAP_HUGE(0, 4)},
				{MAP(1, 1, 2), UNMAP(1, 1)},
			},
	},
	{
		.name = "no-memory",
		.about = "a map fails in the middle beside one that succeeds",
		.threads =
			{
				{FAIL_ALLOC(3), MAP(2, 4, 8), MAP(1, 1, 3)},
				{MAP(1, 1, 2), QUERY(0)},
			},
	},
	{
		.name = "no-memory-split",
		.about = "splits fail for want of a node; nothing changes",
		.initial = {MAP_HUGE(0, 4), MAP_HUGE(4, 8)},
		.threads =
			{
				{FAIL_ALLOC(1), UNMAP(1, 4)},
				{PROTECT(2, 1, 0, PT_WRITE)},
				{QUERY(1), QUERY(4)},
			},
	},
	{
		.name = "memory-may-run-out",
		.about = "any one allocation fails: of tables, of a split, of a page beside them",
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{ALLOC_MAY_FAIL, MAP(4, 6, 8)},
				{ALLOC_MAY_FAIL, UNMAP(1, 1), MAP(1, 1, 3)},
			},
	},
	{.name = NULL},
};
