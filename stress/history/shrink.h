/* SPDX-License-Identifier: MIT */
/*
 * Few operations that are wrong by themselves. Of a history that is right, these may be left out and
 * it stays right: any read, and a write whose value nobody reads. So if a part that was found by
 * leaving out such operations only is wrong, the whole is.
 */
#ifndef HISTORY_SHRINK_H
#define HISTORY_SHRINK_H

#include "operation.h"

typedef enum verdict (*judge_fn)(void *ctx, const struct operation *ops, size_t n);

/* @ops: wrong by @judge, which needs those of a thread together and in its order. */
void shrink(judge_fn judge, void *ctx, const struct operation *ops, size_t n,
	    struct violation *ret);

#endif
