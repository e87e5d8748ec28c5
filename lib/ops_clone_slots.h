/* SPDX-License-Identifier: MIT */
/*
 * Cloning with slot isolation, where neither range is the cursor's alone.
 *
 * Each leaf is cloned at one moment: when the source's slot changes by compare-exchange from the value
 * that the image was made of; if nothing is to change, when it was read. So first there is an image, as
 * in ops_clone.h, and a reference of each tracked item; an error up to here has changed nothing. Then
 * the source changes, leaf by leaf, as long as it is what the image says (`settle`). Where it is not,
 * the image is cut: what lies before goes to the target, and the rest is cloned as if by a new call.
 * What the image does not have, because nothing was there when it was made, stays uncloned.
 *
 * Then the copies get into place. Whoever took a slot of the target meanwhile ends the call; what was
 * before stays, and the source may be changed further on (pt_thread_done()).
 *
 * Image and tables are compared from the root, since covering nodes may change under the visits. The image
 * begins where the source was covered; above, it has a table wherever anybody asks.
 */
#ifndef PT_OPS_CLONE_SLOTS_H
#define PT_OPS_CLONE_SLOTS_H

#include "ops_clone.h"

typedef int (*clone_visit_fn)(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			      pt_va_t last, void *arg);

/* A visit of the image beside that of a table. What it has done already it must find done. */
static inline int clone_visit(struct cloning *k, struct cursor *c, clone_visit_fn below,
			      pt_va_t first, pt_va_t last)
{
	int rc;

	c->stopped_at = first;
	for (;;) {
		k->image = k->top;
		rc = below(c, c->table->root, FMT_LEVELS, c->stopped_at, last, k);
		if (rc != VISIT_LOST)
			return rc;
		visit_lock_again(c);
	}
}

static inline bool above_image(const struct cloning *k, unsigned level)
{
	return level > k->top->level;
}

/* What the image has for @s: above its root that root, until it is reached. */
static inline pte_t image_of(const struct cloning *k, const struct slot *s)
{
	if (above_image(k, s->level))
		return fmt_table(node_to_pa(k->dst.table, k->top));
	return slot_load_locked(image_slot(k, s->first, s->level));
}

static inline bool has_table(pte_t pte, unsigned level)
{
	return level > 1 && fmt_is_table(pte, level);
}

/* ---- the source ---- */

/* Says the leaf @pte, of @level, what @image says of all that it has? */
static bool image_is_of(const struct cloning *k, struct node *image, pte_t pte, unsigned level)
{
	slot_t *slots = node_slots(k->dst.table, image);

	for (unsigned i = 0; i < FAN_OUT; i++) {
		pte_t part = slot_load_locked(&slots[i]);

		if (!part)
			continue;
		if (has_table(part, level - 1) ? !image_is_of(k, child_of(k->dst.table, part),
							      part_of(pte, level, i), level - 1)
					       : part != part_of(pte, level, i))
			return false;
	}
	return true;
}

static inline int image_ends(struct cloning *k, const struct slot *s)
{
	k->cut = true;
	k->stop = s->first;
	return VISIT_STOP;
}

static int visit_settle_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			      pt_va_t last, void *arg);

static inline int settle_table(struct cursor *c, struct slot *s, struct cloning *k, pte_t image)
{
	struct node *above = k->image;
	int rc;

	k->image = child_of(k->dst.table, image);
	rc = visit_settle_below(c, child_of(c->table, s->pte), s->level - 1, s->first, s->last, k);
	k->image = above;
	return rc;
}

/* Does @image, of @level, map anything? Marks do not matter: they were copied when they were read. */
static inline bool image_maps(const struct cloning *k, pte_t image, unsigned level)
{
	if (has_table(image, level)) {
		struct node *child = child_of(k->dst.table, image);

		return count_pages(k->dst.table, child, child->level);
	}
	return fmt_kind(image, level) == PT_KIND_LEAF;
}

static VISITOR int settle_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct cloning *k = arg;
	pte_t image = image_of(k, s), pte;
	int rc;

	if (has_table(image, s->level) && has_table(s->pte, s->level))
		return settle_table(c, s, k, image);
	if (!image_maps(k, image, s->level))
		return VISIT_NEXT;
	if (above_image(k, s->level) || fmt_kind(s->pte, s->level) != PT_KIND_LEAF)
		return image_ends(k, s);
	pte = leaf_change(s->pte, k->set, k->clear | USED_BITS, s->level);
	if (has_table(image, s->level)
		    ? !image_is_of(k, child_of(k->dst.table, image), pte, s->level)
		    : image != pte)
		return image_ends(k, s);
	if (s->whole)
		return protect_leaf(c, s, &k->change);
	rc = split_slot(c, s);
	return rc == VISIT_DOWN ? VISIT_AGAIN : rc;
}

