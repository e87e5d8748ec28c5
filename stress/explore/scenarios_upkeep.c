/* SPDX-License-Identifier: MIT */
/* Empty tables go, leaves merge, accessed and dirty bits are harvested, while others use the pages. */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_upkeep[] = {
	{
		.name = "prune-map",
		.about = "an empty table goes while a page is mapped in it",
		.hardware = true,
		.initial = {MAP(0, 1, 1), UNMAP(0, 1)},
		.threads =
			{
				{PRUNE(0, 4)},
				{MAP(1, 1, 2), QUERY(1)},
				{QUERY(0), LOAD(1)},
			},
	},
	{
		.name = "prune-deep",
		.about = "a subtree of empty tables goes while others wait at both levels",
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2), UNMAP(0, 1), UNMAP(4, 1)},
		.threads =
			{
				{PRUNE(0, 16)},
				{MAP(1, 1, 3)},
				{UNMAP(0, 8), WALK(0)},
			},
	},
	{
		.name = "prune-marks",
		.about = "a table with a mark stays; one that is emptied meanwhile may go",
		.initial = {MARK(1, 1, 7), MAP(4, 1, 2)},
		.threads =
			{
				{PRUNE(0, 16)},
				{UNMAP(4, 1)},
				{QUERY(1), QUERY(4)},
			},
	},
	{
		.name = "prune-reuse",
		.about = "the node of a pruned table is used elsewhere while a query is in it",
		.cold = true,
		.initial = {MAP(0, 1, 1), UNMAP(0, 1)},
		.threads =
			{
				{PRUNE(0, 4)},
				{QUERY(1)},
				{MAP(16, 1, 3)},
			},
	},
	{
		.name = "harvest-store",
		.about = "accessed is cleared while the hardware sets dirty",
		.hardware = true,
		.initial = {MAP_AS(0, 1, 1, RW | PT_ACCESSED, 1)},
		.threads =
			{
				{HARVEST(0, 1, PT_ACCESSED)},
				{STORE(0)},
			},
	},
	{
		.name = "harvest-cached",
		.about = "after dirty was harvested no CPU writes without setting it again",
		.hardware = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{HARVEST(0, 2, PT_ACCESSED | PT_DIRTY)},
				{STORE(0), STORE(0)},
				{LOAD(1)},
			},
	},
	{
		.name = "harvest-huge",
		.about = "two threads harvest parts of one huge leaf that is being written",
		.hardware = true,
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{HARVEST(0, 1, PT_DIRTY)},
				{HARVEST(2, 2, PT_ACCESSED | PT_DIRTY)},
				{STORE(1)},
			},
	},
	{
		.name = "harvest-twice",
		.about =
			"two threads harvest a page that was written once, and is read-only by now",
		.hardware = true,
		.initial = {MAP(0, 1, 1), STORE(0), PROTECT(0, 1, 0, PT_WRITE)},
		.threads =
			{
				{HARVEST(0, 1, PT_DIRTY)},
				{HARVEST(0, 1, PT_DIRTY)},
			},
	},
	{
		.name = "harvest-unmap",
		.about = "a page is harvested, protected and unmapped at the same time",
		.hardware = true,
		.initial = {MAP_AS(0, 2, 8, RW | PT_ACCESSED, 1)},
		.threads =
			{
				{HARVEST(0, 4, PT_ACCESSED | PT_DIRTY)},
				{UNMAP_LATER(0, 1), SYNC},
				{STORE(0), STORE(1)},
			},
	},
	{
		.name = "merge-dirty",
		.about = "leaves merge while the hardware dirties one of them",
		.hardware = true,
		.initial = {MAP(0, 4, 4)},
		.threads =
			{
				{MERGE(0, 4)},
				{STORE(1)},
				{LOAD(2)},
			},
	},
	{
		.name = "merge-query",
		.about = "nobody sees a hole, or another translation, while leaves merge",
		.initial = {MAP(0, 4, 4)},
		.threads =
			{
				{MERGE(0, 4)},
				{QUERY(1), WALK(1)},
				{QUERY_GET(2)},
			},
	},
	{
		.name = "merge-unmap",
		.about = "leaves merge while one of them is unmapped, and its dirty bit reported",
		.hardware = true,
		.initial = {MAP(0, 4, 4)},
		.threads =
			{
				{MERGE(0, 16)},
				{UNMAP_LATER(1, 1), SYNC},
				{STORE(1)},
			},
	},
	{
		.name = "merge-hole",
		.about = "a page is missing while the others would merge",
		.initial = {MAP(0, 3, 4)},
		.threads =
			{
				{MERGE(0, 4)},
				{MAP(3, 1, 7)},
				{QUERY(3)},
			},
	},
	{
		.name = "merge-protect",
		.about = "one leaf is write-protected while all would merge",
		.hardware = true,
		.initial = {MAP(0, 4, 4)},
		.threads =
			{
				{MERGE(0, 4)},
				{PROTECT(2, 1, 0, PT_WRITE)},
				{STORE(2)},
			},
	},
	{
		.name = "merge-frames",
		.about = "tracked leaves merge; their frames are handed back once, when unmapped",
		.hardware = true,
		.initial = {MAP_AS(0, 4, 4, TRACKED_RW, 1)},
		.threads =
			{
				{MERGE(0, 4)},
				{UNMAP(0, 4)},
				{LOAD(0), QUERY_GET(1)},
			},
	},
	{
		.name = "merge-harvest",
		.about = "leaves merge while their dirty bits are harvested",
		.hardware = true,
		.initial = {MAP(0, 4, 4)},
		.threads =
			{
				{MERGE(0, 4)},
				{HARVEST(0, 2, PT_DIRTY)},
				{STORE(0)},
			},
	},
	{
		.name = "merge-reuse",
		.about = "the node of merged leaves is used elsewhere while a query is in it",
		.cold = true,
		.initial = {MAP(0, 4, 4)},
		.threads =
			{
				{MERGE(0, 4)},
				{QUERY(1)},
				{MAP(16, 1, 3)},
			},
	},
	{
		.name = "merge-split",
		.about = "two threads merge, and split again, what a third uses",
		.hardware = true,
		.initial = {MAP(0, 4, 4)},
		.threads =
			{
				{MERGE(0, 4), PROTECT(1, 1, PT_SOFT0, 0)},
				{MERGE(0, 16)},
				{STORE(1)},
			},
	},
	{.name = NULL},
};
