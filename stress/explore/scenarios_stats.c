/* SPDX-License-Identifier: MIT */
/* A table counts, and no count is lost, falls, or is another thread's (figures.h). */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_stats[] = {
	{
		.name = "stats-private",
		.about = "threads count in tables of their own; every lock counts once",
		.stats = true,
		.page_calls = 4,
		.initial = {MAP(0, 1, 1), MAP(16, 1, 2)},
		.threads =
			{
				{UNMAP(0, 1), MAP(0, 1, 3)},
				{UNMAP(16, 1), MAP(16, 1, 4)},
			},
	},
	{
		.name = "stats-look",
		.about = "a third thread looks while two count: no figure falls",
		.stats = true,
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 4), MAP(0, 1, 2)},
				{MAP(1, 1, 3)},
				{LOOK_AT_STATS, LOOK_AT_STATS},
			},
	},
	{
		.name = "stats-first",
		.about = "two threads count for the first time: they agree on where",
		.stats = true,
		.crowd = true,
		.threads =
			{
				{MAP(0, 1, 1)},
				{MAP(16, 1, 2)},
				{LOOK_AT_STATS},
			},
	},
	{
		.name = "stats-splits",
		.about = "splits, removals and lost races for a table are counted once",
		.stats = true,
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{UNMAP(0, 4)},
				{PROTECT(1, 1, 0, PT_WRITE)},
				{MAP(2, 1, 2), LOOK_AT_STATS},
			},
	},
	{
		.name = "stats-register",
		.about = "a thread goes, another one counts in its place from where it stood",
		.stats = true,
		.initial = {MAP(16, 1, 2)},
		.threads =
			{
				{MAP(0, 1, 1), REGISTER_ANEW, UNMAP(0, 4)},
				{REGISTER_ANEW, UNMAP(16, 1), LOOK_AT_STATS},
			},
	},
	{.name = NULL},
};
