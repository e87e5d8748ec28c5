/* SPDX-License-Identifier: MIT */
/*
 * Cursors that only try, threads that hold ranges of two tables, and clones of one into the other.
 * Pages from 32 on are those of the second.
 */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_tables[] = {
	{
		.name = "try-crossed",
		.about = "two threads hold a range of one table each and try for the other's",
		.two_tables = true,
		.threads =
			{
				{BEGIN(PT_BUILD, 0, 1, 1), C_MAP(1), TRY(PT_BUILD, 32, 2, 1),
				 C_MAP(2), END, END},
				{BEGIN(PT_BUILD, 32, 1, 1), C_MAP(3), TRY(PT_BUILD, 0, 2, 1),
				 C_MAP(4), END, END},
			},
	},
	{
		.name = "try-crossed-ready",
		.about = "the same where the tables on the way are there, and a query beside it",
		.two_tables = true,
		.initial = {MAP(1, 1, 8), MAP(33, 1, 9)},
		.threads =
			{
				{BEGIN(PT_CHANGE, 0, 2, 1), TRY(PT_CHANGE, 32, 2, 1), C_TAKE(2),
				 END, C_TAKE(2), END, SYNC},
				{BEGIN(PT_CHANGE, 32, 2, 1), TRY(PT_CHANGE, 0, 2, 1), C_TAKE(2),
				 END, C_TAKE(2), END, SYNC},
				{QUERY(1)},
			},
	},
	{
		.name = "try-partial",
		.about = "some tables of the range can be locked, one is held by another thread",
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2), MAP(8, 1, 3)},
		.threads =
			{
				{TRY(PT_CHANGE, 0, 12, 2), C_TAKE(12), END, SYNC},
				{BEGIN(PT_CHANGE, 4, 1, 1), C_QUERY, END},
				{MAP(1, 1, 4)},
			},
	},
	{
		.name = "try-build",
		.about = "a cursor that only tries builds where another does, and where one unmaps",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{TRY(PT_BUILD, 4, 2, 1), C_MAP(8), END},
				{MAP(5, 1, 2)},
				{UNMAP(0, 16)},
			},
	},
	{
		.name = "try-read-new",
		.about =
			"a reader who only tries sees all of a table that was made before, or is refused",
		.initial = {MAP(16, 1, 1)},
		.threads =
			{
				{TRY(PT_READ_ONLY, 0, 2, 1), C_QUERY, END},
				{MAP(0, 1, 2)},
			},
	},
	{
		.name = "try-readers",
		.about = "a read cursor that only tries beside another and one that changes",
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{TRY(PT_READ_ONLY, 0, 2, 1), C_QUERY, C_JUMP(1), C_QUERY, END},
				{BEGIN(PT_READ_ONLY, 0, 2, 1), C_QUERY, END},
				{PROTECT(0, 2, PT_SOFT0, 0)},
			},
	},
	{
		.name = "try-beside-reader",
		.about = "a cursor that would change, but only tries, beside a read cursor",
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{TRY(PT_CHANGE, 0, 2, 1), C_TAKE(1), C_TAKE(1), END, SYNC},
				{BEGIN(PT_READ_ONLY, 0, 2, 1), C_QUERY, C_JUMP(1), C_QUERY, END},
			},
	},
	{
		.name = "try-lock",
		.about = "who only tries, beside two who wait",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{TRY(PT_BUILD, 0, 1, 1), C_MAP(1), END},
				{MAP(1, 1, 2)},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "try-ticket",
		.about = "who only tries leaves the queue as it is; node lock ticket",
		.node_lock = "ticket",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{TRY(PT_BUILD, 0, 1, 1), C_MAP(1), END},
				{MAP(1, 1, 2)},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "try-queued",
		.about = "who only tries leaves the queue as it is; node lock queued",
		.node_lock = "queued",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{TRY(PT_BUILD, 0, 1, 1), C_MAP(1), END},
				{MAP(1, 1, 2)},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "try-mutex",
		.about = "who only tries wakes whoever came to sleep meanwhile; node lock mutex",
		.node_lock = "mutex",
		.initial = {MAP(3, 1, 3)},
		.threads =
			{
				{TRY(PT_BUILD, 0, 1, 1), C_MAP(1), END},
				{MAP(1, 1, 2)},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "try-displace",
		.about = "an empty table gives way to a huge leaf while its thread holds more",
		.two_tables = true,
		.hardware = true,
		.initial = {MAP(0, 1, 1), UNMAP(0, 1)},
		.threads =
			{
				{BEGIN(PT_BUILD, 32, 1, 1), TRY(PT_BUILD, 0, 4, 2), C_MAP_HUGE(4),
				 END, C_MAP(8), END},
				{LOAD(1), QUERY(0)},
				{MAP(33, 1, 3)},
			},
	},
	{
		.name = "clone-crossed",
		.about = "two threads clone in opposite directions between the same leaf tables",
		.two_tables = true,
		.hardware = true,
		.initial = {MAP(0, 2, 8), MAP(34, 2, 12)},
		.threads =
			{
				{CLONE(0, 2, PT_WRITE)},
				{CLONE(34, 2, PT_WRITE)},
				{QUERY(32), WALK(2)},
			},
	},
	{
		.name = "clone-store",
		.about = "a page is cloned while the hardware writes to it; nobody does afterwards",
		.two_tables = true,
		.hardware = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{CLONE(0, 2, PT_WRITE)},
				{STORE(0), STORE(0)},
				{LOAD(32)},
			},
	},
	{
		.name = "clone-dirty",
		.about = "what was written before is dirty in the source, and not in the copy",
		.two_tables = true,
		.hardware = true,
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{STORE(1), CLONE(0, 4, PT_WRITE)},
				{UNMAP_LATER(0, 4), SYNC},
			},
	},
	{
		.name = "clone-unmap",
		.about =
			"both sides of a clone are unmapped meanwhile; frames are handed back once",
		.two_tables = true,
		.hardware = true,
		.initial = {MAP_AS(0, 2, 8, TRACKED_RW, 1)},
		.threads =
			{
				{CLONE(0, 4, PT_WRITE)},
				{UNMAP(0, 1)},
				{UNMAP(32, 4)},
			},
	},
	{
		.name = "clone-parts",
		.about = "the middle of a tracked huge leaf is cloned while the leaf is unmapped",
		.two_tables = true,
		.hardware = true,
		.initial = {MAP_AS(0, 4, 4, TRACKED_RW, 2)},
		.threads =
			{
				{CLONE(1, 2, PT_WRITE)},
				{UNMAP(0, 4)},
				{QUERY(33), LOAD(0)},
			},
	},
	{
		.name = "clone-occupied",
		.about = "two leaf tables are cloned to where a page is just being mapped",
		.two_tables = true,
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2)},
		.threads =
			{
				{CLONE(0, 16, PT_WRITE)},
				{MAP(36, 1, 5), UNMAP(36, 1)},
				{QUERY(36)},
			},
	},
	{
		.name = "clone-deep",
		.about =
			"a clone links tables of two levels, and others go to the lower one at once",
		.two_tables = true,
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{CLONE(0, 16, PT_WRITE)},
				{MAP(33, 1, 5)},
				{MAP(34, 1, 6)},
			},
	},
	{
		.name = "clone-change",
		.about =
			"the source is changed by a cursor, so that only both values, or none, are seen",
		.two_tables = true,
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2)},
		.threads =
			{
				{CLONE(0, 8, PT_WRITE)},
				{BEGIN(PT_CHANGE, 0, 8, 1), C_PROTECT(8, PT_SOFT0, 0),
				 C_PROTECT(4, PT_SOFT0, 0), END},
				{BEGIN(PT_READ_ONLY, 32, 8, 1), C_QUERY, C_JUMP(36), C_QUERY, END},
			},
	},
	{
		.name = "clone-readers",
		.about =
			"read cursors see both pages of the source before a clone, or both after it",
		.two_tables = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{CLONE(0, 2, PT_WRITE)},
				{BEGIN(PT_READ_ONLY, 0, 2, 1), C_QUERY, C_JUMP(1), C_QUERY, END},
				{BEGIN(PT_READ_ONLY, 32, 2, 1), C_FIND(2), END},
			},
	},
	{
		.name = "clone-displace",
		.about = "a huge leaf is cloned over an empty table that others use",
		.two_tables = true,
		.hardware = true,
		.initial = {MAP_HUGE(0, 4), MAP(32, 1, 1), UNMAP(32, 1)},
		.threads =
			{
				{CLONE(0, 4, PT_WRITE)},
				{MAP(33, 1, 2)},
				{QUERY(32), LOAD(33)},
			},
	},
	{
		.name = "clone-holding",
		.about = "a clone beside a thread that holds one side and tries for the other",
		.two_tables = true,
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{CLONE(0, 2, PT_WRITE)},
				{BEGIN(PT_BUILD, 32, 2, 1), TRY(PT_CHANGE, 0, 2, 1), C_QUERY, END,
				 C_JUMP(33), C_MAP(3), END},
			},
	},
	{
		.name = "clone-refused",
		.about = "a frame has as many holders as it can, until one lets go of it",
		.two_tables = true,
		.frames = 2,
		.initial = {MAP_AS(0, 2, 0, TRACKED_RW, 1), FRAME_GET(1)},
		.threads =
			{
				{FRAME_PUT(1)},
				{CLONE(0, 2, PT_WRITE)},
				{QUERY(32)},
			},
	},
	{.name = NULL},
};
