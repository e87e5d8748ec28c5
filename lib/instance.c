/* SPDX-License-Identifier: MIT */
/* One (format, strategy) pair: compiled once for each, with PT_FORMAT and PT_STRATEGY defined. */
#include "template.h"

static_assert(STRATEGY_NODE_BYTES <= NODE_STRATEGY_BYTES, "too little node metadata");
static_assert(STRATEGY_SOFTWARE_BITS <= __builtin_popcountll(FMT_STRATEGY_MASK),
	      "the format has too few bits for this strategy");
static_assert(sizeof(slot_t) << FMT_INDEX_BITS == 1 << FMT_NODE_SHIFT, "a node is its slots");

extern const struct pt_instance PT_INSTANCE_NAME;

const struct pt_instance PT_INSTANCE_NAME = {
	.format =
		{
			.name = FMT_NAME,
			.levels = FMT_LEVELS,
			.index_bits = FMT_INDEX_BITS,
			.page_shift = FMT_PAGE_SHIFT,
			.va_bits = FMT_VA_BITS,
			.pa_bits = FMT_PA_BITS,
			.sign_extended = FMT_SIGN_EXTENDED,
			.leaf_levels = FMT_LEAF_LEVELS,
			.node_shift = FMT_NODE_SHIFT,
			.props = FMT_PROPS,
			.caches = FMT_CACHES,
			.mark_bits = FMT_MARK_BITS,
			.strategy_bits = __builtin_popcountll(FMT_STRATEGY_MASK),
		},
	.strategy =
		{
			.name = STRATEGY_NAME,
			.summary = STRATEGY_SUMMARY,
			.isolation = STRATEGY_ISOLATION,
			.readers_share = STRATEGY_READERS_SHARE,
			.lock_free_query = STRATEGY_LOCK_FREE_QUERY,
			.disjoint_parallel = STRATEGY_DISJOINT_PARALLEL,
			.disjoint_building = STRATEGY_DISJOINT_BUILDING,
			.disjoint_slots = STRATEGY_DISJOINT_SLOTS,
			.reuses = STRATEGY_REUSES,
			.node_locks = STRATEGY_NODE_LOCKS,
			.replicates = STRATEGY_REPLICATES,
			.software_bits = STRATEGY_SOFTWARE_BITS,
			.node_bytes = STRATEGY_NODE_BYTES,
		},
	.ops =
		{
			.walk = OP(walk),
			.access = OP(access),
			.query = OP(query),
			.query_get = OP(query_get),
			.map = OP(map),
			.unmap = OP(unmap),
			.protect = OP(protect),
			.clone = OP(clone),
			.mark = OP(mark),
			.prune = OP(prune),
			.harvest = OP(harvest),
			.merge = OP(merge),
			.check = OP(check),
			.cursor_begin = OP(cursor_begin),
			.cursor_try_begin = OP(cursor_try_begin),
			.cursor_end = OP(cursor_end),
			.cursor_query = OP(cursor_query),
			.cursor_find_next = OP(cursor_find_next),
			.cursor_jump = OP(cursor_jump),
			.cursor_map = OP(cursor_map),
			.cursor_take_next = OP(cursor_take_next),
			.cursor_protect_next = OP(cursor_protect_next),
			.cursor_mark = OP(cursor_mark),
			.gather_sync = OP(gather_sync),
		},
	.copies = strategy_copies,
	.root_at = strategy_root_at,
	.short_locks = STRATEGY_NODE_LOCKS ? STRATEGY_SHORT_LOCKS : ~0u,
	.init = strategy_table_init,
	.exit = strategy_table_exit,
	.drop_items = drop_items,
	.create = OP(create),
	.destroy = OP(destroy),
};
