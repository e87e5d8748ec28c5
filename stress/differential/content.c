/* SPDX-License-Identifier: MIT */
#include "content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void content_free(struct content *c)
{
	free(c->slots);
	*c = (struct content){0};
}

static bool add(struct content *c, const struct pt_mapping *slot,
		const struct pt_format_info *format)
{
	if (c->n == c->room) {
		size_t room = 2 * c->room + 256;
		struct pt_mapping *slots = realloc(c->slots, room * sizeof(*slots));

		if (!slots)
			return false;
		c->slots = slots;
		c->room = room;
	}
	c->slots[c->n++] = *slot;
	if (slot->kind == PT_KIND_LEAF && (slot->item.prop & PT_TRACKED))
		c->tracked += (int64_t)(slot->len >> format->page_shift);
	return true;
}

bool content_take(struct content *c, struct pt_thread *self, struct pt_table *table)
{
	const struct pt_format_info *format = pt_table_format(table);
	struct pt_mapping slot;
	struct pt_cursor cursor;
	pt_va_t first, last;
	bool taken = true;

	c->n = 0;
	c->tracked = 0;
	if (pt_check(self, table, &c->report))
		return false;
	pt_table_range(table, &first, &last);
	if (pt_cursor_begin(self, table, first, last - first + 1, PT_READ_ONLY, format->levels,
			    &cursor))
		return false;
	do
		taken = !pt_cursor_query(&cursor, &slot) && add(c, &slot, format);
	while (taken && slot.va + (slot.len - 1) < last &&
	       !pt_cursor_jump(&cursor, slot.va + slot.len));
	pt_cursor_end(&cursor);
	return taken && slot.va + (slot.len - 1) >= last;
}

/* ---- comparing ---- */

static void print_slot(FILE *out, const char *name, const struct pt_mapping *m)
{
	fprintf(out, "  by %s: ", name);
	if (!m)
		fprintf(out, "no more\n");
	else if (m->kind == PT_KIND_LEAF)
		fprintf(out, "0x%" PRIx64 " +0x%" PRIx64 " maps 0x%" PRIx64 " prop 0x%x level %u\n",
			m->va, m->len, m->item.pa, m->item.prop, m->item.level);
	else if (m->kind == PT_KIND_MARK)
		fprintf(out, "0x%" PRIx64 " +0x%" PRIx64 " has mark %" PRIu64 "\n", m->va, m->len,
			m->mark);
	else
		fprintf(out, "0x%" PRIx64 " +0x%" PRIx64 " is empty\n", m->va, m->len);
}

static bool same_value(const struct pt_mapping *a, const struct pt_mapping *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == PT_KIND_LEAF)
		return a->va == b->va && a->item.pa == b->item.pa && a->item.prop == b->item.prop &&
		       a->item.level == b->item.level;
	return a->kind != PT_KIND_MARK || a->mark == b->mark;
}

static pt_va_t last_of(const struct pt_mapping *m)
{
	return m->va + (m->len - 1);
}

/*
 * The first slots that differ, by index; false: none do. Not exact: slots of other size overlap, and
 * each overlap is compared.
 */
static bool find_difference(const struct content *a, const struct content *b, bool exact,
			    size_t *ret_i, size_t *ret_j)
{
	size_t i = 0, j = 0;

	while (i < a->n && j < b->n) {
		const struct pt_mapping *left = &a->slots[i], *right = &b->slots[j];

		if (!same_value(left, right) ||
		    (exact && (left->va != right->va || left->len != right->len)))
			break;
		if (last_of(left) <= last_of(right))
			i++;
		if (last_of(left) >= last_of(right))
			j++;
	}
	*ret_i = i;
	*ret_j = j;
	return i < a->n || j < b->n;
}

static void print_report(FILE *out, const char *name, const struct pt_check_report *r)
{
	fprintf(out, "  by %s: %" PRIu64 " nodes, %" PRIu64 " leaves, %" PRIu64 " marks, %s\n",
		name, r->nodes, r->leaves, r->marks, r->violation ? r->violation : "shape right");
}

static bool same_report(const struct pt_check_report *a, const struct pt_check_report *b,
			bool exact)
{
	if (a->violation || b->violation || a->leaves != b->leaves ||
	    a->mapped_bytes != b->mapped_bytes)
		return false;
	return !exact || (a->nodes == b->nodes && a->marks == b->marks);
}

bool content_equal(const struct content *a, const struct content *b, bool exact, FILE *out,
		   const char *a_name, const char *b_name)
{
	size_t i, j;

	if (find_difference(a, b, exact, &i, &j)) {
		if (out) {
			print_slot(out, a_name, i < a->n ? &a->slots[i] : NULL);
			print_slot(out, b_name, j < b->n ? &b->slots[j] : NULL);
		}
		return false;
	}
	if (same_report(&a->report, &b->report, exact))
		return true;
	if (out) {
		print_report(out, a_name, &a->report);
		print_report(out, b_name, &b->report);
	}
	return false;
}
