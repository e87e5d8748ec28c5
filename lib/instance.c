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
			.reuses = STRATEGY_REUSES,
			.node_locks = STRATEGY_NODE_LOCKS,
			.software_bits = STRATEGY_SOFTWARE_BITS,
			.node_bytes = STRATEGY_NODE_BYTES,
		},
	.ops =
		{
			.walk = op_walk,
			.access = op_access,
			.query = op_query,
			.query_get = op_query_get,
			.map = op_map,
			.unmap = op_unmap,
			.protect = op_protect,
			.clone = op_clone,
			.mark = op_mark,
			.prune = op_prune,
			.harvest = op_harvest,
			.merge = op_merge,
			.check = op_check,
			.cursor_begin = op_cursor_begin,
			.cursor_try_begin = op_cursor_try_begin,
			.cursor_end = op_cursor_end,
			.cursor_query = op_cursor_query,
			.cursor_find_next = op_cursor_find_next,
			.cursor_jump = op_cursor_jump,
			.cursor_map = op_cursor_map,
			.cursor_take_next = op_cursor_take_next,
			.cursor_protect_next = op_cursor_protect_next,
			.cursor_mark = op_cursor_mark,
			.gather_sync = op_gather_sync,
		},
	.init = strategy_table_init,
	.exit = strategy_table_exit,
	.drop_items = drop_items,
	.create = root_create,
	.destroy = destroy_tree,
};
