/* SPDX-License-Identifier: MIT */
/* Cursors that only try, and threads that hold ranges of two tables. Pages from 32 on: the second. */
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
	{.name = NULL},
};
