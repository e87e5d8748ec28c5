/* SPDX-License-Identifier: MIT */
/*
 * Parts that strategies share in which a cursor has its range for itself, whatever its slots look like
 * meanwhile: no visit is lost, and what lies below a slot of the range needs no claim.
 */
#ifndef PT_STRATEGY_ISOLATED_H
#define PT_STRATEGY_ISOLATED_H

#include "walk.h"

static PT_INLINE bool strategy_is_frozen(pte_t pte)
{
	(void)pte;
	return false;
}

static inline void strategy_lock_again(struct cursor *c, pt_va_t va)
{
	(void)c;
	(void)va;
}

/* What is in the range is the cursor's, unasked. */
static inline bool strategy_claim_subtree(struct cursor *c, struct slot *s)
{
	(void)c;
	(void)s;
	return true;
}

static inline void strategy_release_subtree(struct cursor *c, struct slot *s)
{
	(void)c;
	(void)s;
}

static inline void strategy_detach_keeping(struct cursor *c, struct slot *s, pte_t leaf)
{
	(void)c;
	(void)s;
	(void)leaf;
}

static inline bool strategy_release_leaf(struct cursor *c, struct slot *s, pte_t leaf)
{
	(void)c;
	(void)s;
	(void)leaf;
	return true;
}

#endif
