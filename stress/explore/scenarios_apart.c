/* SPDX-License-Identifier: MIT */
/* Threads whose ranges are in different tables: see apart.h. */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_apart[] = {
	{
		.name = "apart-pages",
		.about = "single pages of far leaf tables are mapped, changed and removed",
		.apart = APART_ALL,
		.initial = {MAP(0, 2, 8), MAP(16, 2, 16)},
		.threads =
			{
				{MAP(2, 1, 3), PROTECT(0, 1, 0, PT_WRITE), UNMAP(1, 1)},
				{MAP(18, 1, 4), PROTECT(16, 1, 0, PT_WRITE), UNMAP(17, 1)},
			},
	},
	{
		.name = "apart-ranges",
		.about = "ranges of neighbouring leaf tables are mapped, changed and marked",
		.apart = APART_ALL,
		.initial = {MAP(0, 2, 8), MAP(4, 2, 16)},
		.threads =
			{
				{MAP(2, 2, 4), PROTECT(0, 2, 0, PT_WRITE), UNMAP(1, 2)},
				{MARK(6, 2, 7), UNMAP(5, 3), MAP(6, 2, 4)},
			},
	},
	{
		.name = "apart-cursors",
		.about = "cursors stay open on neighbouring leaf tables",
		.apart = APART_ALL,
		.above = true,
		.initial = {MAP(0, 2, 8), MAP(4, 2, 16)},
		.threads =
			{
				{BEGIN(PT_BUILD, 0, 4, 1), C_QUERY, C_JUMP(2), C_MAP(3), END},
				{BEGIN(PT_CHANGE, 4, 4, 1), C_PROTECT(1, 0, PT_WRITE), END},
				{BEGIN(PT_READ_ONLY, 12, 1, 1), C_QUERY, END},
			},
	},
	{
		.name = "apart-looks",
		.about = "pages of one table are looked at, beside changes of another one",
		.apart = APART_ALL,
		.initial = {MAP(0, 2, 8), MAP(4, 2, 16)},
		.threads =
			{
				{QUERY(0), WALK(1), QUERY(1)},
				{QUERY(1), WALK(0)},
				{UNMAP(4, 1), MAP(4, 1, 3), PROTECT(5, 1, 0, PT_WRITE)},
			},
	},
	{
		.name = "apart-slots",
		.about =
			"neighbouring pages of one leaf table are mapped, changed, removed and held",
		.apart = APART_ALL,
		.neighbours = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{PROTECT(0, 1, 0, PT_WRITE), UNMAP(0, 1), MAP(0, 1, 3)},
				{BEGIN(PT_CHANGE, 1, 1, 1), C_PROTECT(1, 0, PT_WRITE), END},
				{BEGIN(PT_BUILD, 2, 2, 1), C_MAP(4), C_JUMP(3), C_MARK(1, 7), END},
			},
	},
	{
		.name = "apart-tables",
		.about = "tables of far ranges are linked, detached and freed",
		.apart = APART_MEMORY,
		.initial = {MAP(0, 2, 8), MAP(16, 2, 16)},
		.threads =
			{
				{UNMAP(0, 4), MAP(1, 1, 3)},
				{UNMAP(16, 4), MAP(17, 1, 4)},
			},
	},
	{
		.name = "apart-synchronous",
		.about = "who detaches tables of far ranges waits, and frees them, by itself",
		.apart = APART_MEMORY,
		.synchronous = true,
		.initial = {MAP(0, 2, 8), MAP(16, 2, 16)},
		.threads =
			{
				{UNMAP(0, 4)},
				{UNMAP(16, 4)},
			},
	},
	{
		.name = "apart-cold",
		.about = "threads that have no nodes near build tables of far ranges",
		.apart = APART_MEMORY,
		.above = true,
		.cold = true,
		.initial = {MAP(31, 1, 16), MAP(47, 1, 24)},
		.threads =
			{
				{QUERY(31)},
				{MAP(16, 1, 3)},
				{MAP(32, 1, 4)},
			},
	},
	{
		.name = "apart-homes",
		.about = "threads of two homes look at the same pages, each in its home's tree",
		.apart = APART_HOMES,
		/* the unmap brings all trees forward */
		.initial = {MAP(0, 2, 8), MAP(4, 1, 3), UNMAP(4, 4)},
		.threads =
			{
				{QUERY(0), QUERY(1), WALK(1)},
				{QUERY(1), WALK(0), QUERY(0)},
			},
	},
	{.name = NULL},
};
