/* SPDX-License-Identifier: MIT */
#include "area.h"
#include "say.h"

#define VERSION_BITS_LEAST 4
#define VERSION_BITS_MOST 24

static uint64_t round_up(uint64_t value, uint64_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

static struct area make_area(pt_va_t base, uint64_t bytes, uint64_t page)
{
	struct area area = {.base = base, .bytes = bytes, .page = page};
	uint64_t pages = bytes / page;

	area.pages = pages < AREA_PAGES_MOST ? (uint32_t)pages : AREA_PAGES_MOST;
	area.stride = area.pages ? pages / area.pages * page : page;
	return area;
}

/* Tables manage the lower half if addresses are sign-extended, else all of them. */
static uint64_t managed_bytes(const struct pt_format_info *format)
{
	unsigned bits = format->va_bits - (format->sign_extended ? 1 : 0);

	return bits < 64 ? UINT64_C(1) << bits : UINT64_MAX;
}

int area_layout(const struct pt_format_info *format, const struct area_needs *needs,
		unsigned threads, struct area *ret_shared, struct area *ret_private)
{
	uint64_t page = UINT64_C(1) << format->page_shift;
	uint64_t table = page << format->index_bits, most = managed_bytes(format);
	uint64_t shared_span, private_span, total;
	char need[UNITS_TEXT], each[UNITS_TEXT], have[UNITS_TEXT];
	unsigned i;

	if (needs->shared_bytes % page || needs->private_bytes % page) {
		complain("%s is not a multiple of the page size %s",
			 format_size(need, needs->shared_bytes % page ? needs->shared_bytes
								      : needs->private_bytes),
			 format_size(have, page));
		return -EINVAL;
	}
	shared_span = round_up(needs->shared_bytes, table);
	private_span = round_up(needs->private_bytes, table);
	if (__builtin_mul_overflow(private_span, threads, &total) ||
	    __builtin_add_overflow(total, shared_span, &total) || total > most) {
		complain("%s%s%s for each of %u threads are more than the %s of format %s",
			 shared_span ? format_size(need, shared_span) : "",
			 shared_span ? " for all and " : "", format_size(each, private_span),
			 threads, format_size(have, most), format->name);
		return -EINVAL;
	}
	*ret_shared = make_area(0, needs->shared_bytes, page);
	for (i = 0; i < threads; i++)
		ret_private[i] =
			make_area(shared_span + i * private_span, needs->private_bytes, page);
	return 0;
}

/* Bits for the numbers 0..count-1. */
static unsigned bits_for(uint64_t count)
{
	unsigned bits = 0;

	while (UINT64_C(1) << bits < count)
		bits++;
	return bits;
}

int frame_code_init(struct frame_code *code, const struct pt_format_info *format, unsigned threads,
		    uint32_t pages)
{
	unsigned frame_bits = format->pa_bits - format->page_shift;
	unsigned used = bits_for(threads) + bits_for(pages);

	if (used + VERSION_BITS_LEAST > frame_bits) {
		complain("format %s has too few frame numbers for %u threads and %u pages",
			 format->name, threads, pages);
		return -EINVAL;
	}
	code->page_shift = format->page_shift;
	code->page_bits = bits_for(pages);
	code->version_bits = frame_bits - used;
	if (code->version_bits > VERSION_BITS_MOST)
		code->version_bits = VERSION_BITS_MOST;
	return 0;
}
