/* SPDX-License-Identifier: MIT */
/*
 * Cloning: what a range of one table maps is mapped in another as well, while both lose, typically,
 * the right to write. This is what fork does.
 *
 * Both ranges are held from before the first look to after the last store, so that for every other
 * cursor it happens at one moment (C1). They are had without deadlock by waiting for one with nothing
 * held and only trying for the other. Who is refused lets go, and next time waits for the one that was
 * busy: so it sleeps where it must, and two threads that clone in opposite directions do not chase
 * one another.
 *
 * The copy is an image first: tables that nobody can reach, of the shape that the source has in the
 * range. Everything that can fail is done when it is complete: nodes, and a reference of each tracked
 * item. If a reference is refused, the image is what must be undone, by itself (C2). Then the source
 * changes, by protect, and then the image is put in its place: each of its tables where there was none,
 * by one store; only what lies in tables that the target has already is stored slot by slot.
 *
 * The image needs no second look at the source: the range is held, so all that can change in it
 * meanwhile is accessed and dirty, and the copies have neither (T2: no CPU has used them).
 *
 * At the edges of the range huge leaves are cloned in parts. The source is split when nothing can fail
 * any more. Until then its item has one reference; so the copy takes one of the whole, splits that, and
 * drops the parts that lie outside (`surplus`).
 *
 * With slot isolation only each slot has its moment: see ops_clone_slots.h.
 */
#ifndef PT_OPS_CLONE_H
#define PT_OPS_CLONE_H

#include "ops_harvest.h"
#include "ops_protect.h"

struct cloning {
	struct cursor src, dst;
	pt_prop_t set, clear;
	struct node *image;     /* the table of the copy that belongs to the one being visited */
	struct node *surplus;   /* parts of tracked items that are to be dropped, by `next` */
	uint64_t tables, pages; /* tables of the source that hold something; base pages mapped */
	uint64_t pinned;        /* slots in whose place the target has a table that must stay */
	/* With slot isolation: see ops_clone_slots.h. */
	struct protection change;
	struct node *top; /* the root of the image */
	bool cut;         /* the image is right up to `stop` only */
	pt_va_t stop, failed_at;
	struct node_chain rest; /* what is left of images */
};

/* ---- getting hold of both ranges ---- */

static PT_APART int clone_open_one(struct cloning *k, struct pt_thread *self, struct pt_table *t,
				   pt_va_t va, pt_va_t last, bool is_src, bool try_only)
{
	struct cursor *c = is_src ? &k->src : &k->dst;
	enum pt_mode mode = is_src ? PT_CHANGE : PT_BUILD;
	unsigned top = largest_block(va, last);

	return try_only ? range_try_open(c, self, t, va, last, mode, top)
			: range_open(c, self, t, va, last, mode, top);
}

static int clone_open(struct cloning *k, struct pt_thread *self, struct pt_table *src,
		      struct pt_table *dst, pt_va_t va, pt_va_t last)
{
	/* The target first: usually nobody else knows it. */
	for (bool src_waits = false;; src_waits = !src_waits) {
		struct pt_table *first = src_waits ? src : dst, *second = src_waits ? dst : src;
		int rc = clone_open_one(k, self, first, va, last, src_waits, false);

		if (rc)
			return rc;
		rc = clone_open_one(k, self, second, va, last, !src_waits, true);
		if (!rc)
			return 0;
		range_close(src_waits ? &k->src : &k->dst);
		if (rc != -EBUSY)
			return rc;
	}
}

/* ---- looking before ---- */

static VISITOR int occupied_slot(struct cursor *c, struct slot *s, void *arg)
{
	(void)arg;
	if (!s->pte)
		return VISIT_NEXT;
	if (s->level == 1 || !fmt_is_table(s->pte, s->level))
		return -EEXIST;
	return node_is_empty(c->table, child_of(c->table, s->pte)) ? VISIT_NEXT : VISIT_DOWN;
}

DEFINE_VISIT(visit_occupied, occupied_slot)

