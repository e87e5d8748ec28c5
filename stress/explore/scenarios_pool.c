/* SPDX-License-Identifier: MIT */
/* Nodes are taken from the pool's chunks and given back: see spares.h. A chunk has 128. */
#include "scenario.h"
#include "scenarios.h"

#define NODES_IN_CHUNK 128

const struct scenario scenarios_pool[] = {
	{
		.name = "pool-chunk",
		.about = "threads take from one chunk and give back to it",
		.cold = true,
		.spares = 1,
		.initial = {NODES_TAKE(NODES_IN_CHUNK), NODES_GIVE(2)},
		.threads =
			{
				{NODES_GIVE(1), NODES_TAKE(2)},
				{NODES_TAKE(1), NODES_GIVE(1)},
				{NODES_TAKE(1)},
			},
	},
	{
		.name = "pool-chunks",
		.about = "chunks are listed, and taken from the list, at the same time",
		.cold = true,
		.spares = 3,
		.initial = {NODES_TAKE(NODES_IN_CHUNK), NODES_TAKE(NODES_IN_CHUNK),
			    NODES_TAKE(NODES_IN_CHUNK - 1), NODES_GIVE(NODES_IN_CHUNK + 1),
			    NODES_TAKE(NODES_IN_CHUNK)},
		.threads =
			{
				{NODES_GIVE(2), NODES_TAKE(1), NODES_GIVE(1)},
				{NODES_TAKE(1), NODES_TAKE(1), NODES_GIVE(2)},
			},
	},
	{
		.name = "pool-again",
		.about = "a chunk is listed again, by a third thread, above other ones",
		.cold = true,
		.spares = 2,
		.initial = {NODES_FOR(2, 1), NODES_FOR(1, NODES_IN_CHUNK),
			    NODES_TAKE(NODES_IN_CHUNK), NODES_GIVE(1)},
		.threads =
			{
				{NODES_TAKE(1), NODES_TAKE(1), NODES_GIVE(1), NODES_TAKE(1),
				 NODES_TAKE(1), NODES_TAKE(1)},
				{NODES_GIVE(1)},
				{NODES_GIVE(1)},
			},
	},
	{
		.name = "pool-stale",
		.about =
			"a chunk leaves the list and returns above another one, while it is being taken off",
		.cold = true,
		.spares = 3,
		.initial = {NODES_FOR(1, NODES_IN_CHUNK), NODES_TAKE(NODES_IN_CHUNK),
			    NODES_FOR(2, NODES_IN_CHUNK), NODES_OF(2, 1), NODES_GIVE(1)},
		.threads =
			{
				{NODES_TAKE(1)},
				{NODES_TAKE(1), NODES_GIVE(2)},
				{NODES_TAKE(1)},
			},
	},
	{
		.name = "pool-last",
		.about = "a node is given while another thread takes the last one of its chunk",
		.cold = true,
		.spares = 1,
		.initial = {NODES_TAKE(NODES_IN_CHUNK), NODES_GIVE(1)},
		.threads =
			{
				{NODES_GIVE(1)},
				{NODES_TAKE(1)},
			},
	},
	{
		.name = "pool-give",
		.about = "what others give comes back to who takes, with what they did to it",
		.cold = true,
		.spares = 1,
		.initial = {NODES_TAKE(NODES_IN_CHUNK)},
		.threads =
			{
				{NODES_GIVE(1), NODES_GIVE(1)},
				{NODES_TAKE(2), NODES_GIVE(2)},
				{NODES_TAKE(1), NODES_TAKE(1), NODES_GIVE(2)},
			},
	},
	{
		.name = "pool-grow",
		.about = "threads find no node left, and the pool grows once",
		.cold = true,
		.spares = 2,
		.initial = {NODES_TAKE(NODES_IN_CHUNK)},
		.threads =
			{
				{NODES_TAKE(1), NODES_GIVE(1)},
				{NODES_TAKE(1), NODES_GIVE(1)},
			},
	},
	{.name = NULL},
};
