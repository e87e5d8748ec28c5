/* SPDX-License-Identifier: MIT */
/*
 * A list of held ranges: who inserts an entry for a range holds it, until the entry is removed. No lock
 * protects the list; links change by compare-exchange.
 *
 * Invariants
 * A. Entries are ordered by address, and no two that are not released overlap: the link that changes is the
 *    one between the last entry before the range and the first behind it.
 * B. An entry is released when RANGE_RELEASED is set in its own link, which never changes afterwards. So
 *    nothing can be linked behind a released entry, and what is exchanged for others is always the link of
 *    one that is not released, which therefore is in the list, or the head.
 * C. Released entries between such a link and the next entry not released are a chain of links that never
 *    change. Whoever exchanges that link takes all of them out.
 * D. When rangelist_remove() returns, no link of the list leads to the entry: its place was seen, or made,
 *    to be one link between two others. Who removes an entry thus need not rely on anybody else.
 *
 * Reuse: others may still look at an entry that has been removed, and one that appears again under the same
 * address would make a compare-exchange succeed though the place is another (ABA). So whoever looks is in a
 * read section, and an entry is used again after a grace period that began when it had been removed.
 *
 * Order: who inserts comes after all who have held anything of the range. What a place among the
 * addresses goes through is a chain of exchanges, each of which acquires (in rangelist_find(), or by itself)
 * what the one before has released; who takes out an entry has acquired its release. [ORD-range]
 *
 * No deadlock, no waiting: insertion fails where somebody holds some of the range.
 */
#ifndef PT_SYNC_RANGELIST_H
#define PT_SYNC_RANGELIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "port.h"

/* In an entry's link. */
#define RANGE_RELEASED ((uintptr_t)1)

struct range_entry {
	_Atomic uintptr_t link; /* the next entry, or 0 */
	uint64_t first, last;   /* both inclusive; they do not change while anybody may look */
};

/* Between two entries that are not released: the link, what it holds, and the entry behind it or NULL. */
struct range_place {
	_Atomic uintptr_t *link;
	uintptr_t seen;
	struct range_entry *next;
	unsigned passed; /* entries before it */
};

static inline uintptr_t rangelist_link(_Atomic uintptr_t *link)
{
	port_point(PORT_POINT_LOCK);
	/* [ORD-range] acq: an entry is complete, or released; pairs with rangelist_insert(), _remove() */
	return atomic_load_explicit(link, memory_order_acquire);
}

/* Find the place before the first entry that is not released and does not end before @first. */
static PORT_INLINE struct range_place rangelist_find(_Atomic uintptr_t *head, uint64_t first)
{
	struct range_place place = {.link = head, .seen = rangelist_link(head)};

	for (;;) {
		uintptr_t behind = 0;

		place.next = (struct range_entry *)place.seen;
		while (place.next && (behind = rangelist_link(&place.next->link)) & RANGE_RELEASED)
			place.next = (struct range_entry *)(behind & ~RANGE_RELEASED);
		if (!place.next || place.next->last >= first)
			return place;
		place.link = &place.next->link;
		place.seen = behind;
		place.passed++;
	}
}

/* Is first..last, @place being that of @first, free? */
static inline bool rangelist_place_is_free(const struct range_place *place, uint64_t last)
{
	return !place->next || place->next->first > last;
}

/* Does nobody hold anything of first..last? In a read section. */
static inline bool rangelist_is_free(_Atomic uintptr_t *head, uint64_t first, uint64_t last)
{
	const struct range_place place = rangelist_find(head, first);

	return rangelist_place_is_free(&place, last);
}

/*
 * Hold the range of @entry; false if somebody holds some of it. @ret_passed: how many others come before.
 * In a read section.
 */
static PORT_INLINE bool rangelist_insert(_Atomic uintptr_t *head, struct range_entry *entry,
					 unsigned *ret_passed)
{
	struct range_place place;

	do {
		place = rangelist_find(head, entry->first);
		if (!rangelist_place_is_free(&place, entry->last))
			return false;
		atomic_store_explicit(&entry->link, (uintptr_t)place.next, memory_order_relaxed);
		port_point(PORT_POINT_LOCK);
		/* [ORD-range] rel: the entry is complete; acq: who has come and gone meanwhile */
	} while (!atomic_compare_exchange_strong_explicit(place.link, &place.seen, (uintptr_t)entry,
							  memory_order_acq_rel,
							  memory_order_relaxed));
	*ret_passed = place.passed;
	return true;
}

/* Let the range of @entry go. In a read section. */
static PORT_INLINE void rangelist_remove(_Atomic uintptr_t *head, struct range_entry *entry)
{
	struct range_place place;

	port_point(PORT_POINT_UNLOCK);
	/* [ORD-range] rel: what was done while it was held; pairs with rangelist_link() */
	atomic_fetch_or_explicit(&entry->link, RANGE_RELEASED, memory_order_release);
	do {
		place = rangelist_find(head, entry->first);
		port_point(PORT_POINT_UNLOCK);
		/* [ORD-range] rel: the releases of those taken out, which have been acquired */
	} while (place.seen != (uintptr_t)place.next &&
		 !atomic_compare_exchange_strong_explicit(
			 place.link, &place.seen, (uintptr_t)place.next, memory_order_release,
			 memory_order_relaxed));
}

#endif
