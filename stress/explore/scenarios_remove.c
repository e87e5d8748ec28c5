/* SPDX-License-Identifier: MIT */
/* Pages and tables go: strays, waiters inside them, reclamation and reuse. */
#include "scenario.h"
#include "scenarios.h"

const struct scenario scenarios_remove[] = {
	{
		.name = "unmap-same",
		.about = "two threads unmap one page and a third maps it again",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 1)},
				{UNMAP(0, 1), QUERY(0)},
				{MAP(0, 1, 2)},
			},
	},
	{
		.name = "map-unmap",
		.about = "map and unmap of neighbours in one leaf table",
		.initial = {MAP(1, 1, 1)},
		.threads =
			{
				{MAP(0, 1, 2), UNMAP(1, 1)},
				{UNMAP(0, 2), QUERY(0)},
			},
	},
	{
		.name = "detach-map",
		.about = "a leaf table is detached while a page is mapped in it",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 4)},
				{MAP(1, 1, 2), QUERY(1)},
				{QUERY(0), QUERY(1)},
			},
	},
	{
		.name = "detach-waiters",
		.about = "a leaf table is detached while two threads wait for its lock",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 4)},
				{MAP(1, 1, 2)},
				{UNMAP(0, 1), MAP(2, 1, 3)},
			},
	},
	{
		.name = "detach-deep",
		.about = "a subtree of two levels is detached while others wait at both",
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2)},
		.threads =
			{
				{UNMAP(0, 16)},
				{MAP(1, 1, 3)},
				{MAP(3, 2, 8)},
			},
	},
	{
		.name = "detach-all",
		.about = "everything is unmapped, from the root, against a map and a query",
		.initial = {MAP(0, 1, 1), MAP(20, 1, 2)},
		.threads =
			{
				{UNMAP(0, 64)},
				{MAP(21, 1, 3), QUERY(0)},
				{WALK(0), WALK(20)},
			},
	},
	{
		.name = "detach-edges",
		.about = "a range detaches one leaf table whole and clears part of the next",
		.initial = {MAP(0, 8, 8)},
		.threads =
			{
				{UNMAP(0, 6)},
				{UNMAP(5, 1), QUERY(3)},
				{PROTECT(3, 4, 0, PT_WRITE)},
			},
	},
	{
		.name = "detach-twice",
		.about = "two threads detach overlapping subtrees",
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2)},
		.threads =
			{
				{UNMAP(0, 16)},
				{UNMAP(0, 4)},
				{QUERY(0), QUERY(4)},
			},
	},
	{
		.name = "rebuild",
		.about = "a subtree is detached and built anew while others look and map",
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 16), MAP(0, 1, 2)},
				{MAP(1, 1, 3)},
				{QUERY(0)},
			},
	},
	{
		.name = "reuse",
		.about = "the node of a detached table is reused elsewhere while a query is in it",
		.cold = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{UNMAP(0, 4)},
				{QUERY(1)},
				{MAP(16, 1, 3)},
			},
	},
	{
		.name = "reuse-walk",
		.about = "as reuse, for the hardware's walk, with a subtree of two levels",
		.cold = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{UNMAP(0, 16), RECLAIM},
				{WALK(1)},
				{MAP(32, 1, 3)},
			},
	},
	{
		.name = "reuse-split",
		.about =
			"the node of a detached table gets a split leaf's pages while a query is in it",
		.initial = {MAP(0, 1, 1), MAP_HUGE(4, 8)},
		.threads =
			{
				{UNMAP(0, 4), PROTECT(5, 1, 0, PT_WRITE)},
				{QUERY(0)},
			},
	},
	{
		.name = "reuse-touch",
		.about =
			"a page's table goes, and its frame comes back in the next one, while the hardware "
			"dirties it",
		.hardware = true,
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 1), PRUNE(0, 4), MAP(4, 1, 1)},
				{STORE(0)},
			},
	},
	{
		.name = "reuse-emulated",
		.about =
			"a huge leaf displaces a page's table, which takes its frame in again elsewhere, "
			"while an emulator dirties it, for which no flush waits",
		.hardware = true,
		.initial = {MAP(0, 1, 1)},
		.threads =
			{
				{UNMAP(0, 1), MAP_HUGE(0, 8), MAP(16, 1, 1)},
				{EMULATED_STORE(0)},
			},
	},
	{
		.name = "reuse-levels",
		.about =
			"of a detached subtree's nodes the right one makes a table while a query is in them",
		.initial = {MAP(16, 1, 1), MAP(4, 1, 3)},
		.threads =
			{
				{UNMAP(16, 16), MAP(8, 1, 2)},
				{QUERY(16)},
			},
	},
	{
		.name = "reuse-homes",
		.about = "nodes go home; who has no memory there takes them from where they are",
		.cold = true,
		.homes = true,
		.scarce = true,
		.initial = {MAP(0, 16, 16)},
		.threads =
			{
				{UNMAP(0, 16)},
				{QUERY(1), MAP(16, 8, 8), MAP(32, 1, 3)},
				{UNMAP(0, 4)},
			},
	},
	{
		.name = "synchronous",
		.about = "who detaches a table waits for the walks in it, then frees it",
		.synchronous = true,
		.initial = {MAP(0, 2, 8)},
		.threads =
			{
				{UNMAP(0, 4), MAP(0, 1, 1)},
				{QUERY(1), MAP(2, 1, 2)},
				{UNMAP(0, 16)},
			},
	},
	{
		.name = "backlog",
		.about = "calls wait until less is retired, while others walk and retire more",
		.backlog = 32,
		.initial = {MAP(0, 1, 1), MAP(4, 1, 2)},
		.threads =
			{
				{UNMAP(0, 16), MAP(0, 1, 3)},
				{QUERY(0), MAP(5, 1, 3)},
				{WALK(4)},
			},
	},
	{.name = NULL},
};
