/* SPDX-License-Identifier: MIT */
/* Counted frames pass from hand to hand, by themselves and as what pages map (frames.h). */
#include "scenario.h"
#include "scenarios.h"

#define MOST 3 /* references of a frame */

const struct scenario scenarios_frame[] = {
	{
		.name = "frame-last-put",
		.about = "two holders use a frame and give it back, whoever is last wipes it",
		.frames = MOST,
		.threads =
			{
				{FRAME_MAKE(0), FRAME_USE(0), FRAME_PUT(0)},
				{FRAME_GET(0), FRAME_USE(0), FRAME_PUT(0)},
				{FRAME_GET(0), FRAME_USE(0), FRAME_PUT(0)},
			},
	},
	{
		.name = "frame-again",
		.about = "a frame is made anew after its last holder has let go of it",
		.frames = MOST,
		.initial = {FRAME_MAKE(0)},
		.threads =
			{
				{FRAME_PUT(0), FRAME_MAKE(0), FRAME_USE(0)},
				{FRAME_GET(0), FRAME_USE(0), FRAME_PUT(0)},
				{FRAME_MAKE(0), FRAME_PUT(0)},
			},
	},
	{
		.name = "frame-resurrect",
		.about = "no reference is to be had while the last one goes",
		.frames = MOST,
		.initial = {FRAME_MAKE(0)},
		.threads =
			{
				{FRAME_PUT(0)},
				{FRAME_GET(0), FRAME_USE(0)},
				{FRAME_GET(0)},
			},
	},
	{
		.name = "frame-alone",
		.about = "a holder wants a frame for itself while another one gets it",
		.frames = MOST,
		.initial = {FRAME_MAKE(0)},
		.threads =
			{
				{FRAME_OWN(0), FRAME_PUT(0)},
				{FRAME_GET(0), FRAME_OWN(0), FRAME_USE(0), FRAME_PUT(0)},
			},
	},
	{
		.name = "frame-full",
		.about = "more holders than a frame can have; refusals come from the bound only",
		.frames = 2,
		.initial = {FRAME_MAKE(0)},
		.threads =
			{
				{FRAME_GET(0), FRAME_USE(0), FRAME_PUT(0)},
				{FRAME_GET(0), FRAME_USE(0), FRAME_PUT(0)},
				{FRAME_GET(0), FRAME_USE(0), FRAME_PUT(0)},
			},
	},
	{
		.name = "frame-query-full",
		.about = "queries take references of a mapped frame up to its bound",
		.frames = 2,
		.initial = {MAP_AS(0, 1, 1, TRACKED_RW, 1)},
		.threads =
			{
				{QUERY_GET(0)},
				{QUERY_GET(0)},
				{FRAME_GET(1), FRAME_PUT(1)},
			},
	},
	{
		.name = "frame-unmap-get",
		.about = "a query takes a reference of a frame that is being unmapped",
		.frames = MOST,
		.initial = {MAP_AS(0, 2, 4, TRACKED_RW, 1)},
		.threads =
			{
				{UNMAP(0, 4)},
				{QUERY_GET(0)},
				{QUERY_GET(0)},
			},
	},
	{
		.name = "frame-split",
		.about = "a huge item is split while a query has a reference of the whole",
		.frames = MOST,
		.initial = {MAP_AS(0, 4, 4, TRACKED_RW, 2)},
		.threads =
			{
				{UNMAP(1, 1)},
				{QUERY_GET(2)},
				{PROTECT(2, 1, 0, PT_WRITE)},
			},
	},
	{
		.name = "frame-two-maps",
		.about = "frames go from one place to another, some of a huge item",
		.frames = MOST,
		.initial = {MAP_AS(0, 4, 4, TRACKED_RW, 2)},
		.threads =
			{
				{UNMAP(0, 4)},
				{FRAME_GET(5), UNMAP(1, 1), FRAME_PUT(5)},
			},
	},
	{
		.name = "frame-merge",
		.about = "pages become a huge item while one is referred to and one unmapped",
		.frames = MOST,
		.initial = {MAP_AS(0, 4, 4, TRACKED_RW, 1)},
		.threads =
			{
				{MERGE(0, 4)},
				{QUERY_GET(1)},
				{UNMAP(2, 1)},
			},
	},
	{.name = NULL},
};
