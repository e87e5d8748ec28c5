/* SPDX-License-Identifier: MIT */
/*
 * A user table borrows the kernel half, pages 32 to 63; tables come and go, CPUs run on them. Whoever
 * looks does so through the user table (roles.h).
 */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_role[] = {
	{
		.name = "role-map",
		.about = "what the kernel maps and unmaps is looked at through the user table",
		.roles = true,
		.threads =
			{
				{MAP(32, 1, 1), UNMAP(32, 1)},
				{QUERY(32), WALK(32)},
				{WALK(32)},
			},
	},
	{
		.name = "role-detach",
		.about = "a kernel table leaves while user tables are looked through",
		.roles = true,
		.initial = {MAP(32, 1, 1)},
		.threads =
			{
				{UNMAP(32, 16)},
				{QUERY(32), QUERY(33)},
				{WALK(32)},
			},
	},
	{
		.name = "role-reuse",
		.about = "the node of a kernel table is used elsewhere while a query is in it",
		.roles = true,
		.cold = true,
		.initial = {MAP(32, 1, 1)},
		.threads =
			{
				{UNMAP(32, 4), MAP(48, 1, 3)},
				{QUERY(32)},
				{MAP(0, 1, 2)},
			},
	},
	{
		.name = "role-protect",
		.about = "kernel pages are protected and split, CPUs use them by the user table",
		.roles = true,
		.hardware = true,
		.initial = {MAP_HUGE(32, 4)},
		.threads =
			{
				{PROTECT(33, 1, 0, PT_WRITE)},
				{STORE(33)},
				{QUERY(32), LOAD(34)},
			},
	},
	{
		.name = "role-halves",
		.about = "both halves change at the same time",
		.roles = true,
		.initial = {MAP(1, 1, 1), MAP(33, 1, 2)},
		.threads =
			{
				{MAP(32, 1, 3), QUERY(1)},
				{UNMAP(0, 4), QUERY(33)},
			},
	},
	{
		.name = "role-get",
		.about = "a reference of a kernel frame is taken through the user table",
		.roles = true,
		.hardware = true,
		.initial = {MAP_AS(32, 1, 1, TRACKED_RW, 1)},
		.threads =
			{
				{UNMAP_LATER(32, 1), SYNC},
				{QUERY_GET(32)},
			},
	},
	{
		.name = "role-come-and-go",
		.about = "user tables are created and destroyed while the kernel half changes",
		.roles = true,
		.initial = {MAP(32, 1, 1)},
		.threads =
			{
				{NEW_TABLE, QUERY(32), WALK(33), DROP_TABLE},
				{UNMAP(32, 4), MAP(33, 1, 2)},
			},
	},
	{
		.name = "role-two-users",
		.about = "two threads create and drop tables that share one half, a third looks",
		.roles = true,
		.initial = {MAP(32, 1, 1)},
		.threads =
			{
				{NEW_TABLE, DROP_TABLE},
				{NEW_TABLE, WALK(32), DROP_TABLE},
				{QUERY(32)},
			},
	},
	{
		.name = "role-last-put",
		.about = "owners walk through a table, whoever is last takes it apart",
		.roles = true,
		.initial = {GET_TABLE, MAP(32, 1, 1)},
		.threads =
			{
				{WALK(32), PUT_TABLE},
				{QUERY(32), PUT_TABLE},
				{UNMAP(32, 1)},
			},
	},
	{
		.name = "role-get-put",
		.about = "references of one table are taken and given back",
		.roles = true,
		.initial = {GET_TABLE},
		.threads =
			{
				{GET_TABLE, PUT_TABLE, WALK(32), PUT_TABLE},
				{GET_TABLE, PUT_TABLE},
			},
	},
	{
		.name = "role-dropping",
		.about = "a table goes whose frames wait for a grace period",
		.roles = true,
		.hardware = true,
		.initial = {MAP_AS(0, 1, 1, TRACKED_RW, 1)},
		.threads =
			{
				{UNMAP(0, 1), PUT_TABLE},
				{NEW_TABLE, WALK(32), DROP_TABLE},
			},
	},
	{
		.name = "role-mixed",
		.about =
			"user tables have a strategy of their own; in the kernel half the kernel's holds",
		.roles = true,
		.user = "mutex",
		.initial = {MAP(32, 1, 1)},
		.threads =
			{
				{UNMAP(32, 16), MAP(33, 1, 2)},
				{QUERY(32), MAP(0, 1, 3)},
				{NEW_TABLE, QUERY(33), DROP_TABLE},
			},
	},
	{
		.name = "role-orphans",
		.about = "the kernel table's creator gives it up, tables that share it keep it",
		.roles = true,
		.initial = {MAP(32, 1, 1)},
		.threads =
			{
				{PUT_KERNEL},
				{NEW_TABLE, QUERY(32), DROP_TABLE},
				{WALK(32)},
			},
	},
	{
		.name = "role-activate",
		.about = "a table is active on a CPU when its last owner gives it up",
		.roles = true,
		.initial = {GET_TABLE, MAP(32, 1, 1)},
		.threads =
			{
				{ACTIVATE, PUT_TABLE, WALK(32), DEACTIVATE},
				{PUT_TABLE},
			},
	},
	{
		.name = "role-two-cpus",
		.about = "two CPUs run on a table and leave it, one for a table of its own",
		.roles = true,
		.initial = {GET_TABLE},
		.threads =
			{
				{ACTIVATE, PUT_TABLE, NEW_TABLE, ACTIVATE, DEACTIVATE, DROP_TABLE},
				{ACTIVATE, PUT_TABLE, WALK(32), DEACTIVATE},
			},
	},
	{.name = NULL},
};
