/* SPDX-License-Identifier: MIT */
/* Arrays that a replay cannot go on without; only before and after threads run. */
#ifndef REPLAY_XALLOC_H
#define REPLAY_XALLOC_H

#include <stdint.h>

#include "must.h"

/* @count zeroed objects of @size bytes. */
static inline void *xcalloc(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size));
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
		return must(NULL);
	*room = more;
	return must(realloc(array, more * size));
}

#endif