/*
 * Can what a slot of the source holds stand in one slot of the target? Not if the range covers only
 * a part of it, nor in the place of a table that must stay.
 */
static inline bool clone_whole(const struct cloning *k, const struct slot *s)
{
	return s->whole && !(s->level == FMT_LEVELS && k->dst.table->top_pinned);
}

static inline bool is_tracked(pte_t pte, unsigned level)
{
	return fmt_kind(pte, level) == PT_KIND_LEAF && (fmt_leaf_prop(pte, level) & PT_TRACKED);
}

/*
 * Does @node, of @level, hold nothing in first..last? Of a table that the range covers in part only that part
 * counts: where a cursor holds slots, or ranges, others may make such a table, or fill the rest, meanwhile.
 */
static bool part_is_empty(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			  pt_va_t last)
{
	const pt_va_t mask = level_size(level) - 1;
	slot_t *slots = node_slots(c->table, node);
	pt_va_t end;

	if (last - first == (level_size(level) << FMT_INDEX_BITS) - 1)
		return node_is_empty(c->table, node);
	for (;; first = end + 1) {
		pte_t pte = strategy_slot_read(c, &slots[slot_index(first, level)]);

		end = (first | mask) < last ? first | mask : last;
		if ((pte & ~FMT_STRATEGY_MASK) &&
		    (end - first == mask || !fmt_is_table(pte, level) ||
		     !part_is_empty(c, child_of(c->table, pte), level - 1, first, end)))
			return false;
		if (end == last)
			return true;
	}
}

/* Is there nothing to clone in the table behind @s? */
static inline bool clone_skips(struct cursor *c, const struct slot *s)
{
	return part_is_empty(c, child_of(c->table, s->pte), s->level - 1, s->first, s->last);
}

static VISITOR int clone_count_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct cloning *k = arg;

	if (s->level == 1 || !s->pte)
		return VISIT_NEXT;
	if (!fmt_is_table(s->pte, s->level)) {
		if (!s->whole || clone_whole(k, s))
			return VISIT_NEXT;
		k->pinned++;
		return is_tracked(s->pte, s->level) && !c->table->item_ops->split ? -EINVAL
										  : VISIT_NEXT;
	}
	if (clone_skips(c, s))
		return VISIT_NEXT;
	k->tables++;
	return s->level > 2 ? VISIT_DOWN : VISIT_NEXT;
}

DEFINE_VISIT(visit_clone_count, clone_count_slot)

/*
 * Reserve for the image, which has a root and as many tables as the source; for each slot at an edge
 * that is split a table of the source, one of the image and one of surplus; without the first for
 * what a pinned table is in the way of.
 */
static int clone_reserve(struct cloning *k, pt_va_t va, pt_va_t last)
{
	struct cursor *c = &k->src;
	int left = edge_splits(c, va, va, last), right = edge_splits(c, last, va, last);
	int rc = visit_clone_count(c, c->node, c->level, va, last, k);

	if (left < 0 || right < 0)
		return left < 0 ? left : right;
	if (rc)
		return rc;
	return node_reserve(c->self,
			    1 + k->tables + 2 * k->pinned + 3 * ((uint64_t)left + (uint64_t)right));
}

/* ---- the image ---- */

static inline slot_t *image_slot(const struct cloning *k, pt_va_t va, unsigned level)
{
	return &node_slots(k->dst.table, k->image)[slot_index(va, level)];
}

/* What @pte, of @level, puts into slot @i of a table that takes its place. */
static inline pte_t part_of(pte_t pte, unsigned level, unsigned i)
{
	if (fmt_kind(pte, level) != PT_KIND_LEAF)
		return pte;
	return fmt_leaf(fmt_leaf_pa(pte, level) + i * level_size(level - 1),
			fmt_leaf_prop(pte, level), level - 1);
}

/* Put @pte into the slot of k->image that covers @va; @mark: it is one. */
static inline void image_set(struct cloning *k, pt_va_t va, unsigned level, pte_t pte, bool mark)
{
	slot_init(image_slot(k, va, level), pte);
	k->image->live++;
	k->image->marks += mark;
}

