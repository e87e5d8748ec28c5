/* SPDX-License-Identifier: MIT */
/* Makes calls, by one thread. */
#ifndef DIFFERENTIAL_PLAYER_H
#define DIFFERENTIAL_PLAYER_H

#include "subject.h"

struct player {
	struct subject *subject;
	struct pt_thread *self;
	struct pt_cursor cursor;
	struct pt_gather gather; /* the cursor's */
	bool open;
	bool loose;      /* others change tables beside: where holes and marks are cut is open */
	uint64_t digest; /* of what is reported meanwhile, in any order */
};

void player_play(struct player *p, const struct call *call, struct result *ret);
/* Ends the cursor, if one is open. */
void player_end(struct player *p);

/* By which tracked items are counted; the context is the subject. */
extern const struct pt_item_ops player_item_ops;

#endif
