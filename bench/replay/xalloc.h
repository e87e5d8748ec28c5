/* SPDX-License-Identifier: MIT */
/*
 * Memory that a replay cannot go on without: running out of it ends the program with the exit code
 * for missing resources. Only used before and after threads run, never inside a measurement.
 */
#ifndef REPLAY_XALLOC_H
#define REPLAY_XALLOC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define XALLOC_EXIT 3

static inline void *xalloc_checked(void *p, size_t count, size_t size)
{
	if (p || count == 0)
		return p;
	fprintf(stderr, "ptbench replay: out of memory: %zu objects of %zu bytes\n", count, size);
	exit(XALLOC_EXIT);
}

/* @count zeroed objects of @size bytes. */
static inline void *xcalloc(size_t count, size_t size)
{
	return xalloc_checked(calloc(count ? count : 1, size), count, size);
}

/*
 * Room for one more object behind the first @used ones of an array that holds *@room; doubles, so
 * that appending costs constant time on average.
 */
static inline void *xgrow(void *array, size_t used, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;

	if (used < *room)
		return array;
	if (more > SIZE_MAX / size)
		return xalloc_checked(NULL, more, size);
	*room = more;
	return xalloc_checked(realloc(array, more * size), more, size);
}

#endif