/* The image of what the slot of @level at @first refers to ends here. It goes where it belongs. */
static inline void image_leave(struct cloning *k, struct node *above, pt_va_t first, unsigned level)
{
	struct node *image = k->image;

	k->image = above;
	if (image->live)
		image_set(k, first, level, fmt_table(node_to_pa(k->dst.table, image)), false);
	else
		table_put(k->dst.self, k->dst.table, image);
}

/*
 * The parts of @pte, of @level, that lie in first..last. Of a tracked leaf the image has a reference,
 * which becomes one of each part; those that lie outside are surplus.
 */
static void image_parts(struct cloning *k, pte_t pte, unsigned level, pt_va_t first, pt_va_t last)
{
	const uint64_t size = level_size(level - 1);
	struct pt_table *t = k->dst.table;
	struct node *above = k->image, *surplus = NULL;
	bool mark = fmt_kind(pte, level) == PT_KIND_MARK;
	pt_va_t va = first & ~(level_size(level) - 1);

	k->image = table_take(k->dst.self, t, level - 1);
	if (is_tracked(pte, level)) {
		t->item_ops->split(t->item_ctx, fmt_leaf_pa(pte, level), level);
		surplus = table_take(k->dst.self, t, level - 1);
		surplus->next = k->surplus;
		k->surplus = surplus;
	}
	for (unsigned i = 0; i < FAN_OUT; i++, va += size) {
		pte_t part = part_of(pte, level, i);
		pt_va_t end = va + (size - 1);

		if (va >= first && end <= last)
			image_set(k, va, level - 1, part, mark);
		else if (va <= last && end >= first)
			image_parts(k, part, level - 1, va > first ? va : first,
				    end < last ? end : last);
		else if (surplus)
			slot_init(&node_slots(t, surplus)[i], part);
	}
	image_leave(k, above, first, level);
}

static int visit_clone_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			     pt_va_t last, void *arg);

static inline int clone_table(struct cursor *c, struct slot *s, struct cloning *k)
{
	struct node *child = child_of(c->table, s->pte), *above = k->image;
	int rc;

	if (clone_skips(c, s))
		return VISIT_NEXT;
	if (node_ensure(c->self))
		return -ENOMEM;
	k->image = table_take(c->self, k->dst.table, s->level - 1);
	rc = visit_clone_below(c, child, s->level - 1, s->first, s->last, k);
	image_leave(k, above, s->first, s->level);
	return rc;
}

/*
 * Nodes that image_parts() takes for a leaf or mark of @level: one for each table, and one for what is
 * surplus of it.
 */
static unsigned parts_nodes(pt_va_t first, pt_va_t last, unsigned level)
{
	const pt_va_t mask = level_size(level - 1) - 1;
	unsigned nodes = 2;

	if (first & mask)
		nodes += parts_nodes(first, (first | mask) < last ? first | mask : last, level - 1);
	if ((last & mask) != mask && (!(first & mask) || (last & ~mask) > first))
		nodes += parts_nodes(last & ~mask, last, level - 1);
	return nodes;
}

/* As node_ensure(), for image_parts(). */
static inline int parts_ensure(struct pt_thread *self, const struct slot *s)
{
	uint64_t nodes = parts_nodes(s->first, s->last, s->level);

	if (!MAY_LOSE ||
	    (self->fail_after >= nodes && self->clean.count + self->spare.count >= nodes))
		return 0;
	return node_reserve(self, nodes);
}

