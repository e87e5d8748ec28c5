/* SPDX-License-Identifier: MIT */
/* CPUs walk the tree, set accessed and dirty bits and cache translations. */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_hardware[] = {
	{
		.name = "protect-dirty",
		.about = "a page is write-protected while the hardware sets its dirty bit",
		.hardware = true,
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{PROTECT(0, 1, 0, PT_WRITE)},
				{STORE(0), STORE(0)},
			},
	},
	{
		.name = "unmap-dirty",
		.about = "a page is unmapped while the hardware sets its dirty bit",
		.hardware = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{UNMAP_LATER(0, 1), SYNC},
				{STORE(0)},
				{LOAD(0)},
			},
	},
	{
		.name = "detach-dirty",
		.about = "a table is detached while the hardware sets dirty bits below it",
		.hardware = true,
		.initial = {MAP(0, 2, 8), MAP(4, 1, 1)},
		.threads =
			{
				{UNMAP_LATER(0, 16), SYNC},
				{STORE(1)},
				{STORE(4), STORE(4)},
			},
	},
	{
		.name = "split-dirty",
		.about = "a huge leaf is split while the hardware dirties it",
		.hardware = true,
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{UNMAP_LATER(1, 1), SYNC},
				{STORE(1), STORE(2)},
			},
	},
	{
		.name = "harvest-dirty",
		.about = "a cursor reads and clears the dirty bit while the hardware sets it",
		.hardware = true,
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{BEGIN(PT_CHANGE, 0, 1, 1), C_PROTECT(1, 0, PT_DIRTY), END, SYNC},
				{STORE(0), STORE(0)},
			},
	},
	{
		.name = "remap",
		.about = "a page moves to another frame; nobody uses the old one afterwards",
		.hardware = true,
		.initial = {MAP_AS(0, 1, 1, TRACKED_RW, 1)},
		.threads =
			{
				{UNMAP(0, 1), MAP_AS(0, 1, 2, TRACKED_RW, 1)},
				{LOAD(0), LOAD(0)},
				{STORE(0)},
			},
	},
	{
		.name = "frames",
		.about = "frames of a detached table are handed back after everybody has flushed",
		.hardware = true,
		.initial = {MAP_AS(0, 2, 8, TRACKED_RW, 1)},
		.threads =
			{
				{UNMAP(0, 4)},
				{LOAD(0), LOAD(1), LOAD(0)},
			},
	},
	{
		.name = "frames-gather",
		.about = "two unmaps share one gather, which hands back after its one flush",
		.hardware = true,
		.initial = {MAP_AS(0, 2, 8, TRACKED_RW, 1), MAP_AS(4, 1, 1, TRACKED_RW, 1)},
		.threads =
			{
				{UNMAP_LATER(0, 4), UNMAP_LATER(4, 1), SYNC},
				{LOAD(1), LOAD(4)},
				{UNMAP(4, 1)},
			},
	},
	{
		.name = "protect-cached",
		.about = "nobody writes by a cached translation after a protect has returned",
		.hardware = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{PROTECT(0, 2, 0, PT_WRITE), QUERY(0)},
				{STORE(0), STORE(1)},
				{PROTECT(1, 1, PT_WRITE, 0)},
			},
	},
	{
		.name = "flush-waiters",
		.about = "who changes a page waits for who changes the one beside it and flushes",
		.hardware = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{PROTECT(0, 1, 0, PT_WRITE)},
				{PROTECT(1, 1, 0, PT_WRITE), LOAD(0)},
			},
	},
	{
		.name = "tracked-fail",
		.about = "a map of a tracked frame fails; its reference stays with the caller",
		.hardware = true,
		.initial = {MAP_AS(1, 1, 1, TRACKED_RW, 1)},
		.threads =
			{
				{MAP_AS(0, 2, 8, TRACKED_RW, 1)},
				{UNMAP(1, 1), MAP_AS(1, 1, 2, TRACKED_RW, 1)},
			},
	},
	{
		.name = "query-get",
		.about = "queries take references of frames that are being unmapped",
		.hardware = true,
		.initial = {MAP_AS(0, 2, 8, TRACKED_RW, 1)},
		.threads =
			{
				{UNMAP(0, 4)},
				{QUERY_GET(1), QUERY_GET(0)},
				{UNMAP(0, 1), MAP_AS(0, 1, 1, TRACKED_RW, 1)},
			},
	},
	{
		.name = "huge-over-cached",
		.about = "a huge leaf takes the place of a table that CPUs walk",
		.hardware = true,
		.initial = {MAP(0, 1, 1), UNMAP(0, 1)},
		.threads =
			{
				{MAP_HUGE(0, 4)},
				{LOAD(0), STORE(1)},
				{MAP(1, 1, 2), UNMAP(1, 1)},
			},
	},
	{
		.name = "forbid-unmap",
		.about =
			"a page that nobody may use any more, but was not flushed yet, is unmapped",
		.hardware = true,
		.initial = {MAP_AS(0, 1, 1, TRACKED_RW, 1)},
		.threads =
			{
				{PROTECT(0, 1, 0, RW)},
				{UNMAP(0, 1)},
				{LOAD(0), LOAD(0)},
			},
	},
	{.name = NULL},
};
