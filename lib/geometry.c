/* SPDX-License-Identifier: MIT */
/* Arithmetic on addresses, for any format. */
#include "pagetree.h"

uint64_t pt_page_size(const struct pt_format_info *f, unsigned level)
{
	return UINT64_C(1) << (f->page_shift + f->index_bits * (level - 1));
}

unsigned pt_slot_index(const struct pt_format_info *f, pt_va_t va, unsigned level)
{
	return (unsigned)(va >> (f->page_shift + f->index_bits * (level - 1))) &
	       ((1u << f->index_bits) - 1);
}

int pt_index_range(const struct pt_format_info *f, unsigned top_first, unsigned top_end,
		   pt_va_t leading, pt_va_t *ret_first, pt_va_t *ret_last)
{
	unsigned slots = 1u << f->index_bits;
	uint64_t slot_bytes = pt_page_size(f, f->levels);

	if (top_first >= top_end || top_end > slots || (leading & (slots * slot_bytes - 1)))
		return -EINVAL;
	if (f->sign_extended) {
		if (leading || (top_first < slots / 2 && top_end > slots / 2))
			return -EINVAL;
		if (top_first >= slots / 2)
			leading = ~UINT64_C(0) << f->va_bits;
	}
	*ret_first = leading | top_first * slot_bytes;
	*ret_last = leading | (top_end * slot_bytes - 1);
	return 0;
}

int pt_largest_page(const struct pt_format_info *f, pt_va_t va, pt_pa_t pa, uint64_t len,
		    unsigned max_level, uint64_t *ret_size)
{
	uint64_t page = pt_page_size(f, 1);

	if (max_level < 1 || max_level > f->levels || !len || ((va | pa | len) & (page - 1)) ||
	    va + (len - 1) < va || pa + (len - 1) < pa)
		return -EINVAL;
	for (unsigned level = max_level; level > 1; level--) {
		uint64_t size = pt_page_size(f, level);

		if ((f->leaf_levels >> level & 1) && !((va | pa) & (size - 1)) && size <= len) {
			*ret_size = size;
			return (int)level;
		}
	}
	*ret_size = page;
	return 1;
}