/* What the image does not have after an error it need not undo. */
static VISITOR int clone_leaf(struct cursor *c, struct slot *s, struct cloning *k)
{
	const struct pt_table *t = c->table;
	pte_t pte = leaf_change(s->pte, k->set, k->clear | USED_BITS, s->level);
	bool whole = s->level == 1 || clone_whole(k, s);
	int rc = whole ? 0 : parts_ensure(c->self, s);

	if (rc)
		return rc;
	if (fmt_leaf_prop(pte, s->level) & PT_TRACKED)
		rc = t->item_ops->clone(t->item_ctx, fmt_leaf_pa(pte, s->level), s->level);
	if (rc)
		return rc;
	k->pages += (s->last - s->first + 1) >> FMT_PAGE_SHIFT;
	if (whole)
		image_set(k, s->first, s->level, pte, false);
	else
		image_parts(k, pte, s->level, s->first, s->last);
	return VISIT_NEXT;
}

static VISITOR int clone_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct cloning *k = arg;

	switch (fmt_kind(s->pte, s->level)) {
	case PT_KIND_TABLE:
		return clone_table(c, s, k);
	case PT_KIND_LEAF:
		return clone_leaf(c, s, k);
	case PT_KIND_MARK:
		if (s->level == 1 || clone_whole(k, s))
			image_set(k, s->first, s->level, s->pte, true);
		else if (parts_ensure(c->self, s))
			return -ENOMEM;
		else
			image_parts(k, s->pte, s->level, s->first, s->last);
		return VISIT_NEXT;
	default:
		return VISIT_NEXT;
	}
}

DEFINE_VISIT(visit_clone, clone_slot)

/* ---- into the target ---- */

/* Give @image, which is about to be linked under @s, and all below the lock state that implies. */
static unsigned adopt_image(struct cursor *c, const struct slot *s, struct node *image)
{
	const unsigned level = image->level;
	unsigned nodes = 1;
	struct slot below = {.node = image, .level = level};
	pt_va_t va = slot_first_va(s);

	strategy_adopt_child(c, (struct slot *)s, image);
	for (unsigned i = 0; i < FAN_OUT && level > 1; i++, va += level_size(level)) {
		pt_va_t end = va + (level_size(level) - 1);

		below.ref = &node_slots(c->table, image)[i];
		below.pte = slot_load_locked(below.ref);
		if (!fmt_is_table(below.pte, level))
			continue;
		below.first = va > s->first ? va : s->first;
		below.last = end < s->last ? end : s->last;
		nodes += adopt_image(c, &below, child_of(c->table, below.pte));
	}
	return nodes;
}

static int visit_install_below(struct cursor *c, struct node *node, unsigned level, pt_va_t first,
			       pt_va_t last, void *arg);

/* The image has a table here: it becomes the target's, or what it holds goes into the target's. */
static inline int install_table(struct cursor *c, struct slot *s, struct cloning *k,
				struct node *image)
{
	struct node *above = k->image;
	unsigned nodes;

	if (!s->pte) {
		nodes = adopt_image(c, s, image);
		if (!strategy_child_install(c, s, image))
			return VISIT_AGAIN;
		s->live++;
		stat_add(c->stats, STAT_NODES_TAKEN, nodes);
		return VISIT_NEXT;
	}
	k->image = image;
	visit_install_below(c, child_of(c->table, s->pte), s->level - 1, s->first, s->last, k);
	k->image = above;
	table_put(c->self, c->table, image);
	return VISIT_NEXT;
}

static VISITOR int install_slot(struct cursor *c, struct slot *s, void *arg)
{
	struct cloning *k = arg;
	pte_t pte = slot_load_locked(image_slot(k, s->first, s->level));
	bool mark;

	if (!pte)
		return VISIT_NEXT;
	if (s->level > 1 && fmt_is_table(pte, s->level))
		return install_table(c, s, k, child_of(c->table, pte));
	mark = fmt_kind(pte, s->level) == PT_KIND_MARK;
	if (s->level > 1 && s->pte) {
		struct fill f = {.is_mark = mark};

		return fill_displace(c, s, &f, pte);
	}
	if (!strategy_slot_change(c, s, pte))
		return VISIT_AGAIN;
	s->live++;
	s->marks += mark;
	return VISIT_NEXT;
}

DEFINE_VISIT(visit_install, install_slot)

