/* SPDX-License-Identifier: MIT */
/* A violation in words. */
#ifndef HISTORY_WORDS_H
#define HISTORY_WORDS_H

#include <stdio.h>

#include "operation.h"

struct vocabulary {
	const char *const *names; /* of operation.name */
	/* What @value means, into @text. NULL: as a number. */
	void (*value)(void *ctx, uint64_t value, char *text, size_t size);
	void *ctx;
};

/* Sorts what it shows by time, and counts time from the first call shown. */
void words_print(FILE *out, const struct vocabulary *voc, struct violation *v);

#endif
