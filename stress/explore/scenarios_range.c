/* SPDX-License-Identifier: MIT */
/*
 * Ranges: three that overlap by turns, one that is locked again at once, and those that are disjoint but
 * meet in tables on their way.
 */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_range[] = {
	{
		.name = "range-overlap",
		.about = "three ranges, each of which overlaps the next",
		.initial = {MAP(0, 1, 1), MAP(2, 1, 2)},
		.threads =
			{
				{UNMAP(0, 2)},
				{BEGIN(PT_BUILD, 1, 2, 1), C_MAP(3), C_TAKE(1), END, SYNC},
				{PROTECT(2, 2, 0, PT_WRITE)},
			},
	},
	{
		.name = "range-nested",
		.about = "pages, a leaf table that has them, and all that is above",
		.initial = {MAP(1, 1, 1), MAP(5, 1, 2)},
		.threads =
			{
				{MAP(2, 1, 3)},
				{UNMAP(0, 4)},
				{UNMAP(1, 16)},
			},
	},
	{
		.name = "range-again",
		.about = "a range is locked again at once, beside one behind it and one over both",
		.initial = {MAP(0, 1, 1), MAP(1, 1, 2)},
		.threads =
			{
				{PROTECT(0, 1, 0, PT_WRITE), UNMAP(1, 1)},
				{BEGIN(PT_CHANGE, 1, 2, 1), C_TAKE(1), END, SYNC, MAP(1, 1, 4)},
				{UNMAP(0, 2)},
			},
	},
	{
		.name = "range-often",
		.about = "a thread locks one range after the other while another is about to",
		.initial = {MAP(0, 1, 1), MAP(1, 1, 2)},
		.threads =
			{
				{PROTECT(1, 1, 0, PT_WRITE), PROTECT(1, 1, PT_WRITE, 0),
				 PROTECT(1, 1, 0, PT_WRITE), PROTECT(1, 1, PT_WRITE, 0),
				 MAP(0, 1, 3), UNMAP(0, 1)},
				{UNMAP(0, 1), MAP(0, 1, 4)},
			},
	},
	{
		.name = "range-meet",
		.about = "disjoint ranges need the same tables, and one takes away its own",
		.initial = {MAP(0, 1, 1), UNMAP(0, 16)},
		.threads =
			{
				{MAP(1, 1, 2)},
				{MAP(2, 1, 3)},
				{MAP(4, 4, 4), UNMAP(4, 4)},
			},
	},
	{
		.name = "range-sticks-out",
		.about =
			"a leaf that was several and becomes one again, while parts of it are changed",
		.initial = {MAP_HUGE(0, 4)},
		.threads =
			{
				{UNMAP(0, 1)},
				{PROTECT(3, 1, 0, PT_WRITE), MERGE(0, 4)},
				{MAP(0, 1, 4), PROTECT(1, 2, 0, PT_WRITE)},
			},
	},
	{
		.name = "range-harvest",
		.about =
			"bits of a leaf that has just become one are harvested, while a part of it goes",
		.initial = {MAP_AS(0, 4, 4, RW | PT_ACCESSED | PT_DIRTY, 1)},
		.threads =
			{
				{HARVEST(1, 2, PT_DIRTY)},
				{MERGE(0, 4)},
				{UNMAP(3, 1)},
			},
	},
	{
		.name = "range-clone",
		.about = "what is cloned lies in tables that others make at both ends",
		.two_tables = true,
		.cold = true,
		.initial = {MAP(4, 4, 4)},
		.threads =
			{
				{CLONE(1, 14, PT_WRITE)},
				{MAP(0, 1, 1)},
				{MAP(15, 1, 2)},
			},
	},
	{
		.name = "range-clone-long",
		.about = "the same, with more tables than a thread fetches nodes at a time",
		.two_tables = true,
		.cold = true,
		.initial = {MAP(4, 24, 4)},
		.threads =
			{
				{CLONE(1, 30, PT_WRITE)},
				{MAP(0, 1, 1)},
				{MAP(31, 1, 2)},
			},
	},
	{.name = NULL},
};