/* Put the image where it belongs. Its root stands for a table that the target has. */
static void install_image(struct cloning *k, pt_va_t va, pt_va_t last)
{
	struct cursor *c = &k->dst;

	/* The source may have been held higher up, by a slot that held no table. */
	for (unsigned level = k->src.level; level > c->level; level--) {
		struct node *root = k->image;
		pte_t pte = slot_load_locked(image_slot(k, va, level));

		k->image = pte ? child_of(c->table, pte) : NULL;
		table_put(c->self, c->table, root);
		if (!k->image)
			return;
	}
	visit_install(c, c->node, c->level, va, last, k);
	table_put(c->self, c->table, k->image);
}

/* ---- the whole ---- */

static int check_clone(const struct pt_thread *self, const struct pt_table *src,
		       const struct pt_table *dst, pt_prop_t set, pt_prop_t clear)
{
	if (src == dst || src->ops != dst->ops || self->pool != src->pool ||
	    self->pool != dst->pool || src->item_ops != dst->item_ops ||
	    src->item_ctx != dst->item_ctx || ((set | clear) & USED_BITS))
		return -EINVAL;
	return check_change(set, clear);
}

/* Drop and free what has become of the image, and the surplus. Nothing is held. */
static void clone_clean_up(struct cloning *k, struct pt_thread *self, struct pt_table *dst,
			   bool undo)
{
	struct node_chain chain = k->rest;

	if (undo)
		collect_subtree(dst, k->image, &chain);
	while (k->surplus) {
		struct node *node = k->surplus;

		k->surplus = node->next;
		node_chain_push(&chain, node);
	}
	free_chain(self, dst, &chain);
}

static int clone_by_slots(struct cloning *k, pt_va_t va, pt_va_t last);

/* With both ranges held. Return: 0, or an error with nothing changed but the image. */
static int clone_range(struct cloning *k, pt_va_t va, pt_va_t last)
{
	struct cursor *src = &k->src;
	int rc = visit_occupied(&k->dst, k->dst.node, k->dst.level, va, last, NULL);

	if (!rc)
		rc = clone_reserve(k, va, last);
	if (rc)
		return rc;
	k->image = table_take(src->self, k->dst.table, src->level);
	rc = visit_clone(src, src->node, src->level, va, last, k);
	if (rc)
		return rc;
	if (k->set | k->clear)
		visit_protect(src, src->node, src->level, va, last, &k->change);
	install_image(k, va, last);
	return 0;
}

static int op_clone(struct pt_thread *self, struct pt_table *src, struct pt_table *dst, pt_va_t va,
		    uint64_t len, pt_prop_t set, pt_prop_t clear, struct pt_gather *gather,
		    uint64_t *ret_pages)
{
	struct pt_gather own;
	struct gather *g = (struct gather *)(gather ? gather : &own);
	struct cloning k = {.set = set, .clear = clear};
	pt_va_t last;
	int rc = check_clone(self, src, dst, set, clear);

	begin_call(self);
	if (!rc)
		rc = check_range(src, va, len, &last);
	if (!rc)
		rc = check_range(dst, va, len, &last);
	if (!rc)
		rc = check_gather(g, gather, self, src);
	if (!rc)
		rc = clone_open(&k, self, src, dst, va, last);
	if (rc)
		return rc;
	if (!gather)
		gather_init(g, self, src, NULL, NULL);
	k.change = (struct protection){.g = g, .set = set, .clear = clear};
	rc = MAY_LOSE ? clone_by_slots(&k, va, last) : clone_range(&k, va, last);
	range_close(&k.src);
	range_close(&k.dst); /* last, for it may have displaced tables to retire */
	if (k.surplus || k.rest.head || (rc && k.image))
		clone_clean_up(&k, self, dst, rc && k.image);
	if (rc && !MAY_LOSE)
		return rc;
	if (!gather && !gather_is_empty(g))
		op_gather_sync(&own);
	if (MAY_LOSE && rc)
		return rc;
	if (ret_pages)
		*ret_pages = k.pages;
	return 0;
}

#endif