DEFINE_VISIT(visit_settle, settle_slot)

/* ---- the target ---- */

/* What is in the image's slot for @s has got into place. */
static inline int placed(struct cloning *k, const struct slot *s)
{
	slot_init(image_slot(k, s->first, s->level), 0);
	return VISIT_NEXT;
}

/* The call ends at @s, and visits of tables above do not. */
static inline int place_fails(struct cloning *k, const struct slot *s, int rc)
{
	k->failed_at = s->first;
	return rc;
}

static int visit_place_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last, void *arg);

/* A table of the image becomes the target's if nothing in it was cut off; or what it holds goes there. */
static inline int place_table(struct cursor *c, struct slot *s, struct cloning *k,
			      struct node *image)
{
	struct node *above = k->image;
	uint64_t pages;
	unsigned nodes;
	int rc;

	if (has_table(s->pte, s->level)) {
		k->image = image;
		rc = visit_place_below(c, child_of(c->table, s->pte), s->level - 1, s->first,
				       s->last, k);
		k->image = above;
		return rc;
	}
	if (s->pte)
		return place_fails(k, s, -EEXIST);
	if (above_image(k, s->level) ||
	    (k->cut && k->stop - slot_first_va(s) < level_size(s->level))) {
		rc = split_slot(c, s);
		return rc < 0 ? place_fails(k, s, rc) : VISIT_AGAIN;
	}
	pages = count_pages(c->table, image, s->level - 1);
	nodes = adopt_image(c, s, image);
	if (!strategy_child_install(c, s, image))
		return VISIT_AGAIN;
	s->live++;
	k->pages += pages;
	stat_add(c->stats, STAT_NODES_TAKEN, nodes);
	return placed(k, s);
}

static VISITOR int place_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct cloning *k = arg;
	pte_t pte = image_of(k, s);
	bool mark;
	int rc;

	if (!pte)
		return VISIT_NEXT;
	if (has_table(pte, s->level))
		return place_table(c, s, k, child_of(c->table, pte));
	mark = fmt_kind(pte, s->level) == PT_KIND_MARK;
	if (has_table(s->pte, s->level)) {
		struct fill f = {.is_mark = mark, .keep_marks = true};

		rc = fill_displace(c, s, &f, pte);
		if (rc != VISIT_NEXT)
			return rc < 0 ? place_fails(k, s, rc) : rc;
	} else if (s->pte) {
		return place_fails(k, s, -EEXIST);
	} else if (!strategy_slot_change(c, s, pte)) {
		return VISIT_AGAIN;
	} else {
		s->live++;
		s->marks += mark;
	}
	k->pages += mark ? 0 : base_pages(s->level);
	return placed(k, s);
}

DEFINE_VISIT(visit_place, place_slot)

/* ---- the whole ---- */

/* Return: 0; VISIT_LOST: once more; or an error. */
static int clone_make_image(struct cloning *k, pt_va_t va, pt_va_t last)
{
	struct cursor *src = &k->src;
	int rc = visit_occupied(&k->dst, k->dst.node, k->dst.level, va, last, NULL);

	k->tables = k->pinned = 0;
	if (!rc)
		rc = clone_reserve(k, va, last);
	if (rc)
		return rc;
	k->top = k->image = node_take(src->self, src->level);
	rc = visit_clone_once(src, src->node, src->level, va, last, k);
	if (rc == VISIT_LOST)
		visit_lock_again(src);
	return rc;
}

/* Clone as far as the image is right, or there is no more. Return as above. */
static int clone_once(struct cloning *k, pt_va_t va, pt_va_t last)
{
	const uint64_t before = k->pages;
	int rc = clone_make_image(k, va, last), placed_rc;

	k->pages = before; /* counted again when they are in place */
	k->stop = va;
	k->cut = rc;
	if (!rc && (k->set | k->clear)) {
		rc = clone_visit(k, &k->src, visit_settle_below, va, last);
		if (rc < 0) {
			k->cut = true;
			k->stop = k->src.stopped_at;
		}
	}
	if (!k->cut || k->stop != va) {
		placed_rc =
			clone_visit(k, &k->dst, visit_place_below, va, k->cut ? k->stop - 1 : last);
		if (placed_rc) {
			k->stop = k->failed_at;
			rc = placed_rc;
		}
	}
	return rc;
}

static int clone_by_slots(struct cloning *k, pt_va_t va, pt_va_t last)
{
	pt_va_t at = va;
	int rc;

	k->pages = 0;
	do {
		rc = clone_once(k, at, last);
		if (k->top)
			collect_subtree(k->dst.table, k->top, &k->rest);
		k->top = k->image = NULL;
		at = k->stop;
	} while (rc >= 0 && k->cut);
	k->src.self->done = rc < 0 ? at - va : 0;
	return rc < 0 ? rc : 0;
}

#endif
